/** Sends that took long: counted, and told with where the slowest one was. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SlowSends } from '../../../src/broker/send/slow-sends.ts';
import { APPENDED, FLUSHED } from '../../../src/ring/positions.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { SendRig, sendFields } from '../../support/send-rig.ts';

const test = suite('slow sends');

function told(slow: SlowSends): object[] {
  const { log, lines } = recordingLog();
  slow.report(log);
  return lines.map(({ fields }) => fields);
}

test('one line stands for all since the last one, and says of the slowest where it was', () => {
  const slow = new SlowSends(100);
  slow.done(0, 10, 99);
  assert.equal(told(slow), []);
  slow.done(0, 90, 100);
  slow.done(1_000, 1_050, 1_500);
  slow.done(2_000, 2_190, 2_200);
  assert.equal(told(slow), [{ step: 'send', ms: 500, sends: 3, writtenMs: 50, durableMs: 450 }]);
  assert.equal(told(slow), []);
  slow.done(0, 200, 200);
  assert.equal(told(slow), [{ step: 'send', ms: 200, sends: 1, writtenMs: 200, durableMs: 0 }]);
});

test('a limit of 0 tells nothing', () => {
  const slow = new SlowSends(0);
  slow.done(0, 1, 1e9);
  assert.equal(told(slow), []);
});

test('what waits for the disk is durable late, what the writer takes late is written late', () => {
  const slow = new SlowSends(100);
  const rig = new SendRig({ syncFlush: true, slow });
  rig.send({ opaque: 1, fields: sendFields() });
  rig.now += 30;
  rig.write();
  rig.drain();
  rig.now += 400;
  rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
  assert.is(rig.drain().length, 1);
  assert.equal(told(slow), [{ step: 'send', ms: 430, sends: 1, writtenMs: 30, durableMs: 400 }]);
  rig.send({ opaque: 2, fields: sendFields() });
  rig.now += 250;
  rig.write();
  rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
  rig.drain();
  assert.equal(told(slow), [{ step: 'send', ms: 250, sends: 1, writtenMs: 250, durableMs: 0 }]);
});

test('one that its producer did not wait to be durable was as slow as its way into the log', () => {
  const slow = new SlowSends(100);
  const rig = new SendRig({ syncFlush: true, slow });
  rig.send({ opaque: 1, fields: sendFields({ i: 'WAIT\x01false\x02' }) });
  rig.now += 120;
  rig.write();
  assert.is(rig.drain().length, 1);
  assert.equal(told(slow), [{ step: 'send', ms: 120, sends: 1, writtenMs: 120, durableMs: 0 }]);
});

test.run();
