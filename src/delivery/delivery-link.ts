/** Control's end: tells the delivery agent what it must know, and keeps what it tells of its progress in files. */
import type { Clock } from '../lib/clock.ts';
import { SCHEDULE_TOPIC } from '../lib/names.ts';
import type { DelayOffsets } from '../metadata/delay-offsets.ts';
import type { DelayTimes } from '../metadata/delay-times.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { ChannelSender } from '../ring/channel.ts';
import { type DelayState, notBegun } from './delay/delay-progress.ts';
import { levelOfQueue } from './delay/levels.ts';
import { DELIVERY_LIMITS, DELIVERY_STOPS, type DeliveryLimits } from './delivery-records.ts';
import type { DeliveryReport, DueProgress } from './delivery-shape.ts';

export interface DeliveryTables {
  settings: BrokerSettings;
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
}

export class DeliveryLink {
  readonly #tables: DeliveryTables;
  readonly #commands: ChannelSender;
  #told = 0;
  /** The last progress, which counts when the log is durable. */
  #last: DueProgress | undefined;
  #end: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(tables: DeliveryTables, commands: ChannelSender) {
    this.#tables = tables;
    this.#commands = commands;
  }

  get limits(): DeliveryLimits {
    return { maxPending: this.#tables.settings.scheduleAsyncDeliverMaxPendingLimit };
  }

  /** What it begins with. */
  beginWith(): { delays: DelayState; limits: DeliveryLimits } {
    const { delays, limits } = this;
    this.#told = limits.maxPending;
    return { delays, limits };
  }

  /** What the files hold. */
  get delays(): DelayState {
    const { delayOffsets, delayTimes } = this.#tables;
    return { offsets: [...delayOffsets.entries()], times: [...delayTimes.entries()] };
  }

  /** Whether something waits in a queue that ends there. */
  waits(topic: string, queueId: number, end: number): boolean {
    if (topic === SCHEDULE_TOPIC) return end > this.#tables.delayOffsets.get(levelOfQueue(queueId));
    return false;
  }

  readonly heard = ({ progress, stopped }: DeliveryReport): void => {
    if (stopped) {
      this.#last = progress;
      this.#end();
      return;
    }
    this.#note(progress);
    this.#tellLimits();
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
  }

  #note({ delays }: DueProgress): void {
    const { delayOffsets, delayTimes } = this.#tables;
    for (const [level, offset] of delays?.offsets ?? []) delayOffsets.set(level, offset);
    for (const [level, state] of delays?.times ?? []) delayTimes.set(level, state);
  }

  /** Nothing more becomes due; resolves when what is under way has ended. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#end = resolve;
      this.#command(DELIVERY_STOPS, '');
    });
    return this.#stopped;
  }

  /** The store has halted: nobody is to wait for its writer. */
  abandon(): void {
    this.#end();
  }

  /** Limits may change while the broker runs; they matter only to an agent that has something to deliver. */
  #tellLimits(): void {
    const { limits } = this;
    if (limits.maxPending === this.#told) return;
    this.#told = limits.maxPending;
    this.#command(DELIVERY_LIMITS, JSON.stringify(limits));
  }

  #command(type: number, text: string): void {
    const payload = Buffer.from(text);
    this.#commands.post(type, payload.length, (bytes, _, at) => bytes.set(payload, at));
    this.#commands.publish();
  }
}
