/** Control's end: tells the delivery agent what it must know, and keeps what it tells of its progress in files. */
import type { DelayOffsets } from '../metadata/delay-offsets.ts';
import type { DelayTimes } from '../metadata/delay-times.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { ChannelSender } from '../ring/channel.ts';
import type { DelayState } from './delay/delay-progress.ts';
import { DELIVERY_LIMITS, DELIVERY_STOPS, type DeliveryLimits } from './delivery-records.ts';
import type { DeliveryReport } from './delivery-shape.ts';

export interface DeliveryTables {
  settings: BrokerSettings;
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
}

export class DeliveryLink {
  readonly #tables: DeliveryTables;
  readonly #commands: ChannelSender;
  #told: number;
  #end: () => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(tables: DeliveryTables, commands: ChannelSender) {
    this.#tables = tables;
    this.#commands = commands;
    this.#told = this.limits.maxPending;
  }

  get limits(): DeliveryLimits {
    return { maxPending: this.#tables.settings.scheduleAsyncDeliverMaxPendingLimit };
  }

  /** What the files hold, for the agent to begin with. */
  get delays(): DelayState {
    const { delayOffsets, delayTimes } = this.#tables;
    return { offsets: [...delayOffsets.entries()], times: [...delayTimes.entries()] };
  }

  readonly heard = ({ delays, stopped }: DeliveryReport): void => {
    const { delayOffsets, delayTimes } = this.#tables;
    for (const [level, offset] of delays.offsets) delayOffsets.set(level, offset);
    for (const [level, times] of delays.times) delayTimes.set(level, times);
    if (stopped) this.#end();
    else this.#tellLimits();
  };

  /**
   * Nothing more becomes due; resolves when what is under way has ended, and the tables hold how far it came: at once
   * when nobody `delivers` yet.
   */
  stop(delivers: boolean): Promise<void> {
    if (!delivers) return Promise.resolve();
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
