/** What a producer is told by a SYNC_MASTER whose slaves have its message, have it late, or are not there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SCHEDULE_TOPIC } from '../../../src/lib/names.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { DEFAULT_REPLICATION_OPTIONS, slavesNeeded } from '../../../src/replication/options.ts';
import {
  FLUSHED,
  REPLICATED,
  SLAVES_STATE,
  SLAVES_TOO_FEW,
  SLAVES_UNNEEDED,
} from '../../../src/ring/positions.ts';
import { batchItem, SendRig, sendFields, topicDelta } from '../../support/send-rig.ts';

const test = suite('sends and slaves');
const { SUCCESS, FLUSH_SLAVE_TIMEOUT, SLAVE_NOT_AVAILABLE, FLUSH_DISK_TIMEOUT } = ResponseCode;
const DISK_MS = 5_000;
const SLAVE_MS = 3_000;

/** With this many messages appended. */
function rigWith(messages: number, setup: { syncFlush?: boolean } = {}): SendRig {
  const rig = new SendRig({ slaves: true, ...setup });
  for (let n = 0; n < messages; n++) rig.send({ fields: sendFields() });
  rig.write();
  return rig;
}

const codes = (rig: SendRig) => rig.drain().map(({ code }) => code);

test('it waits for the slave, and each message for its own end', () => {
  const rig = rigWith(2);
  assert.equal(codes(rig), []);
  const end = rig.log.position / 2;
  rig.positions.set(REPLICATED, end - 1);
  assert.equal(codes(rig), []);
  rig.positions.set(REPLICATED, end);
  assert.equal(codes(rig), [SUCCESS]);
  rig.positions.set(REPLICATED, 2 * end);
  assert.equal(codes(rig), [SUCCESS]);
});

test('a slave that is late is waited for so long, and the message is stored all the same', () => {
  const rig = rigWith(1);
  rig.now += SLAVE_MS;
  assert.equal(codes(rig), []);
  rig.now += 1;
  const [reply, ...others] = rig.drain();
  assert.equal([reply?.code, others.length], [FLUSH_SLAVE_TIMEOUT, 0]);
  assert.is(reply?.fields['queueOffset'], '0');
  rig.positions.set(REPLICATED, rig.log.position);
  assert.equal(codes(rig), [], 'nobody is told twice');
});

test('slaves that are lacking are not waited for, also by those who wait already', () => {
  const rig = rigWith(2);
  assert.equal(codes(rig), []);
  rig.positions.set(REPLICATED, rig.log.position / 2);
  rig.positions.set(SLAVES_STATE, 1);
  assert.equal(codes(rig), [SUCCESS, SLAVE_NOT_AVAILABLE]);
  rig.send({ fields: sendFields() });
  rig.write();
  const [reply] = rig.drain();
  assert.equal([reply?.code, reply?.fields['queueOffset']], [SLAVE_NOT_AVAILABLE, '2']);
  rig.positions.set(SLAVES_STATE, 0);
  rig.send({ fields: sendFields() });
  rig.write();
  assert.equal(codes(rig), []);
});

test('with SYNC_FLUSH the disk comes first: what is not durable here is not told to be stored', () => {
  const rig = rigWith(1, { syncFlush: true });
  rig.positions.set(SLAVES_STATE, 1);
  rig.now += SLAVE_MS + 1;
  assert.equal(codes(rig), []);
  rig.positions.set(FLUSHED, rig.log.position);
  assert.equal(codes(rig), [SLAVE_NOT_AVAILABLE]);
});

test('with SYNC_FLUSH both are waited for, each with its own time and code', () => {
  const both = rigWith(1, { syncFlush: true });
  both.positions.set(REPLICATED, both.log.position);
  assert.equal(codes(both), []);
  both.positions.set(FLUSHED, both.log.position);
  assert.equal(codes(both), [SUCCESS]);

  const disk = rigWith(1, { syncFlush: true });
  disk.positions.set(REPLICATED, disk.log.position);
  disk.now += DISK_MS;
  assert.equal(codes(disk), []);
  disk.now += 1;
  assert.equal(codes(disk), [FLUSH_DISK_TIMEOUT]);

  const slave = rigWith(1, { syncFlush: true });
  slave.positions.set(FLUSHED, slave.log.position);
  slave.now += SLAVE_MS + 1;
  assert.equal(codes(slave), [FLUSH_SLAVE_TIMEOUT]);
});

