/**
 * Delivers one delay level: walks its queue of the schedule topic in order, puts what is due, and remembers how far
 * everything has arrived. Many puts are under way at a time; they are issued in order, and the remembered offset
 * passes an entry only when all before it are stored. So a restart delivers some again, and loses none.
 *
 * States: waiting (a timer is set for the head entry, or a slow one when the queue is empty), full (no timer; a
 * finished put goes on), failed (nothing new is issued; failed puts are repeated with growing pauses).
 */

import type { Clock } from '../../lib/clock.ts';
import { Fifo } from '../../lib/fifo.ts';
import type { ControlLog } from '../../lib/log.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Timers } from '../../lib/timers.ts';
import type { AppendTimes } from '../../metadata/append-times.ts';
import type { BeginPut } from '../../store/put/put-message.ts';
import type { QueueEntry, StoreReads } from '../../store/read/store-reads.ts';
import { deliveryOf } from '../due-message.ts';
import { type DuePut, DuePuts, readAttemptsOf } from '../due-puts.ts';
import type { DelayProgress } from './delay-progress.ts';
import { type DelayLevels, queueOfLevel } from './levels.ts';

export interface DeliveryContext {
  /** Deliveries of one level that may be under way. */
  maxPending: () => number;
  clock: Clock;
  timers: Timers;
  log: ControlLog;
  store: Pick<StoreReads, 'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt'>;
  put: BeginPut;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  /** This broker is a slave, and acts for its master. */
  acts?: boolean;
  progress: DelayProgress;
  /** Where the level's queue ended when the broker started. Progress and times from before know nothing behind it. */
  endAtStart: (level: number) => number;
  levels: DelayLevels;
}

/** Wake-ups fall on multiples of this, so that messages due close together are delivered together. */
const GRANULARITY_MS = 100;
/** Longest sleep before a known entry: a step of the machine's clock has to be noticed before the next entry comes. */
const LONGEST_SLEEP_MS = 1_000;
/** An empty queue is looked at this often even if nobody pokes. */
const IDLE_SLEEP_MS = 5_000;
/** All levels share the ring to the writer: who finds it full looks again after this. */
const BUSY_SLEEP_MS = 2;
/** How many entries one turn handles before others get theirs. */
const BATCH = 64;

interface Pending extends DuePut {
  readonly offset: number;
  done: boolean;
}

export class LevelDelivery {
  readonly #context: DeliveryContext;
  readonly #level: number;
  readonly #queueId: number;
  /** Next entry to look at. */
  #next: number;
  readonly #times: AppendTimes;
  /** Issued and not yet passed, by ascending offset. */
  readonly #pending = new Fifo<Pending>();
  readonly #puts: DuePuts<Pending>;
  #cancelTimer: () => void = () => {};
  #running = false;
  /** Its queue could not be read when it was looked at last. */
  #unreadable = false;
  /** Failed puts are being repeated; afterwards the walk has to be started again. */
  #recovering = false;

