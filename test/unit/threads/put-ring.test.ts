/** Puts of control's own: when they resolve, and what the flusher is told of them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InternalMessage, PutResult } from '../../../src/control/context.ts';
import {
  APPENDED_REPLY,
  REPLY_BYTES,
  REPLY_END,
  REPLY_SEQUENCE,
  REPLY_STATUS,
} from '../../../src/ring/append-records.ts';
import { FLUSHED, Positions, PUTS_AWAITED } from '../../../src/ring/positions.ts';
import { createSlabs, Slabs } from '../../../src/ring/slabs.ts';
import { plainRing } from '../../../src/ring/spsc-ring.ts';
import { APPENDED_OK, QUEUE_RETIRED } from '../../../src/store/log/commit-log.ts';
import { PutRing } from '../../../src/threads/control/put-ring.ts';
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
  const send = plainRing(64 * 1024);
  const replies = plainRing(64 * 1024);
  const positions = new Positions();
  const puts = new PutRing({
    send: send.producer,
    replies: replies.consumer,
    slabs: new Slabs(createSlabs(1, 1024)),
    positions,
    syncFlush: true,
    storeHost: STORE_HOST,
    maxRecord: 64 * 1024,
    queueIdOf: () => 1,
  });
  const resolved: PutResult[] = [];
  let sequence = 0;
  return {
    puts,
    positions,
    resolved,
    put: () => void puts.put(MESSAGE).then((result) => resolved.push(result)),
    answer(status: number, end: number) {
      const at = replies.producer.claim(APPENDED_REPLY, REPLY_BYTES);
      const { view } = replies.producer;
      view.setInt32(at + REPLY_SEQUENCE, sequence++, true);
      view.setInt32(at + REPLY_STATUS, status, true);
      view.setFloat64(at + REPLY_END, end, true);
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
  assert.is(positions.get(PUTS_AWAITED), 100);
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
  assert.is(positions.get(PUTS_AWAITED), 100);
  positions.set(FLUSHED, 100);
  puts.drain();
  await settled();
  assert.equal(
    resolved.map(({ status }) => status === 0),
    [true, false],
  );
});

test.run();