test('a message that wants no waiting is acknowledged when it is appended', () => {
  const rig = new SendRig({ slaves: true });
  rig.positions.set(SLAVES_STATE, 1);
  rig.send({ fields: sendFields({ i: 'WAIT\x01false\x02' }) });
  rig.write();
  assert.equal(codes(rig), [SUCCESS]);
});

test('only a SYNC_MASTER of two copies or more waits', () => {
  const needed = (brokerRole: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE', inSyncReplicas: number) =>
    slavesNeeded({ ...DEFAULT_REPLICATION_OPTIONS, brokerRole, inSyncReplicas }, 5);
  assert.equal(
    [needed('SYNC_MASTER', 1), needed('SYNC_MASTER', 3), needed('ASYNC_MASTER', 3), needed('SLAVE', 3)],
    [0, 2, 0, 0],
  );
  const rig = new SendRig();
  rig.positions.set(SLAVES_STATE, 1);
  rig.send({ fields: sendFields() });
  rig.write();
  assert.equal(codes(rig), [SUCCESS]);
});

test('where no slave is needed none is waited for, and the disk is all the same', () => {
  const rig = rigWith(1);
  rig.positions.set(SLAVES_STATE, SLAVES_UNNEEDED);
  assert.equal(codes(rig), [SUCCESS]);
  const flushes = rigWith(1, { syncFlush: true });
  flushes.positions.set(SLAVES_STATE, SLAVES_UNNEEDED);
  assert.equal(codes(flushes), []);
  flushes.positions.set(FLUSHED, flushes.log.position);
  assert.equal(codes(flushes), [SUCCESS]);
});

test('with too few copies nothing is appended, and the answer is that of RocketMQ', () => {
  const rig = new SendRig({ slaves: true });
  rig.positions.set(SLAVES_STATE, SLAVES_TOO_FEW);
  rig.view.apply(topicDelta(SCHEDULE_TOPIC, { queues: Array.from({ length: 18 }, (_, i) => 10 + i) }));
  const refusal = [ResponseCode.SYSTEM_ERROR, 'in-sync replicas not enough'];
  // A plain one, one that is looked at in general, and a batch.
  const batch = Buffer.concat([batchItem('one', ''), batchItem('two', '')]);
  rig.send({ fields: sendFields() });
  rig.send({ fields: sendFields({ i: 'KEYS\x01k\x02DELAY\x017\x02' }) });
  rig.send({ fields: sendFields({ m: 'true' }), body: batch });
  rig.write();
  const replies = rig.drain();
  assert.equal(
    replies.map(({ code, remark }) => [code, remark]),
    [refusal, refusal, refusal],
  );
  assert.is(rig.log.position, 0);
  assert.equal(
    rig.refusals.take().map(({ reason, count }) => [reason, count]),
    [['copies', 3]],
  );
});

test('who does not wait is not refused, nor who sends when there are enough again', () => {
  const rig = new SendRig({ slaves: true });
  rig.positions.set(SLAVES_STATE, SLAVES_TOO_FEW);
  rig.send({ fields: sendFields({ i: 'WAIT\x01false\x02' }) });
  rig.write();
  assert.equal(codes(rig), [SUCCESS]);
  rig.send({ fields: sendFields() });
  rig.positions.set(SLAVES_STATE, 0);
  rig.send({ fields: sendFields() });
  rig.write();
  rig.positions.set(REPLICATED, rig.log.position);
  assert.equal(codes(rig), [ResponseCode.SYSTEM_ERROR, SUCCESS]);
});

test('what was appended before there were too few is stored, and told so', () => {
  const rig = rigWith(1);
  rig.positions.set(SLAVES_STATE, SLAVES_TOO_FEW);
  assert.equal(codes(rig), [SLAVE_NOT_AVAILABLE]);
});

test.run();
