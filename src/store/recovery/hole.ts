/**
 * Filling a hole in the log, so that readers and recoveries, RocketMQ's too, step over it.
 *
 * What stood there is kept beside the log first. Where only a body is damaged, the record keeps its size, topic, queue
 * and number, so that its queue stays whole, and says in its properties what it is. Everything else becomes records of
 * the kind that enters neither queues nor index (rollback marks of a topic that nobody has), or a BLANK at the end of a
 * file. They are filled with text, never with zeros: zeros are what a lost page looks like.
 */
import { copied } from '../../lib/copied.ts';
import { writeInt64 } from '../../lib/int64.ts';
import { addon } from '../../native/addon.ts';
import { encodeRecord, type RecordHead } from '../../record/encode.ts';
import {
  BLANK_BYTES,
  BODY_CRC,
  MAGIC,
  MAGIC_BLANK,
  PHYSICAL_OFFSET,
  QUEUE_OFFSET,
  recordSize,
  SYS_TRANSACTION_ROLLBACK,
  TOTAL_SIZE,
} from '../../record/layout.ts';
import {
  bodyLengthOf,
  bodyLengthOffset,
  queueIdOf,
  queueOffsetOf,
  storeTimestampOffset,
  sysFlagOf,
} from '../../record/view.ts';
import type { Disk, Mapping } from '../disk/disk.ts';
import type { RecordCheck } from '../log/record-check.ts';
import type { Segments } from '../log/segments.ts';

/** Topic of the records that fill a hole. */
export const HOLE_TOPIC = 'RINGMQ_HOLE';
/** Property of a record whose body was damaged: the position where it stands. */
export const DAMAGED_PROPERTY = 'RINGMQ_DAMAGED';

/** Queue entries of missing messages point at the first record of a hole: it is small, as a consumer gets it. */
const PIECE_BYTES = 4096;
/** The smallest record there is: a topic of one byte, nothing else. */
export const SMALLEST_RECORD = recordSize(0, 1, 0, 0);

const NOWHERE = { address: new Uint8Array(4), port: 0 };

interface Place {
  disk: Disk;
  mapping: Mapping;
  /** Start of the file. */
  fileStart: number;
  /** Store time for the records, ms. */
  time: number;
}

/** Fills [from, to), which lie in one file; where a size does not allow it, throws. */
export function fillHole(
  disk: Disk,
  segments: Segments,
  from: number,
  to: number,
  time: number,
  check: RecordCheck,
): void {
  const mapping = segments.at(from) as Mapping;
  const fileStart = segments.startOf(from);
  const place: Place = { disk, mapping, fileStart, time };
  if (to === fileStart + segments.fileSize) {
    // Records before the BLANK: the entries of the messages that are missing need something to point at.
    const blankAt = to - from < SMALLEST_RECORD + BLANK_BYTES ? from : to - BLANK_BYTES;
    put(place, blankAt, blank(to - blankAt));
    if (blankAt > from) fillWithRecords(place, from, blankAt);
    return;
  }
  const onlyBody = check.reason === 'body checksum differs' && from + check.size === to;
  const replacement = onlyBody ? placeHolder(place, from, to, check) : undefined;
  if (replacement !== undefined) {
    put(place, from, replacement);
    return;
  }
  if (to - from < SMALLEST_RECORD) throw new Error(`the damage at ${from} is smaller than any record`);
  fillWithRecords(place, from, to);
}

/** The first piece comes last: until it stands the place is as unsound as it was. */
function fillWithRecords(place: Place, from: number, to: number): void {
  for (const [at, size] of pieces(from, to).reverse()) put(place, at, filler(place, at, size));
}

/** The record at `from`, with text instead of its body; undefined when its own fields leave no room for that. */
function placeHolder(
  { mapping, fileStart, time }: Place,
  from: number,
  to: number,
  check: RecordCheck,
): Uint8Array | undefined {
  const { view, bytes } = mapping;
  const at = from - fileStart;
  const { topicOffset, topicLength } = check.parts;
  const topic = copied(bytes, topicOffset, topicOffset + topicLength);
  const properties = Buffer.from(`${DAMAGED_PROPERTY}\x01${from}\x02`);
  const sysFlag = sysFlagOf(view, at) & SYS_TRANSACTION_ROLLBACK;
  const body = to - from - recordSize(0, topicLength, properties.length, 0);
  if (body < 0) return undefined;
  const head = headOf(queueIdOf(view, at), sysFlag);
  const record = encodeRecord(head, topic, textOf(body), properties);
  return complete(record, from, queueOffsetOf(view, at), time);
}

function filler({ time }: Place, at: number, size: number): Uint8Array {
  const topic = Buffer.from(HOLE_TOPIC.slice(0, size - SMALLEST_RECORD + 1));
  const body = size - recordSize(0, topic.length, 0, 0);
  const head = headOf(0, SYS_TRANSACTION_ROLLBACK);
  return complete(encodeRecord(head, topic, textOf(body), new Uint8Array(0)), at, 0, time);
}

/** Sizes that sum up to the hole, each large enough for a record. */
function pieces(from: number, to: number): [at: number, size: number][] {
  const found: [number, number][] = [];
  for (let at = from; at < to; ) {
    const left = to - at;
    const size = left < PIECE_BYTES + SMALLEST_RECORD ? left : PIECE_BYTES;
    found.push([at, size]);
    at += size;
  }
  return found;
}

function complete(record: Uint8Array, position: number, queueOffset: number, time: number): Uint8Array {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  writeInt64(view, QUEUE_OFFSET, queueOffset);
  writeInt64(view, PHYSICAL_OFFSET, position);
  writeInt64(view, storeTimestampOffset(sysFlagOf(view, 0)), time);
  const length = bodyLengthOf(view, 0);
  const crc = addon.crcOfBytes(record, bodyLengthOffset(sysFlagOf(view, 0)) + 4, length);
  view.setInt32(BODY_CRC, length === 0 ? 0 : crc & 0x7fffffff);
  return record;
}

function blank(size: number): Uint8Array {
  const bytes = new Uint8Array(BLANK_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(TOTAL_SIZE, size);
  view.setInt32(MAGIC, MAGIC_BLANK);
  return bytes;
}

function headOf(queueId: number, sysFlag: number): RecordHead {
  return {
    queueId,
    flag: 0,
    sysFlag,
    bornTimestamp: 0,
    bornHost: NOWHERE,
    storeHost: NOWHERE,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
}

function textOf(length: number): Uint8Array {
  return new Uint8Array(length).fill(0x2e);
}

/** Writes the bytes at `position`, durably; throws when the disk refuses. */
function put({ disk, mapping, fileStart }: Place, position: number, bytes: Uint8Array): void {
  const memory = disk.memory(Math.max(bytes.length, 4096));
  memory.bytes.set(bytes);
  const at = position - fileStart;
  const outcome = mapping.append(at, memory, 0, bytes.length) || mapping.sync(at, at + bytes.length);
  if (outcome < 0) throw new Error(`the damage at ${position} cannot be filled (errno ${-outcome})`);
}
