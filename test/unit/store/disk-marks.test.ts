/** Marks of the used share of the disk: each is told once each way, with what follows from it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DiskMarks } from '../../../src/store/retention/disk-marks.ts';
import { storeOptions } from '../../../src/store/store.ts';
import { recordingLog } from '../../support/recording-log.ts';

function rig() {
  const { log, lines } = recordingLog();
  const options = storeOptions('/store');
  const marks = new DiskMarks(log, options);
  return {
    options,
    /** What is told when the share comes to this. */
    at(ratio: number) {
      marks.note(ratio);
      return lines.splice(0).map(({ level, fields }) => [level, fields['mark'], fields['percent']]);
    },
    texts(ratio: number) {
      marks.note(ratio);
      return lines.splice(0).map(({ message }) => message);
    },
  };
}

test('a disk with room is no news', () => {
  const { at } = rig();
  assert.equal([at(0.2), at(0.75), at(0.5)], [[], [], []]);
});

test('each mark is told when it is crossed, once, on the way up and on the way down', () => {
  const { at } = rig();
  assert.equal(at(0.76), [['info', 75, 76]]);
  assert.equal(at(0.8), []);
  assert.equal(at(0.861), [['warn', 85, 86]]);
  assert.equal(at(0.92), [['error', 90, 92]]);
  assert.equal(at(0.97), []);
  assert.equal(at(0.9), [['info', 90, 90]], 'sends are taken at exactly this');
  assert.equal(at(0.84), [['info', 85, 84]]);
  assert.equal(at(0.7), [['info', 75, 70]]);
});

test('a leap crosses all that lie between, and says what follows', () => {
  const { texts } = rig();
  const up = texts(0.95);
  assert.equal(
    up.map((text) => /over \d+ %/.exec(text)?.[0]),
    ['over 75 %', 'over 85 %', 'over 90 %'],
  );
  assert.match(up[2] ?? '', /sends are refused/);
  assert.match(texts(0.1)[2] ?? '', /sends are taken again/);
});

test('the marks are those of the configuration, also when it changes', () => {
  const { at, options } = rig();
  options.diskMaxUsedSpaceRatio = 50;
  options.cleanFileForciblyEnable = false;
  assert.equal(at(0.6), [['info', 50, 60]]);
  assert.equal(at(0.88), [], 'nothing is deleted by force');
  options.diskSpaceWarningLevelRatio = 80;
  assert.equal(at(0.88), [['error', 80, 88]]);
  options.diskMaxUsedSpaceRatio = 95;
  assert.equal(at(0.88), [['info', 95, 88]]);
});

test.run();
