/**
 * How far a copy of the log is behind in time: by the store times of its messages, which one machine has given. Clocks
 * of two machines are never compared.
 */

import { readInt64 } from '../lib/int64.ts';
import { MAGIC, MAGIC_V1, MAGIC_V2, PHYSICAL_OFFSET, STORE_TIMESTAMP_V4 } from '../record/layout.ts';
import { storeTimestampOf } from '../record/view.ts';
import type { ServedLog } from './master/slave-feed.ts';

/** A slave of RocketMQ may have half a record; the next one is looked for so far. */
const LOOK_BYTES = 64 * 1024;
/** What must be there of a record to read its store time. */
const HEAD_BYTES = STORE_TIMESTAMP_V4 + 20;

/**
 * Ms between the store times of the first message at or behind `position` and of the newest one; 0 when there is none,
 * undefined when none is found there.
 */
export function behindMs(log: ServedLog, position: number): number | undefined {
  if (position >= log.end) return 0;
  const time = storeTimeFrom(log, position) ?? storeTimeFrom(log, nextFile(log, position));
  return time === undefined ? undefined : Math.max(0, log.newest - time);
}

function nextFile({ fileSize }: ServedLog, position: number): number {
  return position - (position % fileSize) + fileSize;
}

/** A record says where it stands: no other bytes do that by chance. */
function storeTimeFrom(log: ServedLog, position: number): number | undefined {
  const length = Math.min(LOOK_BYTES, log.end - position);
  const bytes = length >= HEAD_BYTES && position >= log.start ? log.bytes(position, length) : undefined;
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, length));
  for (let at = 0; at + HEAD_BYTES <= view.byteLength; at++) {
    const magic = view.getInt32(at + MAGIC);
    const isRecord = magic === MAGIC_V1 || magic === MAGIC_V2;
    if (isRecord && readInt64(view, at + PHYSICAL_OFFSET) === position + at)
      return storeTimestampOf(view, at);
  }
  return undefined;
}
