/** Control's end: tells the delivery agent what it must know, and keeps what it tells of its progress in files. */

import { dirname } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ControlLog, whyFailed } from '../lib/log.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, SCHEDULE_TOPIC, SYSTEM_GROUP_PREFIX, TIMER_TOPIC } from '../lib/names.ts';
import type { DelayOffsets } from '../metadata/delay-offsets.ts';
import type { DelayTimes } from '../metadata/delay-times.ts';
import type { ChannelSender } from '../ring/channel.ts';
import type { Disk } from '../store/disk/disk.ts';
import { ensureDirectory } from '../store/disk/ensure-directory.ts';
import { storePaths } from '../store/paths.ts';
import type { StoreReads } from '../store/read/store-reads.ts';
import type { NeededRecord } from '../store/retention/retention.ts';
import { ActedTimers, keepActed, keptTimers } from './acting/acted-timers.ts';
import type { Escaped } from './acting/acting-puts.ts';
import { type DelayState, notBegun } from './delay/delay-progress.ts';
import { type DelayLevels, levelOfQueue } from './delay/levels.ts';
import {
  CHECK_TAKEN,
  DELIVERY_LIMITS,
  DELIVERY_STOPS,
  type DeliveryLimits,
  ESCAPED,
  POP_TOLD,
  PRODUCER_PRESENCE,
  type ProducerPresence,
  TIMERS_SAVED,
} from './delivery-records.ts';
import type { DeliveryReport, DeliveryShape, DueProgress } from './delivery-shape.ts';
import { FigureTotals } from './figures.ts';
import { type LiteAsk, type LiteFigures, NO_LITE_FIGURES } from './lite/lite-figures.ts';
import { PopControl, type PopTables } from './pop/pop-control.ts';
import type { PopAsk } from './pop/pop-link.ts';
import { FollowedTimers } from './timer/followed-timers.ts';
import { encodeTimerCheck } from './timer/timer-check.ts';
import { TimerCheckKeeper } from './timer/timer-check-keeper.ts';
import type { TimerOptions } from './timer/timer-files.ts';
import type { TimerState } from './timer/timer-service.ts';
import { ONLY_QUEUE } from './transaction/half-message.ts';
import type { TransactionOffsets } from './transaction/transaction-recovery.ts';
import { waitingRules } from './waiting-form.ts';

export interface DeliveryTables extends PopTables {
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
}

/** RocketMQ keeps the progress of transactions as offsets of this group. */
const TRANSACTION_GROUP = `${SYSTEM_GROUP_PREFIX}TRANS`;

export interface DeliveryOptions {
  levels: DelayLevels;
  /** Hours for which files of the log are kept, and where. */
  store: { fileReservedTime: number; directory: string };
  disk: Disk;
  log: ControlLog;
}

type Begins = Pick<DeliveryShape, 'delays' | 'transactions' | 'timers' | 'pops' | 'limits' | 'acts'>;

