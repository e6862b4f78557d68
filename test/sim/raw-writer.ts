/** The writer's part in the way of raw records, as `WriterAgent` does it, without a thread. */
import * as assert from 'uvu/assert';
import {
  APPEND_BYTES,
  APPEND_COUNT,
  APPEND_RAW,
  APPEND_SEQUENCE,
  APPENDED_REPLY,
  RAW_HEADER,
  RAW_POSITION,
  RAW_STORE_TIMESTAMP,
  REPLY_BYTES,
  REPLY_SEQUENCE,
  REPLY_STATUS,
} from '../../src/ring/append-records.ts';
import type { ChannelReceiver } from '../../src/ring/channel.ts';
import type { RingProducer } from '../../src/ring/spsc-ring.ts';
import type { CommitLog } from '../../src/store/log/commit-log.ts';

/** Appends up to `most` runs and answers them; returns how many. */
export function takeRawPuts(
  receiver: ChannelReceiver,
  answers: RingProducer,
  log: CommitLog,
  most = Number.POSITIVE_INFINITY,
): number {
  let taken = 0;
  for (; taken < most && receiver.next(); taken++) {
    const { type, view, offset, bulk } = receiver;
    assert.is(type, APPEND_RAW);
    const status = log.appendRaw(
      { ...bulk, region: 0 },
      offset + RAW_HEADER,
      view.getInt32(offset + APPEND_BYTES, true),
      view.getInt32(offset + APPEND_COUNT, true),
      view.getFloat64(offset + RAW_POSITION, true),
      view.getFloat64(offset + RAW_STORE_TIMESTAMP, true),
    );
    const at = answers.claim(APPENDED_REPLY, REPLY_BYTES);
    answers.view.setInt32(at + REPLY_SEQUENCE, view.getInt32(offset + APPEND_SEQUENCE, true), true);
    answers.view.setInt32(at + REPLY_STATUS, status, true);
    answers.commit();
  }
  log.publish();
  receiver.release();
  answers.publish();
  return taken;
}
