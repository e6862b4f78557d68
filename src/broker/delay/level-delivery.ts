/**
 * Delivers one delay level: walks its queue of the schedule topic in order, puts what is due, and remembers how far
 * everything has arrived. Many puts are under way at a time; they are issued in order, and the remembered offset
 * passes an entry only when all before it are stored. So a restart delivers some again, and loses none.
 *
 * States: waiting (a timer is set for the head entry, or a slow one when the queue is empty), full (no timer; a
 * finished put goes on), failed (nothing new is issued; failed puts are repeated with growing pauses).
 */

import type { Clock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Timers } from '../../lib/timers.ts';
import type { AppendTimes } from '../../metadata/append-times.ts';
import type { DelayOffsets } from '../../metadata/delay-offsets.ts';
import type { DelayTimes } from '../../metadata/delay-times.ts';
import type { BrokerSettings } from '../../metadata/settings.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import type { QueueEntry, StoreReads } from '../../store/read/store-reads.ts';
import type { PutMessage } from '../put/put-message.ts';
import { deliveryOf } from './delivery.ts';
import { type DelayLevels, queueOfLevel } from './levels.ts';

export interface DeliveryContext {
  settings: BrokerSettings;
  clock: Clock;
  timers: Timers;
  log: ControlLog;
  store: StoreReads;
  put: PutMessage;
  offsets: DelayOffsets;
  times: DelayTimes;
  levels: DelayLevels;
}

/** Wake-ups fall on multiples of this, so that messages due close together are delivered together. */
const GRANULARITY_MS = 100;
/** Longest sleep before a known entry: a step of the machine's clock has to be noticed before the next entry comes. */
const LONGEST_SLEEP_MS = 1_000;
/** An empty queue is looked at this often even if nobody pokes. */
const IDLE_SLEEP_MS = 5_000;
/** How many entries one turn of the event loop handles before others get theirs. */
const BATCH = 64;
const RETRY_STEP_MS = 100;
const RETRY_LONGEST_MS = 60_000;
/** With growing pauses between them: half a minute. */
const READ_ATTEMPTS = 25;

const STORED: ReadonlySet<number> = new Set([
  ResponseCode.SUCCESS,
  ResponseCode.FLUSH_DISK_TIMEOUT,
  ResponseCode.FLUSH_SLAVE_TIMEOUT,
  ResponseCode.SLAVE_NOT_AVAILABLE,
]);

/** Trying again would not help: the message does not fit, or its topic is gone. */
const HOPELESS: ReadonlySet<number> = new Set([
  ResponseCode.MESSAGE_ILLEGAL,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.INVALID_PARAMETER,
]);

interface Pending {
  readonly offset: number;
  readonly physicalOffset: number;
  state: 'running' | 'done' | 'failed';
  attempts: number;
}

export class LevelDelivery {
  readonly #context: DeliveryContext;
  readonly #level: number;
  readonly #queueId: number;
  /** Next entry to look at. */
  #next: number;
  readonly #times: AppendTimes;
  /** Issued and not yet passed, by ascending offset. */
  readonly #pending: Pending[] = [];
  #cancelTimer: () => void = () => {};
  #running = false;
  /** Its queue could not be read when it was looked at last. */
  #unreadable = false;
  /** Failed puts are being repeated; afterwards the walk has to be started again. */
  #recovering = false;
  #whenIdle: (() => void) | undefined;

