/**
 * A slave's way to its writer: runs of whole records, as the master has written them. The writer takes them in order,
 * and refuses what does not follow its end; after a refusal the connection to the master is made anew.
 */

import { assert } from '../../lib/assert.ts';
import {
  APPEND_RAW,
  APPENDED_REPLY,
  RAW_HEADER,
  RAW_POSITION,
  RAW_STORE_TIMESTAMP,
  REPLY_STATUS,
  writeAppendHead,
} from '../../ring/append-records.ts';
import type { ChannelSender } from '../../ring/channel.ts';
import { FULL, type RingConsumer } from '../../ring/spsc-ring.ts';
import { APPENDED_OK } from '../../store/log/commit-log.ts';
import type { RecordCutter } from './record-cutter.ts';

/** Runs under way; the reply ring has room for so many answers. */
export const MAX_RAW_PUTS = 256;

export class RawPuts {
  readonly #writer: ChannelSender;
  readonly #replies: RingConsumer;
  #sequence = 0;
  #underWay = 0;

  constructor(writer: ChannelSender, replies: RingConsumer) {
    this.#writer = writer;
    this.#replies = replies;
  }

  /** Whether everything put has been answered. */
  get idle(): boolean {
    return this.#underWay === 0;
  }

  /** Puts the cutter's run; false when there is no room: the bell rings when there may be. */
  put({ bytes, from, length, count, position, storeTimestamp }: RecordCutter): boolean {
    if (this.#underWay >= MAX_RAW_PUTS) return false;
    const writer = this.#writer;
    const at = writer.claim(APPEND_RAW, RAW_HEADER + length);
    if (at === FULL) return false;
    writeAppendHead(writer.view, at, this.#sequence, 0, length, count);
    writer.view.setFloat64(at + RAW_POSITION, position, true);
    writer.view.setFloat64(at + RAW_STORE_TIMESTAMP, storeTimestamp, true);
    writer.bytes.set(bytes.subarray(from, from + length), at + RAW_HEADER);
    writer.commit();
    this.#sequence = (this.#sequence + 1) | 0;
    this.#underWay++;
    return true;
  }

  publish(): void {
    this.#writer.publish();
  }

  /** Takes answers; the first status that is none of success, or APPENDED_OK. */
  drain(): number {
    const replies = this.#replies;
    let status = APPENDED_OK;
    while (replies.next()) {
      assert(replies.type === APPENDED_REPLY, 'the writer answers puts');
      if (status === APPENDED_OK) status = replies.view.getInt32(replies.offset + REPLY_STATUS, true);
      this.#underWay--;
    }
    replies.release();
    return status;
  }
}
