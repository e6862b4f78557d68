/**
 * What is open after a start: the half queue from where it was when the broker ended, less what the op queue names; and
 * what was given up and may still be ended. Whatever is open then is read, to know which is whose copy. A few messages
 * a turn, for there may be a million.
 */
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { Patience, READ_AGAIN_MS } from '../patience.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import { firstOpToRead } from './given-up.ts';
import { firstOffsetOf, givenUpIn, highestOf, ONLY_QUEUE, offsetsIn } from './half-message.ts';
import { learn } from './learn.ts';
import type { OpLog } from './op-log.ts';
import { OPEN, type OpenHalves } from './open-halves.ts';

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
  /** First op message that is needed for what is open; those before say what was given up. */
  readonly #neededOp: number;
  #nextOp: number;
  #endOp = 0;
  #endHalf = 0;
  /** First half messages of what was given up, until they have been read. */
  #givenUp: number[] = [];
  /** What is open is read from the end on. */
  #nextOpen = 0;
  /** A bit for each half message from the first on. */
  #ended = new Uint8Array(0);
  readonly #patience: Patience;
  /** One wait of half a minute is enough for all that cannot be read. */
  #isOutOfPatience = false;
  #stopped = false;

  /** `done` is called when all that was open is known. */
  constructor(parts: RecoveryParts, op: number, done: () => void) {
    this.#parts = parts;
    this.#done = done;
    this.#patience = new Patience(parts.context.clock);
    this.#neededOp = op;
    this.#nextOp = op;
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
    this.#findOps();
  }

  #findOps(): void {
    try {
      this.#nextOp = firstOpToRead(this.#parts.context.store, this.#neededOp);
      this.#patience.worked();
    } catch (error) {
      if (!this.#cannotRead(OP_HALF_TOPIC, this.#nextOp, error as Error)) {
        this.#step(() => this.#findOps(), READ_AGAIN_MS);
        return;
      }
    }
    this.#readOps();
  }

  #readOps(): void {
    const { context } = this.#parts;
    const count = Math.min(BATCH, this.#endOp - this.#nextOp);
    if (count <= 0) {
      this.#step(() => this.#addHalves());
      return;
    }
    try {
      const entries = context.store.readQueue(OP_HALF_TOPIC, ONLY_QUEUE, this.#nextOp, count);
      for (const { queueOffset, physicalOffset } of entries) this.#readOp(queueOffset, physicalOffset);
      if (entries.length === 0) this.#nextOp = this.#endOp;
      this.#patience.worked();
      this.#step(() => this.#readOps());
    } catch (error) {
      const isPassedOver = this.#cannotRead(OP_HALF_TOPIC, this.#nextOp, error as Error);
      if (isPassedOver) this.#nextOp += 1;
      this.#step(() => this.#readOps(), isPassedOver ? 0 : READ_AGAIN_MS);
    }
  }

  #readOp(queueOffset: number, physicalOffset: number): void {
    const { copies, ops } = this.#parts;
    const message = this.#messageAt(physicalOffset);
    const known = (offset: number) => offset < this.#endHalf;
    const offsets = message === undefined ? [] : offsetsIn(message).filter(known);
    for (const offset of offsets) {
      this.#mark(offset);
      // Named once more: it was ended after all.
      copies.endLate(offset);
    }
    const givenUp = message === undefined ? [] : givenUpIn(message).filter(known);
    for (const first of givenUp) copies.giveUp(first, queueOffset);
    if (queueOffset >= this.#neededOp) ops.progress.note(queueOffset, highestOf(offsets));
    this.#nextOp = queueOffset + 1;
  }

  #messageAt(position: number): StoredMessage | undefined {
    const record = this.#parts.context.store.recordAt(position);
    return record === undefined ? undefined : decodeRecord(record);
  }

  /** True when it is passed over. */
  #cannotRead(topic: string, offset: number, { message }: Error): boolean {
    this.#isOutOfPatience ||= this.#patience.failed();
    const isPassedOver = this.#isOutOfPatience;
    const what = isPassedOver
      ? 'a message of transactions cannot be read, and is passed over'
      : 'transactions wait until their queues can be read';
    this.#parts.context.log.error({ topic, offset, reason: message }, what);
    return isPassedOver;
  }

  #mark(offset: number): void {
    const bit = offset - this.#parts.halves.first;
    if (bit >= 0) this.#ended[bit >> 3] = (this.#ended[bit >> 3] as number) | (1 << (bit & 7));
  }

  #addHalves(base = this.#parts.halves.first): void {
    const { context, halves } = this.#parts;
    const from = halves.end;
    const count = Math.min(BATCH * 16, this.#endHalf - from);
    if (count <= 0) {
      this.#ended = new Uint8Array(0);
      this.#nextOpen = halves.end - 1;
      this.#givenUp = this.#parts.copies.givenUp();
      this.#step(() => this.#readGivenUp());
      return;
    }
    try {
      const due = context.clock.monotonic() + context.settings().transactionTimeOut;
      const entries = context.store.readQueue(HALF_TOPIC, ONLY_QUEUE, from, count);
      for (const { queueOffset, physicalOffset } of entries) {
        halves.skipTo(queueOffset);
        halves.add(physicalOffset, due, this.#hasEnded(queueOffset - base));
      }
      if (entries.length === 0) this.#endHalf = from;
      this.#patience.worked();
      this.#step(() => this.#addHalves(base));
    } catch (error) {
      const isPassedOver = this.#cannotRead(HALF_TOPIC, from, error as Error);
      if (isPassedOver) halves.skipTo(from + 1);
      this.#step(() => this.#addHalves(base), isPassedOver ? 0 : READ_AGAIN_MS);
    }
  }

  #hasEnded(bit: number): boolean {
    return ((this.#ended[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
  }

  /** Their producers may name a half message that another broker has copied. */
  #readGivenUp(): void {
    for (let read = 0; read < BATCH; read++) {
      const first = this.#givenUp.pop();
      if (first === undefined) break;
      if (this.#may(first, () => this.#meetForeign(first))) continue;
      this.#givenUp.push(first);
      this.#step(() => this.#readGivenUp(), READ_AGAIN_MS);
      return;
    }
    this.#step(this.#givenUp.length > 0 ? () => this.#readGivenUp() : () => this.#readOpen());
  }

  /** Notes the first half message of a transaction if it is the copy of another broker. */
  #meetForeign(first: number): void {
    const { context, copies } = this.#parts;
    const [entry] = context.store.readQueue(HALF_TOPIC, ONLY_QUEUE, first, 1);
    const half = entry?.queueOffset === first ? this.#messageAt(entry.physicalOffset) : undefined;
    if (half !== undefined) copies.foreign.meet(half);
  }

  #readOpen(): void {
    const { halves } = this.#parts;
    let read = 0;
    for (let looked = 0; this.#nextOpen >= halves.first && looked < BATCH * 64 && read < BATCH; looked++) {
      const isOpen = halves.state(this.#nextOpen) === OPEN;
      if (isOpen && !this.#know(this.#nextOpen)) {
        this.#step(() => this.#readOpen(), READ_AGAIN_MS);
        return;
      }
      if (isOpen) read += 1;
      this.#nextOpen -= 1;
    }
    this.#step(this.#nextOpen >= halves.first ? () => this.#readOpen() : this.#done);
  }

  /** False while it cannot be read: an end that names the one before would find nothing open. */
  #know(offset: number): boolean {
    return this.#may(offset, () => {
      const half = this.#messageAt(this.#parts.halves.position(offset));
      if (half === undefined) return;
      learn(this.#parts, offset, half);
      const first = firstOffsetOf(half);
      if (first !== offset) this.#meetForeign(first);
    });
  }

  /** False when the half message cannot be read, and is to be tried again. */
  #may(offset: number, read: () => void): boolean {
    try {
      read();
      this.#patience.worked();
      return true;
    } catch (error) {
      return this.#cannotRead(HALF_TOPIC, offset, error as Error);
    }
  }
}
