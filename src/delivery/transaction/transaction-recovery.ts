/**
 * What is open after a start: the half queue from where it was when the broker ended, less what the op queue names.
 * Whatever is open then is read, to know which is whose copy. A few messages a turn, for there may be a million.
 */
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import { firstOffsetOf, groupHashOf, ONLY_QUEUE, offsetsIn } from './half-message.ts';
import type { OpLog } from './op-log.ts';
import { ENDED, OPEN, type OpenHalves } from './open-halves.ts';

/** Next offsets in the half queue and in the op queue: what is before them has ended. */
export interface TransactionOffsets {
  half: number;
  op: number;
}

interface RecoveryParts {
  context: Pick<TransactionContext, 'store' | 'timers' | 'clock' | 'settings' | 'log' | 'dispatched'>;
  halves: OpenHalves;
  copies: Copies;
  ops: OpLog;
  /** Everything up to this position in the log was there when the broker started. */
  logEnd: number;
}

const BATCH = 64;
const LOOK_AGAIN_MS = 5;

export class TransactionRecovery {
  readonly #parts: RecoveryParts;
  readonly #done: () => void;
  #nextOp: number;
  #endOp = 0;
  #endHalf = 0;
  #nextOpen: number;
  /** A bit for each half message from the first on. */
  #ended = new Uint8Array(0);
  #stopped = false;

  /** `done` is called when all that was open is known. */
  constructor(parts: RecoveryParts, op: number, done: () => void) {
    this.#parts = parts;
    this.#done = done;
    this.#nextOp = op;
    this.#nextOpen = parts.halves.first;
    parts.ops.progress.startAt(op);
  }

  start(): void {
    this.#step(() => this.#begin(), 0);
  }

  stop(): void {
    this.#stopped = true;
  }

  #step(task: () => void, ms = 0): void {
    this.#parts.context.timers.after(ms, () => {
      if (!this.#stopped) task();
    });
  }

  #begin(): void {
    const { context, logEnd, halves } = this.#parts;
    if (context.dispatched() < logEnd) {
      this.#step(() => this.#begin(), LOOK_AGAIN_MS);
      return;
    }
    this.#endOp = context.store.maxOffset(OP_HALF_TOPIC, ONLY_QUEUE);
    this.#endHalf = context.store.maxOffset(HALF_TOPIC, ONLY_QUEUE);
    this.#ended = new Uint8Array(Math.ceil(Math.max(0, this.#endHalf - halves.first) / 8));
    this.#readOps();
  }

  #readOps(): void {
    const { context, ops } = this.#parts;
    const count = Math.min(BATCH, this.#endOp - this.#nextOp);
    const entries = count > 0 ? context.store.readQueue(OP_HALF_TOPIC, ONLY_QUEUE, this.#nextOp, count) : [];
    for (const { queueOffset, physicalOffset } of entries) {
      const offsets = this.#offsetsAt(physicalOffset);
      for (const offset of offsets) this.#mark(offset);
      ops.progress.note(queueOffset, Math.max(-1, ...offsets));
      this.#nextOp = queueOffset + 1;
    }
    this.#step(entries.length > 0 ? () => this.#readOps() : () => this.#addHalves());
  }

  #offsetsAt(position: number): number[] {
    const message = this.#read(position);
    return message === undefined ? [] : offsetsIn(message).filter((offset) => offset < this.#endHalf);
  }

  #mark(offset: number): void {
    const bit = offset - this.#parts.halves.first;
    if (bit >= 0) this.#ended[bit >> 3] = (this.#ended[bit >> 3] as number) | (1 << (bit & 7));
  }

  #addHalves(from = this.#parts.halves.end, base = this.#parts.halves.first): void {
    const { context, halves } = this.#parts;
    const count = Math.min(BATCH * 16, this.#endHalf - from);
    const entries = count > 0 ? context.store.readQueue(HALF_TOPIC, ONLY_QUEUE, from, count) : [];
    const due = context.clock.monotonic() + context.settings().transactionTimeOut;
    for (const { queueOffset, physicalOffset } of entries) {
      const bit = queueOffset - base;
      const hasEnded = ((this.#ended[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
      if (queueOffset === halves.end) halves.add(physicalOffset, due, hasEnded);
    }
    if (entries.length > 0) this.#step(() => this.#addHalves(halves.end, base));
    else {
      this.#ended = new Uint8Array(0);
      this.#nextOpen = halves.first;
      this.#step(() => this.#readOpen());
    }
  }

  #readOpen(): void {
    const { halves } = this.#parts;
    let read = 0;
    for (let looked = 0; this.#nextOpen < halves.end && looked < BATCH * 64 && read < BATCH; looked++) {
      if (halves.state(this.#nextOpen) === OPEN && this.#know(this.#nextOpen)) read += 1;
      this.#nextOpen += 1;
    }
    this.#step(this.#nextOpen < halves.end ? () => this.#readOpen() : this.#done);
  }

  #know(offset: number): boolean {
    const { halves, copies, ops } = this.#parts;
    const half = this.#read(halves.position(offset));
    if (half === undefined) return true;
    halves.setGroup(offset, groupHashOf(half));
    const first = firstOffsetOf(half);
    if (first === offset) return true;
    // Where the broker ended before it had written that the copy took its place.
    const before = copies.newestOf(first) ?? first;
    if (halves.state(before) !== ENDED) ops.add(before);
    copies.add(first, offset);
    return true;
  }

  #read(position: number): StoredMessage | undefined {
    const { store, log } = this.#parts.context;
    try {
      const record = store.recordAt(position);
      return record === undefined ? undefined : decodeRecord(record);
    } catch (error) {
      const reason = (error as Error).message;
      log.error({ position, reason }, 'a message of a transaction cannot be read');
      return undefined;
    }
  }
}
