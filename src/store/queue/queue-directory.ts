/**
 * The queue directory: per topic-queue a slot of shared words, reached by an integer id that control gives out and
 * never reuses within a process (0 is no queue).
 *
 *     next      f64   next queue offset to assign          written by the writer
 *     maximum   i64   one past the last offset dispatched  written by the dispatcher
 *     minimum   i64   first offset still readable          written by the retention job
 *     arrived   f64   bytes of the records dispatched since start, and how many of each size
 *                                                          written by the dispatcher
 *     interest  i32   bit n: participant n waits for messages in the queue (set there, cleared by the dispatcher)
 *
 * One region, reserved for MAX_QUEUES and touched only where queues are, instead of growing arrays: every thread
 * attaches it once. `next` needs no Atomics: after start only the writer looks at it.
 */
import { MAX_QUEUES } from '../../lib/limits.ts';
import { addon } from '../../native/addon.ts';

/** RocketMQ's upper bounds of sizes by which records are counted, bytes; one more count has what is above. */
export const RECORD_SIZE_BOUNDS: readonly number[] = [1, 4, 512, 1024, 2048, 4096].map((kib) => kib * 1024);
/** Bytes, and the counts: together they fill a cache line. */
const ARRIVED_CELLS = 1 + RECORD_SIZE_BOUNDS.length + 1;

/** next, maximum, minimum, arrived, interest */
export const SLOT_BYTES = 8 + 8 + 8 + 8 * ARRIVED_CELLS + 4;
export const DIRECTORY_BYTES = MAX_QUEUES * SLOT_BYTES;

/** Reserves the region of a directory; the id may be posted to workers. */
export function createQueueDirectory(): number {
  const region = addon.allocateRegion(DIRECTORY_BYTES);
  if (region < 0) throw new Error(`cannot reserve the queue directory (errno ${-region})`);
  return region;
}

export class QueueDirectory {
  readonly #next: Float64Array;
  readonly #maximum: BigInt64Array;
  readonly #minimum: BigInt64Array;
  readonly #arrived: Float64Array;
  readonly #interest: Int32Array;

  constructor(buffer: ArrayBuffer) {
    const queues = buffer.byteLength / SLOT_BYTES;
    this.#next = new Float64Array(buffer, 0, queues);
    this.#maximum = new BigInt64Array(buffer, queues * 8, queues);
    this.#minimum = new BigInt64Array(buffer, queues * 16, queues);
    this.#arrived = new Float64Array(buffer, queues * 24, queues * ARRIVED_CELLS);
    this.#interest = new Int32Array(buffer, queues * (24 + 8 * ARRIVED_CELLS), queues);
  }

  static attach(region: number): QueueDirectory {
    return new QueueDirectory(addon.attach(region));
  }

  /** Of memory that only this thread sees, for ids below `queues`. */
  static plain(queues = MAX_QUEUES): QueueDirectory {
    return new QueueDirectory(new ArrayBuffer(queues * SLOT_BYTES));
  }

  next(queue: number): number {
    return this.#next[queue] as number;
  }

  setNext(queue: number, offset: number): void {
    this.#next[queue] = offset;
  }

  maximum(queue: number): number {
    return Number(Atomics.load(this.#maximum, queue));
  }

  setMaximum(queue: number, offset: number): void {
    Atomics.store(this.#maximum, queue, BigInt(offset));
  }

  minimum(queue: number): number {
    return Number(Atomics.load(this.#minimum, queue));
  }

  setMinimum(queue: number, offset: number): void {
    Atomics.store(this.#minimum, queue, BigInt(offset));
  }

  /** Of the records that were dispatched since start; what a reader sees may be a moment old. */
  bytes(queue: number): number {
    return this.#arrived[queue * ARRIVED_CELLS] as number;
  }

  /** Adds to `counts` how many records of each size were dispatched since start. */
  addCountsTo(counts: number[], queue: number): void {
    const first = queue * ARRIVED_CELLS + 1;
    for (let i = 0; i < counts.length; i++)
      counts[i] = (counts[i] as number) + (this.#arrived[first + i] as number);
  }

  /** A record of that size is dispatched. */
  addRecord(queue: number, size: number): void {
    const at = queue * ARRIVED_CELLS;
    let bucket = 0;
    while (bucket < RECORD_SIZE_BOUNDS.length && size > (RECORD_SIZE_BOUNDS[bucket] as number)) bucket++;
    this.#arrived[at] = (this.#arrived[at] as number) + size;
    this.#arrived[at + 1 + bucket] = (this.#arrived[at + 1 + bucket] as number) + 1;
  }

  /** Participant `number` wants to hear of the queue's next message. */
  addInterest(queue: number, number: number): void {
    Atomics.or(this.#interest, queue, 1 << number);
  }

  /** Bits of the participants that want to hear, cleared by the call; 0 is the common case and costs one load. */
  takeInterest(queue: number): number {
    if (Atomics.load(this.#interest, queue) === 0) return 0;
    return Atomics.exchange(this.#interest, queue, 0);
  }
}
