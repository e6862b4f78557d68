/**
 * Follows the queue of the timer topic and puts its entries into the wheel, in order: what is due at once goes the same
 * way, so that the wheel alone says what waits. A record that can never be put there is stepped over with a line.
 */

import { javaHashCode } from '../../lib/java-hash.ts';
import type { ControlLog } from '../../lib/log.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import type { AppendTimes } from '../../metadata/append-times.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import type { QueueEntry, StoreReads } from '../../store/read/store-reads.ts';
import { READ_ATTEMPTS, RETRY_STEP_MS } from '../due-puts.ts';
import { type TimedRecord, timedRecordOf } from './timed-record.ts';
import type { TimerCheck } from './timer-check.ts';
import { NONE } from './timer-layout.ts';
import { rollSlot, type TimerStore, type Waiting } from './timer-store.ts';

/** Entries of one turn. */
const BATCH = 128;
/** RocketMQ's slots are no longer than this; those of what came before the precision was set may be so long. */
const LONGEST_SLOT_MS = 1_000;
/** A full disk is looked at again after this. */
const BLOCKED_MS = 200;

export interface EnqueueParts {
  timers: TimerStore;
  store: Pick<StoreReads, 'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt'>;
  log: ControlLog;
  /** When the entries came. */
  times: AppendTimes;
  /** An entry was put into a slot. */
  added: (slot: number, timed: TimedRecord, message: StoredMessage) => void;
}

/** Entries before an offset were in the wheel already: those of slots before this one have been delivered. */
export interface Delivered {
  offset: number;
  slot: number;
  /** Whether it is known what was not in the slot that its record leads to; RocketMQ does not tell. */
  knowsLate: boolean;
}

/** What a wheel that is made anew must not deliver again. */
export function deliveredBy(check: TimerCheck | undefined, precisionMs: number): Delivered {
  if (check === undefined) return { offset: 0, slot: 0, knowsLate: false };
  const { first = NONE } = check.late ?? {};
  const over = Math.floor(check.readTimeMs / precisionMs);
  return {
    offset: check.queueOffset,
    slot: first === NONE ? over : Math.min(over, first),
    knowsLate: check.late !== undefined,
  };
}

/** The slot that a record leads to, when it comes into the wheel as soon as it is stored. */
export function slotOfRecord(
  { outMs }: TimedRecord,
  { storeTimestamp }: StoredMessage,
  { clock, rollWindow }: TimerStore,
): number {
  const slot = Math.floor(outMs / clock.precisionMs);
  const stored = Math.floor(storeTimestamp / clock.precisionMs);
  return slot - stored >= rollWindow ? rollSlot(stored, slot, rollWindow) : slot;
}

export class TimerEnqueue {
  readonly #parts: EnqueueParts;
  readonly #delivered: Delivered;
  /** Offset of the next entry. */
  next: number;
  #attempts = 0;
  #blocked = false;

  constructor(parts: EnqueueParts, next: number, delivered: Delivered) {
    this.#parts = parts;
    this.next = next;
    this.#delivered = delivered;
  }

