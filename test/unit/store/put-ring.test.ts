/** Puts of control's own: when they resolve, and what the flusher is told of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_PUT_BYTES, MAX_PUTS } from '../../../src/lib/limits.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import {
  APPENDED_REPLY,
  REPLY_BYTES,
  REPLY_END,
  REPLY_SEQUENCE,
  REPLY_STATUS,
} from '../../../src/ring/append-records.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { AWAITED, FLUSHED, HALT_SYNC_FAILED, Positions } from '../../../src/ring/positions.ts';
import { plainRing } from '../../../src/ring/spsc-ring.ts';
import { Watermark } from '../../../src/ring/watermark.ts';
import { APPENDED_OK, QUEUE_RETIRED } from '../../../src/store/log/commit-log.ts';
import type { InternalMessage, PutResult } from '../../../src/store/put/put-message.ts';
import { PutRing } from '../../../src/store/put/put-ring.ts';
import { STORE_HOST } from '../../support/messages.ts';

const MESSAGE: InternalMessage = {
  topic: 'T',
  queueId: 0,
  body: Buffer.from('x'),
  properties: new Map(),
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 1,
  bornHost: STORE_HOST,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
};

/** A PutRing and what a writer would answer it. */
function rig() {
  const send = plainChannel({ ringBytes: 1024 * 1024, slabs: 1, slabBytes: 6 * 1024 * 1024 });
  const replies = plainRing(512 * 1024);
  const positions = new Positions();
  const puts = new PutRing({
    writer: send.sender,
    replies: replies.consumer,
    positions,
    awaited: AWAITED + 3,
    confirmed: new Watermark(positions, [FLUSHED]),
    storeHost: STORE_HOST,
    maxRecord: 5 * 1024 * 1024,
    queueIdOf: () => 1,
  });
  const resolved: PutResult[] = [];
  let sequence = 0;
  return {
    puts,
    positions,
    resolved,
    writer: send.receiver,
    put: (message = MESSAGE) => void puts.put(message).then((result) => resolved.push(result)),
    answer(status: number, end: number) {
      const at = replies.producer.claim(APPENDED_REPLY, REPLY_BYTES);
      const { view } = replies.producer;
      view.setInt32(at + REPLY_SEQUENCE, sequence++, true);
      view.setInt32(at + REPLY_STATUS, status, true);
      view.setFloat64(at + REPLY_END, end, true);
      replies.producer.commit();
      replies.producer.publish();
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('under SYNC_FLUSH a put resolves when it is durable, and the flusher knows until when control waits', async () => {
  const { puts, positions, resolved, put, answer } = rig();
  put();
  answer(APPENDED_OK, 100);
  puts.drain();
  await settled();
  assert.is(resolved.length, 0);
  assert.is(positions.get(AWAITED + 3), 100);
  positions.set(FLUSHED, 100);
  puts.drain();
  await settled();
  assert.is(resolved.length, 1);
});

test('a refused put behind one that waits does not hide it from the flusher', async () => {
  const { puts, positions, resolved, put, answer } = rig();
  put();
  put();
  answer(APPENDED_OK, 100);
  answer(QUEUE_RETIRED, 100);
  puts.drain();
  await settled();
  assert.is(resolved.length, 0);
  assert.is(positions.get(AWAITED + 3), 100);
  positions.set(FLUSHED, 100);
  puts.drain();
  await settled();
  assert.equal(
    resolved.map(({ status }) => status === 0),
    [true, false],
  );
});

/** Takes every request, as a writer does that answers later; how many there were. */
function takeAll(writer: ReturnType<typeof rig>['writer']): number {
  let taken = 0;
  while (writer.next()) taken++;
  writer.release();
  return taken;
}

test('more bytes under way than the limit are refused at once, and taken again when some are answered', async () => {
  const { puts, resolved, put, answer, writer } = rig();
  const large = { ...MESSAGE, body: new Uint8Array(4 * 1024 * 1024) };
  let accepted = 0;
  while (puts.busy === undefined) {
    put(large);
    accepted++;
  }
  assert.is(accepted, Math.floor(MAX_PUT_BYTES / large.body.length) + 0);
  assert.match(puts.busy, /MAX_PUT_BYTES/);
  put(large);
  await settled();
  assert.equal(
    resolved.map(({ status, remark }) => [status, remark?.includes('MAX_PUT_BYTES')]),
    [[ResponseCode.SYSTEM_BUSY, true]],
  );
  // One slab: the writer meets them one after the other, all in the end.
  for (let sent = 0; sent < accepted; ) {
    const taken = takeAll(writer);
    assert.ok(taken > 0, 'a put was left behind');
    sent += taken;
    for (let i = 0; i < taken; i++) answer(APPENDED_OK, 0);
    puts.drain();
  }
  assert.is(puts.busy, undefined);
  await settled();
  assert.is(resolved.length, accepted + 1);
});

test('no more puts are under way than there is room for answers, however many ask; retired queues still are', async () => {
  const { puts, resolved, put, answer, writer } = rig();
  for (let i = 0; i < MAX_PUTS + 10; i++) put();
  await settled();
  assert.is(resolved.filter(({ status }) => status === ResponseCode.SYSTEM_BUSY).length, 10);
  const ends: number[] = [];
  for (let i = 0; i < 3; i++) void puts.retireQueues([i]).then((end) => ends.push(end));
  let taken = 0;
  for (let n = takeAll(writer); n > 0; n = takeAll(writer)) {
    taken += n;
    puts.drain();
  }
  assert.is(taken, MAX_PUTS + 1, 'of the retirements one is under way');
  for (let i = 0; i < MAX_PUTS + 1; i++) answer(APPENDED_OK, 0);
  puts.drain();
  assert.is(takeAll(writer), 1, 'the two others go together');
  answer(APPENDED_OK, 0);
  puts.drain();
  await settled();
  assert.equal(ends, [0, 0, 0]);
});

test('when the store halts everything under way fails, and nothing is taken any more', async () => {
  const { puts, positions, resolved, put, answer, writer } = rig();
  const retired: string[] = [];
  const retire = () =>
    void puts.retireQueues([1]).then(
      () => retired.push('retired'),
      (error: Error) => retired.push(error.message),
    );
  put();
  answer(APPENDED_OK, 100);
  puts.drain();
  put();
  for (let i = 0; i < 3; i++) retire();
  assert.is(takeAll(writer), 3);
  positions.halt(HALT_SYNC_FAILED, 5);
  // The writer may have answered before it heard of it.
  answer(APPENDED_OK, 200);
  puts.drain();
  put();
  retire();
  puts.abandon();
  await settled();
  assert.equal(
    resolved.map(({ status, remark }) => [status, remark]),
    Array(3).fill([ResponseCode.SYSTEM_ERROR, 'the store has halted']),
  );
  assert.equal(retired, Array(4).fill('the store has halted'));
  assert.is(puts.underWay, 0);
});

test.run();
