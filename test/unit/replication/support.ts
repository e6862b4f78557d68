/** Logs in memory, sockets that remember, and a clock that stands until it is set. */
import { crc32 } from 'node:zlib';
import { writeInt64 } from '../../../src/lib/int64.ts';
import {
  CHUNK_HEAD_BYTES,
  chunkLength,
  chunkPosition,
  REPORT_BYTES,
  readReport,
  writeChunkHead,
  writeReport,
} from '../../../src/protocol/replication-frames.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import {
  BODY_CRC,
  MAGIC,
  MAGIC_BLANK,
  PHYSICAL_OFFSET,
  QUEUE_OFFSET,
  recordSize,
  STORE_TIMESTAMP_V4,
  TOTAL_SIZE,
} from '../../../src/record/layout.ts';
import type { FeedSocket, ServedLog } from '../../../src/replication/master/slave-feed.ts';
import { DEFAULT_REPLICATION_OPTIONS, type ReplicationOptions } from '../../../src/replication/options.ts';
import { KnownQueues } from '../../../src/replication/slave/known-queues.ts';
import type { MasterSocket } from '../../../src/replication/slave/master-stream.ts';
import { headFor } from '../../support/messages.ts';

export const FILE = 8192;
export const MAX_RECORD = 4096;
export const TOPIC = 'T';

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function crc(bytes: Uint8Array, offset: number, length: number): number {
  return crc32(bytes.subarray(offset, offset + length)) >>> 0;
}

export function knownQueues(...topics: string[]): KnownQueues {
  const known = new KnownQueues();
  for (const topic of topics) known.add(topic, 0);
  return known;
}

export function optionsWith(more: Partial<ReplicationOptions> = {}): ReplicationOptions {
  return { ...DEFAULT_REPLICATION_OPTIONS, ...more };
}

export interface RecordWishes {
  topic?: string | Uint8Array;
  queueId?: number;
  queueOffset?: number;
  storeTimestamp?: number;
  fill?: number;
  properties?: string;
}

/** A record as a master has written it at `position`, `size` bytes long. */
export function recordAt(position: number, size: number, wishes: RecordWishes = {}): Uint8Array {
  const { queueId = 0, queueOffset = 0, storeTimestamp = 1000 + position, fill = 0x62 } = wishes;
  const topic = Buffer.from(wishes.topic ?? TOPIC);
  const properties = Buffer.from(wishes.properties ?? '');
  const body = new Uint8Array(size - recordSize(0, topic.length, properties.length, 0)).fill(fill);
  const bytes = Uint8Array.from(encodeRecord(headFor(queueId), topic, body, properties));
  const view = viewOf(bytes);
  view.setInt32(BODY_CRC, body.length === 0 ? 0 : crc(body, 0, body.length) & 0x7fffffff);
  writeInt64(view, QUEUE_OFFSET, queueOffset);
  writeInt64(view, PHYSICAL_OFFSET, position);
  writeInt64(view, STORE_TIMESTAMP_V4, storeTimestamp);
  return bytes;
}

/** The unused rest of a file. */
export function blank(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  viewOf(bytes).setInt32(TOTAL_SIZE, size);
  viewOf(bytes).setInt32(MAGIC, MAGIC_BLANK);
  return bytes;
}

/** A log of records of these sizes, numbered as those of one queue, with a BLANK wherever a file ends. */
export function logOf(sizes: readonly number[], fileSize = FILE, wishes: RecordWishes = {}): Uint8Array {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const [queueOffset, size] of sizes.entries()) {
    const used = position % fileSize;
    if (used + size + 8 > fileSize) {
      pieces.push(blank(fileSize - used));
      position += fileSize - used;
    }
    pieces.push(recordAt(position, size, { queueOffset, ...wishes }));
    position += size;
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A log whose bytes are `bytes`, from `start` on. */
export class MemoryLog implements ServedLog {
  start = 0;
  readonly fileSize: number;
  newest = 0;
  isUnreadable = false;
  #bytes: Uint8Array;
  #end: number;

  constructor(bytes: Uint8Array = new Uint8Array(0), fileSize = FILE) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.fileSize = fileSize;
  }

  get end(): number {
    return this.#end;
  }

  grow(bytes: Uint8Array): void {
    this.#bytes = Uint8Array.from(Buffer.concat([this.#bytes, bytes]));
    this.#end = this.#bytes.length;
  }

  bytes(position: number, length: number): Uint8Array | undefined {
    if (this.isUnreadable) return undefined;
    const endOfFile = position - (position % this.fileSize) + this.fileSize;
    return this.#bytes.subarray(position, Math.min(position + length, endOfFile));
  }
}

export function reports(...positions: number[]): Uint8Array {
  const bytes = new Uint8Array(REPORT_BYTES * positions.length);
  for (const [index, position] of positions.entries())
    writeReport(viewOf(bytes), index * REPORT_BYTES, position);
  return bytes;
}

export function chunk(position: number, body: Uint8Array, length = body.length): Uint8Array {
  const bytes = new Uint8Array(CHUNK_HEAD_BYTES + body.length);
  writeChunkHead(viewOf(bytes), 0, position, length);
  bytes.set(body, CHUNK_HEAD_BYTES);
  return bytes;
}

export interface SentChunk {
  position: number;
  length: number;
  body: Uint8Array;
}

/** A slave's socket as the master has it: takes nothing until it is told to. */
export class SlaveSocket implements FeedSocket {
  readonly chunks: SentChunk[] = [];
  isClosed = false;
  readonly #waiting: (() => void)[] = [];

  send(pieces: readonly Uint8Array[], taken: () => void): void {
    const [head, body = new Uint8Array(0)] = pieces as [Uint8Array, Uint8Array?];
    const view = viewOf(head);
    this.chunks.push({
      position: chunkPosition(view, 0),
      length: chunkLength(view, 0),
      body: Uint8Array.from(body),
    });
    this.#waiting.push(taken);
  }

  close(): void {
    this.isClosed = true;
  }

  get underWay(): number {
    return this.#waiting.length;
  }

  /** The kernel takes the first `count` of what waits, and what is sent thereupon is not taken. */
  take(count = this.#waiting.length): void {
    for (const taken of this.#waiting.splice(0, count)) taken();
  }

  /** Takes everything until nothing comes any more. */
  takeAll(): void {
    while (this.#waiting.length > 0) this.take();
  }

  /** All bodies one behind the other, from the first chunk's position on. */
  get stream(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.chunks.map(({ body }) => body)));
  }
}

/** The socket to a master. */
export class FakeMasterSocket implements MasterSocket {
  readonly reports: number[] = [];
  isPaused = false;
  isClosed = false;

  send(bytes: Uint8Array): void {
    this.reports.push(readReport(viewOf(bytes), 0));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    this.isClosed = true;
  }
}