  constructor(context: DeliveryContext, level: number) {
    this.#context = context;
    this.#level = level;
    this.#queueId = queueOfLevel(level);
    this.#next = context.offsets.get(level);
    const end = context.store.maxOffset(SCHEDULE_TOPIC, this.#queueId);
    this.#times = context.times.open(level, context.levels.delayOf(level), end);
  }

  start(): void {
    this.#running = true;
    this.#sleep(0);
  }

  /** New entries were dispatched to the queue. */
  poke(): void {
    this.#note();
    const blocked = this.#recovering || this.#pending.length >= this.#limit;
    if (this.#running && !blocked) this.#sleep(0);
  }

  /** Issues nothing more; resolves when the puts under way have ended. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer();
    if (this.#pending.some((pending) => pending.state === 'running')) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
  }

  get #limit(): number {
    return this.#context.settings.scheduleAsyncDeliverMaxPendingLimit;
  }

  #sleep(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#context.timers.after(ms, () => this.#run());
  }

  /** Notes when the entries came that are new: before anything else, or they would seem to have come later. */
  #note(): void {
    const end = this.#context.store.maxOffset(SCHEDULE_TOPIC, this.#queueId);
    if (end > this.#times.end) this.#context.times.touch();
    this.#times.note(end);
  }

  #run(): void {
    if (!this.#running) return;
    this.#note();
    const failed = this.#pending.filter((pending) => pending.state === 'failed');
    if (failed.length > 0) {
      for (const pending of failed) this.#issue(pending);
      return;
    }
    if (this.#pending.length >= this.#limit) return;
    const entries = this.#read();
    if (entries === undefined) {
      this.#sleep(IDLE_SLEEP_MS);
      return;
    }
    if (entries.length === 0) {
      this.#stayWithinQueue();
      this.#sleep(IDLE_SLEEP_MS);
      return;
    }
    for (const entry of entries) {
      const wait = this.#msUntilDue(entry);
      if (wait > 0) {
        this.#advance();
        this.#sleep(wait);
        return;
      }
      this.#next = entry.queueOffset + 1;
      this.#deliver(entry);
    }
    this.#advance();
    this.#sleep(0);
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
    const { store, log, offsets } = this.#context;
    const min = store.minOffset(SCHEDULE_TOPIC, this.#queueId);
    const max = store.maxOffset(SCHEDULE_TOPIC, this.#queueId);
    const within = Math.min(Math.max(this.#next, min), max);
    if (within === this.#next || this.#pending.length > 0) return;
    const fields = { delayLevel: this.#level, offset: this.#next, corrected: within };
    log.warn(fields, 'delay offset was outside of its queue');
    this.#next = within;
    offsets.set(this.#level, within);
  }

  /** By the monotonic clock, so that no step of the machine's clock makes a message early or late. */
  #msUntilDue(entry: QueueEntry): number {
    const now = this.#context.clock.monotonic();
    const due = this.#times.dueAt(entry.queueOffset, Number(entry.tagsCode));
    if (due <= now) return 0;
    const rounded = Math.ceil(due / GRANULARITY_MS) * GRANULARITY_MS;
    return Math.min(rounded - now, LONGEST_SLEEP_MS);
  }

  #deliver(entry: QueueEntry): void {
    const pending: Pending = {
      offset: entry.queueOffset,
      physicalOffset: entry.physicalOffset,
      state: 'running',
      attempts: 0,
    };
    this.#pending.push(pending);
    this.#issue(pending);
  }

  #issue(pending: Pending): void {
    const { store, put, log } = this.#context;
    pending.attempts += 1;
    let record: Uint8Array | undefined;
    try {
      record = store.recordAt(pending.physicalOffset);
    } catch (error) {
      this.#readFailed(pending, error as Error);
      return;
    }
    const message = record === undefined ? 'the record is gone' : deliveryOf(record);
    if (typeof message === 'string') {
      const fields = { delayLevel: this.#level, offset: pending.offset, reason: message };
      log.error(fields, 'delayed message dropped');
      pending.state = 'done';
      this.#afterPut();
      return;
    }
    pending.state = 'running';
    put(message).then(
      (result) => this.#settle(pending, result.status, result.remark),
      (error) => this.#settle(pending, ResponseCode.SYSTEM_ERROR, String(error)),
    );
  }

  /** The device may work again in a while; the messages behind this one do not wait for ever. */
  #readFailed(pending: Pending, error: Error): void {
    const hopeless = pending.attempts >= READ_ATTEMPTS;
    this.#settle(pending, hopeless ? ResponseCode.MESSAGE_ILLEGAL : ResponseCode.SYSTEM_ERROR, error.message);
  }

  #settle(pending: Pending, status: number, remark: string | undefined): void {
    const { log } = this.#context;
    const reason = remark ?? responseName(status);
    const fields = { delayLevel: this.#level, offset: pending.offset, reason };
    if (STORED.has(status)) pending.state = 'done';
    else if (HOPELESS.has(status)) {
      const isGone = status === ResponseCode.TOPIC_NOT_EXIST;
      if (isGone) log.info(fields, 'delayed message dropped: its topic was deleted meanwhile');
      else log.error(fields, 'delayed message dropped');
      pending.state = 'done';
    } else {
      log.warn(fields, 'delayed message could not be put, will be tried again');
      pending.state = 'failed';
    }
    this.#afterPut();
  }

  #afterPut(): void {
    const wasFull = this.#pending.length >= this.#limit;
    this.#advance();
    if (!this.#pending.some((pending) => pending.state === 'running')) this.#whenIdle?.();
    if (!this.#running) return;
    const failed = this.#pending.find((pending) => pending.state === 'failed');
    if (failed !== undefined) {
      this.#recovering = true;
      this.#sleep(Math.min(failed.attempts * RETRY_STEP_MS, RETRY_LONGEST_MS));
    } else if (wasFull || this.#recovering) {
      this.#recovering = false;
      this.#sleep(0);
    }
  }

  /** Passes what is done at the head and remembers the offset of the first entry that is not. */
  #advance(): void {
    const firstOpen = this.#pending.findIndex((pending) => pending.state !== 'done');
    this.#pending.splice(0, firstOpen < 0 ? this.#pending.length : firstOpen);
    this.#context.offsets.set(this.#level, this.#pending[0]?.offset ?? this.#next);
  }
}
