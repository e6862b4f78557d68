import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { storeOptions } from '../../../src/store/store.ts';
import { warnOfLittleRoom } from '../../../src/threads/control/room-check.ts';

const test = suite('room check');
const MIB = 1024 * 1024;

function warnings(free: number | undefined, fileMib: number): string[] {
  const lines: string[] = [];
  const log = { info: () => {}, error: () => {}, warn: (_: object, line: string) => void lines.push(line) };
  const options = storeOptions('/nowhere', {
    commitLogDirectory: tmpdir(),
    mappedFileSizeCommitLog: fileMib * MIB,
  });
  if (free === undefined) warnOfLittleRoom(options, log);
  else warnOfLittleRoom(options, log, free);
  return lines;
}

test('a disk that cannot hold one CommitLog file more is warned of, with both sizes', () => {
  const [line = ''] = warnings(300 * MIB + 7, 1024);
  assert.match(line, `${tmpdir()} has 300 MiB left, and a CommitLog file grows to 1024 MiB`);
  assert.equal(warnings(1024 * MIB, 1024), []);
});

test('the real disk is asked', () => {
  assert.equal(warnings(undefined, 0), []);
  assert.is(warnings(undefined, 2 ** 40).length, 1);
});

test.run();