export class DeliveryLink {
  readonly #tables: DeliveryTables;
  readonly #options: DeliveryOptions;
  readonly #commands: ChannelSender;
  readonly #timers: TimerCheckKeeper;
  readonly #followed: FollowedTimers;
  /** Timed messages that this broker, a slave, has delivered while it acted for its master. */
  readonly acted = new ActedTimers();
  readonly #pops: PopControl;
  /** What delivery has counted by topic. */
  readonly figures = new FigureTotals();
  /** Of a slave that acts for its master: how far its timers have come since. */
  #acting: { timers: TimerState | undefined } | undefined;
  /** JSON of the limits that were told last. */
  #told = '';
  /** The last progress, which counts when the log is durable. */
  #last: DueProgress | undefined;
  #end: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(tables: DeliveryTables, options: DeliveryOptions, commands: ChannelSender) {
    this.#tables = tables;
    this.#options = options;
    this.#commands = commands;
    this.#pops = new PopControl(tables, (told) => {
      if (this.#told !== '') this.#command(POP_TOLD, JSON.stringify(told));
    });
    const { disk, store, log } = options;
    this.#followed = new FollowedTimers(disk, this.timers, log);
    this.#timers = new TimerCheckKeeper(disk, store.directory, log, (sequence) => {
      if (this.#stopped === undefined) this.#command(TIMERS_SAVED, String(sequence));
    });
  }

  get limits(): DeliveryLimits {
    const { settings } = this.#tables;
    const { transactionTimeOut, transactionCheckMax, transactionCheckInterval } = settings;
    const { transactionOpBatchInterval, transactionOpMsgMaxSize } = settings;
    const { levels, store } = this.#options;
    return {
      maxPending: settings.scheduleAsyncDeliverMaxPendingLimit,
      transactions: {
        ...{ transactionTimeOut, transactionCheckMax, transactionCheckInterval },
        ...{ transactionOpBatchInterval, transactionOpMsgMaxSize },
        fileReservedTime: store.fileReservedTime,
      },
      waiting: waitingRules(settings, levels),
      pops: this.#pops.settings,
    };
  }

  /** To be done before anybody pops; `end`: of the timer topic. */
  preparePops(end: number): Promise<void> {
    return this.#pops.prepare(end);
  }

  /** What it begins with. */
  beginWith(): Begins {
    const { delays, transactions, timers, limits } = this;
    this.#told = JSON.stringify(limits);
    return { delays, transactions, timers, limits, pops: this.#pops.start, acts: false };
  }

  /**
   * The same on a slave that begins to act for its master: timers have files of their own, that are made anew from the
   * queue and the master's checkpoint. Throws when the disk refuses.
   */
  beginActing(clock: Clock): Begins {
    const { disk, store } = this.#options;
    const directory = storePaths.actingTimers(store.directory);
    disk.remove(directory);
    ensureDirectory(disk, dirname(storePaths.timerCheck(directory)));
    const check = disk.readWhole(storePaths.timerCheck(store.directory));
    if (check !== undefined) disk.writeWhole(storePaths.timerCheck(directory), check);
    const acted = this.acted.all;
    if (acted.length > 0) keepActed(disk, directory, acted, clock);
    this.#acting = { timers: undefined };
    const begins = this.beginWith();
    const timers = { ...begins.timers, directory };
    // Of the slave's own clock.
    return { ...begins, timers, delays: { ...begins.delays, times: [] }, acts: true };
  }

  /** It has ended, after `stop`: it may begin once more. */
  endActing(): void {
    const { disk, store } = this.#options;
    if (this.#last !== undefined) this.#note(this.#last);
    this.#last = undefined;
    this.#pops.ownerHasEnded();
    this.#acting = undefined;
    this.#stopped = undefined;
    this.#told = '';
    this.#keepActed();
    disk.remove(storePaths.actingTimers(store.directory));
  }

  /** Of a slave: what it has delivered in an earlier process. */
  loadActed(): void {
    const { disk, store, log } = this.#options;
    try {
      this.acted.add(keptTimers(disk, store.directory));
      this.acted.kept();
    } catch (error) {
      log.warn(whyFailed(error), 'timed messages that this slave has delivered may come twice');
    }
  }

  /** So that this broker does not deliver them again when it is made the master, and can tell its master later. */
  #keepActed(): void {
    if (!this.acted.hasNews) return;
    const { disk, store, log } = this.#options;
    try {
      keepActed(disk, store.directory, this.acted.all, systemClock);
      this.acted.kept();
    } catch (error) {
      log.warn(whyFailed(error), 'timed messages that this slave has delivered may come twice');
    }
  }

  /** What has become of a message for another master. */
  escaped(escaped: Escaped): void {
    this.#command(ESCAPED, JSON.stringify(escaped));
  }

  get timers(): TimerOptions {
    const { timerPrecisionMs, timerRollWindowSlot, mappedFileSizeTimerLog } = this.#tables.settings;
    const { directory } = this.#options.store;
    return { directory, timerPrecisionMs, timerRollWindowSlot, mappedFileSizeTimerLog };
  }

  get transactions(): TransactionOffsets {
    const offsetOf = (topic: string) => this.#tables.offsets.query(TRANSACTION_GROUP, topic, ONLY_QUEUE);
    return { half: Math.max(0, offsetOf(HALF_TOPIC)), op: Math.max(0, offsetOf(OP_HALF_TOPIC)) };
  }

  /** What the files hold. */
  get delays(): DelayState {
    const { delayOffsets, delayTimes } = this.#tables;
    return { offsets: [...delayOffsets.entries()], times: [...delayTimes.entries()] };
  }

  /** Whether something waits in a queue that ends there. */
  waits(topic: string, queueId: number, end: number): boolean {
    if (topic === SCHEDULE_TOPIC) return end > this.#tables.delayOffsets.get(levelOfQueue(queueId));
    // What is in the wheel only the wheel tells; where there was never a timer it is not opened.
    if (topic === TIMER_TOPIC) return end > 0;
    if (topic === HALF_TOPIC) return end > this.transactions.half;
    // What is left of the entry is of the revive topic.
    return this.#pops.waits(queueId, end);
  }

  readonly heard = ({ progress, figures, stopped }: DeliveryReport): void => {
    if (figures !== undefined) this.figures.add(figures);
    if (stopped) {
      this.#last = progress;
      this.#end();
      return;
    }
    this.#note(progress);
  };

  /** Instead of a stop where delivery has never begun. */
  neverBegan(levels: number, skewAtStart: number, clock: Clock): void {
    const before = this.delays;
    const after = notBegun(before, levels, skewAtStart, clock);
    if (after !== before) this.#note({ delays: after });
  }

  /** After the stop: the log is durable, and so is what was delivered last. */
  logIsDurable(): void {
    if (this.#last !== undefined) this.#note(this.#last);
    if (this.#acting !== undefined) this.#keepActed();
  }

  /** A producer group has its first member, or has lost its last one. */
  producers(presence: ProducerPresence): void {
    if (this.#told !== '') this.#command(PRODUCER_PRESENCE, JSON.stringify(presence));
  }

  /** The owner of pops asks for something. */
  readonly asked = (ask: PopAsk): void => this.#pops.asked(ask);

  groupDeleted(group: string): void {
    this.#pops.groupDeleted(group);
  }

  topicDeleted(topic: string): void {
    this.#pops.topicDeleted(topic);
    this.figures.forget(topic);
  }

  /** Somebody was asked about a transaction, or nobody was there. */
  checkTaken(): void {
    this.#command(CHECK_TAKEN, '');
  }

  #note(progress: DueProgress): void {
    if (this.#acting === undefined) this.#noteOwn(progress);
    else this.#noteActing(this.#acting, progress);
  }

  /** Of what the master keeps: how far it would have come. */
  #noteActing(
    acting: { timers: TimerState | undefined },
    { delays, timers, pops, acted }: DueProgress,
  ): void {
    if (pops !== undefined) this.#pops.noteActing(pops);
    for (const [level, offset] of delays?.offsets ?? []) this.#tables.delayOffsets.set(level, offset);
    this.acted.add(acted ?? []);
    if (timers === undefined) return;
    acting.timers = timers;
    // No other life goes on with this wheel: what was told is as good as written.
    if (this.#stopped === undefined) this.#command(TIMERS_SAVED, String(timers.sequence));
  }

  #noteOwn({ delays, transactions, timers, pops }: DueProgress): void {
    if (pops !== undefined) this.#pops.note(pops);
    const { delayOffsets, delayTimes, offsets } = this.#tables;
    if (timers !== undefined) this.#timers.note(timers);
    if (transactions !== undefined) {
      offsets.commit(TRANSACTION_GROUP, HALF_TOPIC, ONLY_QUEUE, transactions.half);
      offsets.commit(TRANSACTION_GROUP, OP_HALF_TOPIC, ONLY_QUEUE, transactions.op);
    }
    for (const [level, offset] of delays?.offsets ?? []) delayOffsets.set(level, offset);
    for (const [level, state] of delays?.times ?? []) delayTimes.set(level, state);
  }

  /** How far timers have come; undefined where there was none in this process. */
  get timersRead(): TimerCheckKeeper['read'] {
    return this.#timers.read;
  }

  /** The file of how far timers have come; undefined where there was none in this store. */
  get timerCheck(): Uint8Array | undefined {
    const acting = this.#acting?.timers;
    if (acting !== undefined) return encodeTimerCheck({ ...acting.check, counter: 0 });
    return this.#timers.bytes;
  }

  /** On a slave: its master's file. */
  followTimers(check: Uint8Array): void {
    this.#followed.take(check);
  }

  /** Resolves when what was noted of timers is written, or the disk has refused it. */
  saved(): Promise<void> {
    return this.#timers.saved();
  }

  /** The oldest records that wait: of timers, as far as is known, and of half messages. */
  needed(store: Pick<StoreReads, 'maxOffset' | 'readQueue'>): NeededRecord[] {
    const needed: NeededRecord[] = [];
    const { oldest } = this.#timers;
    if (oldest >= 0) needed.push({ topic: TIMER_TOPIC, position: oldest });
    const { half } = this.transactions;
    if (half >= store.maxOffset(HALF_TOPIC, ONLY_QUEUE)) return needed;
    const [first] = store.readQueue(HALF_TOPIC, ONLY_QUEUE, half, 1);
    if (first !== undefined) needed.push({ topic: HALF_TOPIC, position: first.physicalOffset });
    return needed;
  }

  /** What only the owner of pops knows of lite topics; nothing where nobody has popped yet. */
  readonly liteFigures = (ask: LiteAsk): Promise<LiteFigures> => {
    const isThere = this.#told !== '' && this.#stopped === undefined;
    return isThere ? this.#pops.askLite(ask) : Promise.resolve(NO_LITE_FIGURES);
  };

  /** Nothing more becomes due; resolves when what is under way has ended. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#end = resolve;
      this.#pops.ownerEnds();
      this.#command(DELIVERY_STOPS, '');
    });
    return this.#stopped;
  }

  /** The store has halted: nobody is to wait for its writer. */
  abandon(): void {
    this.#pops.ownerEnds();
    this.#end();
  }

  /** To be called whenever settings have changed. */
  tellLimits(): void {
    if (this.#told === '') return;
    const text = JSON.stringify(this.limits);
    if (text === this.#told) return;
    this.#told = text;
    this.#command(DELIVERY_LIMITS, text);
  }

  #command(type: number, text: string): void {
    const payload = Buffer.from(text);
    this.#commands.post(type, payload.length, (bytes, _, at) => bytes.set(payload, at));
    this.#commands.publish();
  }
}