  get #end(): number {
    return this.#parts.store.maxOffset(TIMER_TOPIC, 0);
  }

  /** Whether nothing but time keeps it from going on. */
  get canRun(): boolean {
    return !this.#blocked && this.#attempts === 0;
  }

  /** One batch. ms after which to go on; infinite when there is nothing more. */
  run(): number {
    const { store, timers } = this.#parts;
    this.#stayWithinQueue();
    const end = this.#end;
    if (this.next >= end) return timers.commit() ? Number.POSITIVE_INFINITY : this.#tellBlocked();
    let entries: QueueEntry[];
    try {
      entries = store.readQueue(TIMER_TOPIC, 0, this.next, BATCH);
    } catch (error) {
      return this.#unreadable(error as Error);
    }
    const pause = this.#put(entries);
    if (!timers.commit()) return this.#tellBlocked();
    if (pause > 0) return pause;
    return this.next < end ? 0 : Number.POSITIVE_INFINITY;
  }

  #put(entries: readonly QueueEntry[]): number {
    for (const entry of entries) {
      let record: Uint8Array | undefined;
      try {
        record = this.#parts.store.recordAt(entry.physicalOffset);
      } catch (error) {
        const pause = this.#unreadable(error as Error);
        if (pause > 0) return pause;
        continue;
      }
      if (!this.#take(entry, record)) return this.#tellBlocked();
      this.#blocked = false;
      this.#attempts = 0;
      this.next = entry.queueOffset + 1;
    }
    return 0;
  }

  /** False when there is no room for the entry now. */
  #take(entry: QueueEntry, record: Uint8Array | undefined): boolean {
    const message = record === undefined ? undefined : decodeRecord(record);
    const timed = message === undefined ? 'there is no record' : timedRecordOf(message);
    if (message === undefined || typeof timed === 'string') {
      this.#parts.log.error(
        { offset: entry.queueOffset, reason: timed },
        `an entry of ${TIMER_TOPIC} is stepped over: it can never be put into the timing wheel`,
      );
      return true;
    }
    const belongsIn = slotOfRecord(timed, message, this.#parts.timers);
    if (this.#wasDelivered(entry, timed, belongsIn)) return true;
    const slot = this.#parts.timers.put(this.#waiting(entry, timed, message, belongsIn));
    if (slot === NONE) return false;
    this.#parts.added(slot, timed, message);
    return true;
  }

  #waiting(entry: QueueEntry, timed: TimedRecord, message: StoredMessage, belongsIn: number): Waiting {
    const { clock } = this.#parts.timers;
    const { precisionMs } = clock;
    const due = this.#dueOf(entry, timed, message);
    const waiting: Waiting = {
      physical: entry.physicalOffset,
      recordSize: entry.size,
      topicHash: javaHashCode(timed.realTopic),
      due,
      elapsed: timed.span,
      recalls: timed.recalls,
      belongsIn,
    };
    const slot = Math.floor(timed.outMs / precisionMs);
    const ms = clock.machineTime(due, timed.span);
    if (ms > slot * precisionMs && ms <= (slot + 2) * precisionMs) waiting.slot = slot;
    return waiting;
  }

  /** By its own clock. */
  #dueOf(entry: QueueEntry, timed: TimedRecord, message: StoredMessage): number {
    const { clock } = this.#parts.timers;
    const { outMs, deliverMs, delayMs, span, elapsedMs } = timed;
    if (timed.recalls) return outMs + 1;
    const latest = outMs + clock.precisionMs;
    if (!span) return deliverMs > outMs ? deliverMs : latest;
    if (delayMs === 0) return elapsedMs || Math.ceil(clock.elapsedAt(latest));
    // The store time may be ahead of the clock; the slot was reckoned from the clock alone, at any precision.
    const slotEnd = outMs + Math.max(clock.precisionMs, LONGEST_SLOT_MS);
    const byClock = Math.min(message.storeTimestamp + delayMs, slotEnd);
    const dueAt = this.#parts.times.dueAt(entry.queueOffset, byClock, delayMs);
    return Math.ceil(clock.ofMonotonic(dueAt));
  }

  /** A wheel that is made anew gets only what still waits; a copy of what was rolled stands further on in the queue. */
  #wasDelivered({ queueOffset }: QueueEntry, { outMs }: TimedRecord, belongsIn: number): boolean {
    const { offset, slot, knowsLate } = this.#delivered;
    if (queueOffset >= offset) return false;
    return (knowsLate ? belongsIn : Math.floor(outMs / this.#parts.timers.clock.precisionMs)) < slot;
  }

  #unreadable(error: Error): number {
    this.#attempts += 1;
    const { log } = this.#parts;
    const fields = { offset: this.next, reason: error.message };
    if (this.#attempts < READ_ATTEMPTS) {
      if (this.#attempts === 1) log.warn(fields, 'timers wait until an entry of their queue can be read');
      return this.#attempts * RETRY_STEP_MS;
    }
    log.error(fields, `an entry of ${TIMER_TOPIC} is stepped over: it cannot be read`);
    this.#attempts = 0;
    this.next += 1;
    return 0;
  }

  #tellBlocked(): number {
    const { timers, log } = this.#parts;
    if (!this.#blocked && timers.errno !== 0) {
      log.error({ errno: timers.errno }, 'timers wait: the disk takes no more of the timing wheel');
    }
    this.#blocked = true;
    return BLOCKED_MS;
  }

  /** Entries that the store has deleted, or never had (an older queue was restored), are stepped over. */
  #stayWithinQueue(): void {
    const { store, log } = this.#parts;
    const within = Math.min(Math.max(this.next, store.minOffset(TIMER_TOPIC, 0)), this.#end);
    if (within === this.next) return;
    log.warn({ offset: this.next, corrected: within }, 'the offset of timers was outside of their queue');
    this.next = within;
  }
}