  constructor(context: DeliveryContext, level: number) {
    this.#context = context;
    this.#level = level;
    this.#queueId = queueOfLevel(level);
    this.#next = context.progress.get(level);
    this.#puts = new DuePuts<Pending>({
      log: context.log,
      store: context.store,
      put: context.put,
      busy: context.busy,
      readAttempts: readAttemptsOf(context.acts ?? false),
      what: 'delayed message',
      fieldsOf: ({ offset }) => ({ delayLevel: level, offset }),
      messageOf: deliveryOf,
      ended: (pending, done) => this.#ended(pending, done),
    });
    const end = context.endAtStart(level);
    this.#times = context.progress.open(level, context.levels.delayOf(level), end);
  }

  start(): void {
    this.#running = true;
    this.#sleep(0);
  }

  /** New entries were dispatched to the queue. */
  poke(): void {
    this.#note();
    if (this.#running && !this.#recovering && !this.#isFull) this.#sleep(0);
  }

  /** Issues nothing more; what is under way still ends. */
  stop(): void {
    this.#running = false;
    this.#cancelTimer();
  }

  /** Whether no put is under way. */
  get idle(): boolean {
    return this.#puts.underWay === 0;
  }

  get #isFull(): boolean {
    return this.#pending.size >= this.#context.maxPending();
  }

  #sleep(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#context.timers.after(ms, () => this.#run());
  }

  /** Notes when the entries came that are new: before anything else, or they would seem to have come later. */
  #note(): void {
    const end = this.#context.store.maxOffset(SCHEDULE_TOPIC, this.#queueId);
    if (end > this.#times.end) this.#context.progress.touch();
    this.#times.note(end);
  }

  #run(): void {
    if (!this.#running) return;
    this.#note();
    if (this.#puts.hasFailed) {
      if (!this.#puts.repeat()) this.#sleep(BUSY_SLEEP_MS);
      return;
    }
    if (this.#isFull) return;
    const entries = this.#read();
    if (entries === undefined || entries.length === 0) {
      if (entries !== undefined) this.#stayWithinQueue();
      this.#sleep(IDLE_SLEEP_MS);
      return;
    }
    const wait = this.#deliverDue(entries);
    this.#advance();
    // After a failure a pause is set.
    if (!this.#puts.hasFailed) this.#sleep(wait);
  }

  /** Puts the entries that are due; ms after which to go on. */
  #deliverDue(entries: readonly QueueEntry[]): number {
    for (const entry of entries) {
      if (this.#puts.hasFailed) break;
      const wait = this.#msUntilDue(entry);
      if (wait > 0) return wait;
      if (this.#context.busy()) return BUSY_SLEEP_MS;
      this.#next = entry.queueOffset + 1;
      const { queueOffset: offset, physicalOffset } = entry;
      const pending: Pending = { offset, physicalOffset, done: false, attempts: 0 };
      this.#pending.push(pending);
      this.#puts.issue(pending);
    }
    return 0;
  }

  /** The next entries; undefined, and reported once, when they cannot be read. */
  #read(): QueueEntry[] | undefined {
    const { store, log } = this.#context;
    try {
      const entries = store.readQueue(SCHEDULE_TOPIC, this.#queueId, this.#next, BATCH);
      this.#unreadable = false;
      return entries;
    } catch (error) {
      if (!this.#unreadable) {
        const reason = (error as Error).message;
        log.error({ delayLevel: this.#level, reason }, 'a delay level waits until its queue can be read');
      }
      this.#unreadable = true;
      return undefined;
    }
  }

  /** Entries that the store has deleted, or never had (an older queue was restored), are stepped over. */
  #stayWithinQueue(): void {
    const { store, log, progress } = this.#context;
    const min = store.minOffset(SCHEDULE_TOPIC, this.#queueId);
    const max = store.maxOffset(SCHEDULE_TOPIC, this.#queueId);
    const within = Math.min(Math.max(this.#next, min), max);
    if (within === this.#next || this.#pending.size > 0) return;
    const fields = { delayLevel: this.#level, offset: this.#next, corrected: within };
    log.warn(fields, 'delay offset was outside of its queue');
    this.#next = within;
    progress.set(this.#level, within);
  }

  /** By the monotonic clock, so that no step of the machine's clock makes a message early or late. */
  #msUntilDue(entry: QueueEntry): number {
    const now = this.#context.clock.monotonic();
    const due = this.#times.dueAt(entry.queueOffset, Number(entry.tagsCode));
    if (due <= now) return 0;
    const rounded = Math.ceil(due / GRANULARITY_MS) * GRANULARITY_MS;
    return Math.min(rounded - now, LONGEST_SLEEP_MS);
  }

  #ended(pending: Pending, done: boolean): void {
    const wasFull = this.#isFull;
    pending.done = done;
    this.#advance();
    if (!this.#running) return;
    if (this.#puts.hasFailed) {
      this.#recovering = true;
      this.#sleep(this.#puts.pauseMs);
    } else if (wasFull || this.#recovering) {
      this.#recovering = false;
      this.#sleep(0);
    }
  }

  /** Passes what is done at the head and remembers the offset of the first entry that is not. */
  #advance(): void {
    let first = this.#pending.peek();
    for (; first?.done; first = this.#pending.peek()) this.#pending.shift();
    this.#context.progress.set(this.#level, first?.offset ?? this.#next);
  }
}
