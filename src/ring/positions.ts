/**
 * Positions that threads publish for each other: one 64-bit slot each, on a cache line of its own, written by one
 * thread with Atomics and read by any. An acknowledgement may rest on a position, so it is never read in two halves.
 */
const SLOT_STRIDE = 8; // 8 × 8 bytes = one cache line

/** End of what the writer has appended to the CommitLog. Written by the writer. */
export const APPENDED = 0;
/** Everything before it survives a power cut. Written by the flusher. */
export const FLUSHED = 1;
/** End of what has been entered in ConsumeQueues and index. Written by the dispatcher. */
export const DISPATCHED = 2;
/** Start of the last record dispatched. Written by the dispatcher. */
export const DISPATCHED_RECORD = 3;
/** Store timestamp (ms) of that record. Written by the dispatcher. */
export const DISPATCHED_TIME = 4;
/** Store timestamp (ms) of the last record appended. Written by the writer. */
export const APPENDED_TIME = 5;
/** Store timestamp (ms) of a record known to be durable. Written by the flusher. */
export const FLUSHED_TIME = 6;
/** First position that still exists. Written by control (retention). */
export const LOG_START = 7;
/**
 * Non-zero: one of the reasons below; nothing may be acknowledged any more. Written by whoever finds the trouble, after
 * HALT_ERRNO.
 */
export const HALTED = 8;
/** Set by control: 1 = agents finish their work and end. */
export const STOPPING = 9;
/** Messages appended since start. Written by the writer. */
export const MESSAGES_APPENDED = 10;
/** errno of the failed write or sync that halted the store; 0 = it was something else. */
export const HALT_ERRNO = 11;
/**
 * Store timestamp (ms) of the last record in an index file that is full, and durable after the next sync of range
 * files; 0 before. Written by the dispatcher.
 */
export const INDEX_COMPLETED_TIME = 12;

/** Counts reads far behind the tail; a hint that any reader raises. */
export const BACKLOG_READS = 13;

/** Reason and errno of the first halt in one word; HALTED and HALT_ERRNO follow from it. */
const HALT_CAUSE = 14;

/** End of what as many slaves have as a SYNC_MASTER waits for. Written by replication. */
export const REPLICATED = 15;
/**
 * Whether enough slaves are there, and near enough to the end, to be waited for: one of the values below. Written by
 * replication, and by control while that does not run.
 */
export const SLAVES_STATE = 16;

export const SLAVES_ENOUGH = 0;
/** Fewer than a message needs: it is stored, and its producer told at once. */
export const SLAVES_LACKING = 1;
/** So few that no message is taken whose producer waits for copies. */
export const SLAVES_TOO_FEW = 2;
/** None is there, and none is needed then. */
export const SLAVES_UNNEEDED = 3;

/** Bits of a queue's interest, and so participants, at most. */
export const MAX_PARTICIPANTS = 32;
/**
 * From here on a slot per participant: end of the last message that it wants to hear durable; 0 = none yet. Written by
 * those for whom not every sync is news.
 */
export const AWAITED = 17;

const SLOTS = AWAITED + MAX_PARTICIPANTS;
const ERRNO_BITS = 16n;
/** Which 32-bit half of a slot is the low one on this machine. */
const LOW_HALF = new Int32Array(new BigInt64Array([1n]).buffer)[0] === 1 ? 0 : 1;

export const HALT_SYNC_FAILED = 1;
export const HALT_WRITE_FAILED = 2;
export const HALT_DISPATCH_FAILED = 3;
export const HALT_THREAD_DIED = 4;
export const HALT_LOG_UNREADABLE = 5;

export class Positions {
  readonly buffer: SharedArrayBuffer;
  readonly #slots: BigInt64Array;
  /** The low halves: enough to see that something has changed, and no BigInt is made for a look. */
  readonly #low: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(SLOTS * SLOT_STRIDE * 8)) {
    this.buffer = buffer;
    this.#slots = new BigInt64Array(buffer);
    this.#low = new Int32Array(buffer);
  }

  get(slot: number): number {
    return Number(Atomics.load(this.#slots, slot * SLOT_STRIDE));
  }

  set(slot: number, value: number): void {
    Atomics.store(this.#slots, slot * SLOT_STRIDE, BigInt(value));
  }

  /**
   * Stops all acknowledging; the first reason stays. Who sees HALTED sees the errno that belongs to it, and it is set
   * when the call returns, whoever was first.
   */
  halt(reason: number, errno: number): void {
    const at = HALT_CAUSE * SLOT_STRIDE;
    Atomics.compareExchange(this.#slots, at, 0n, (BigInt(reason) << ERRNO_BITS) | BigInt(errno));
    const cause = Atomics.load(this.#slots, at);
    this.set(HALT_ERRNO, Number(BigInt.asUintN(Number(ERRNO_BITS), cause)));
    this.set(HALTED, Number(cause >> ERRNO_BITS));
  }

  /** Adds one to a slot that several threads raise. */
  raise(slot: number): void {
    Atomics.add(this.#slots, slot * SLOT_STRIDE, 1n);
  }

  /** Whether the slot holds another value than `value`; cheaper than `get`, for threads that look often. */
  differs(slot: number, value: number): boolean {
    return Atomics.load(this.#low, slot * SLOT_STRIDE * 2 + LOW_HALF) !== (value | 0);
  }

  get halted(): boolean {
    return this.differs(HALTED, 0);
  }

  get stopping(): boolean {
    return this.differs(STOPPING, 0);
  }
}

/** The named positions, up to AWAITED, in the order of their slots: for whoever follows a message. */
export function allPositions(positions: Positions): number[] {
  return Array.from({ length: AWAITED }, (_, slot) => positions.get(slot));
}

/** Their names, in the same order. */
export const POSITION_NAMES: readonly string[] = [
  'APPENDED',
  'FLUSHED',
  'DISPATCHED',
  'DISPATCHED_RECORD',
  'DISPATCHED_TIME',
  'APPENDED_TIME',
  'FLUSHED_TIME',
  'LOG_START',
  'HALTED',
  'STOPPING',
  'MESSAGES_APPENDED',
  'HALT_ERRNO',
  'INDEX_COMPLETED_TIME',
  'BACKLOG_READS',
  'HALT_CAUSE',
  'REPLICATED',
  'SLAVES_STATE',
];
