/**
 * How far consumers, delayed and timed messages have come at the master: consumer offsets (offset-feed.ts), delay
 * levels (45), the checkpoint of timers (60), purges (30002).
 *
 * What is delivered or given back is in the master's log before its progress says so. A slave that took the progress
 * over first, and then became the master, would have neither the message that waited nor the one that was delivered. So
 * progress is held until everything is durable here that the master's log held when it had told it.
 */
import { setImmediate } from 'node:timers/promises';
import { queueOfLevel } from '../../delivery/delay/levels.ts';
import { type ControlLog, whyFailed } from '../../lib/log.ts';
import { SCHEDULE_TOPIC, TIMER_TOPIC } from '../../lib/names.ts';
import type { DelayOffsets } from '../../metadata/delay-offsets.ts';
import type { OffsetTable } from '../../metadata/offsets.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { entriesOf, integerFrom, parseBody } from '../../protocol/json-fields.ts';
import type { MasterAsks, MasterTable } from './master-asks.ts';
import { type Commit, OffsetExchange } from './offset-exchange.ts';
import { OffsetFeed } from './offset-feed.ts';

export const DELAYS: MasterTable = {
  code: RequestCode.GET_ALL_DELAY_OFFSET,
  what: 'delay offsets',
  field: 'offsetTable',
};

export interface MasterProgressParts {
  tables: { offsets: OffsetTable; delayOffsets: DelayOffsets };
  /** Up to where the own log is durable and in its queues. */
  durable: () => number;
  /** Where a queue ends here. */
  queueEnd: (topic: string, queueId: number) => number;
  /** Takes over the bytes of a config/timercheck. */
  takeTimers: (check: Uint8Array) => void;
  /** The topic is purged up to this position. Rejected when it cannot be now. */
  purge: (topic: string, position: number) => Promise<void>;
  log: ControlLog;
}

interface Held {
  end: number;
  take: (() => void | Promise<void>)[];
}

export class MasterProgress {
  readonly #parts: MasterProgressParts;
  readonly #asks: MasterAsks;
  readonly #offsets: OffsetExchange;
  readonly #feed: OffsetFeed;
  #held: Held | undefined;

  constructor(parts: MasterProgressParts, asks: MasterAsks) {
    this.#parts = parts;
    this.#asks = asks;
    this.#offsets = new OffsetExchange(parts.tables.offsets);
    this.#feed = new OffsetFeed(asks);
  }

  /** Another master: what the one before said counts no more. */
  forget(): void {
    this.#held = undefined;
    this.#feed.forget();
  }

  /** One round; returns the offsets that were committed here and that the master is to be told. */
  async round(): Promise<Commit[]> {
    await this.#takeHeld();
    const offsets = await this.#askOffsets();
    // Else who is far behind would never see the end of it.
    if (this.#held === undefined) {
      await this.#ask(offsets);
      await this.#takeHeld();
    }
    return this.#offsets.own;
  }

  /** The master has it. */
  told(commit: Commit): void {
    this.#offsets.told(commit);
    // What is held was told before: with it the offset would go back until the next table holds.
    this.#held = undefined;
  }

  /** The master does not take it. */
  refused(commit: Commit): void {
    this.#offsets.refused(commit);
  }

  /** Its table, when it says something new or there is something to tell. */
  async #askOffsets(): Promise<Held['take']> {
    const { queueEnd } = this.#parts;
    const { hasOwn } = this.#offsets;
    if (this.#held !== undefined && !hasOwn) return [];
    const news = hasOwn ? await this.#feed.whole() : await this.#feed.news();
    if (news === undefined) return [];
    const { tables, took } = news;
    this.#offsets.passed(tables);
    for (const table of tables) this.#offsets.begin(table, queueEnd);
    // Others have a turn between two parts.
    const takes = tables.map((table) => () => {
      this.#offsets.take(table);
      return setImmediate();
    });
    return [...takes, took];
  }

  async #ask(take: Held['take']): Promise<void> {
    const { tables, takeTimers, queueEnd } = this.#parts;
    const delays = await this.#asks.news(DELAYS);
    if (delays !== undefined) {
      take.push(() => {
        // Never beyond the queue, or what comes into it later would be passed over.
        tables.delayOffsets.follow(delays.table['offsetTable'], (level) =>
          queueEnd(SCHEDULE_TOPIC, queueOfLevel(level)),
        );
        delays.took();
      });
    }
    // A RocketMQ that has none writes an error for each ask.
    const hasTimers = queueEnd(TIMER_TOPIC, 0) > 0;
    const timers = hasTimers ? await this.#asks.newsIfAny(RequestCode.GET_TIMER_CHECK_POINT) : undefined;
    if (timers !== undefined) {
      take.push(() => {
        takeTimers(timers.body);
        timers.took();
      });
    }
    const purges = await this.#asks.newsIfAny(RequestCode.GET_TOPIC_PURGES);
    if (purges !== undefined) {
      take.push(async () => {
        let isDone = true;
        for (const [topic, position] of entriesOf(parseBody(purges.body)))
          isDone = (await this.#purge(topic, integerFrom(position) ?? -1)) && isDone;
        if (isDone) purges.took();
      });
    }
    if (take.length === 0) return;
    const end = await this.#asks.end();
    // A master that does not say where it ends is taken at its word.
    this.#held = { end: end ?? 0, take };
  }

  /** False when it is to be tried again: the rest of the round goes on meanwhile. */
  async #purge(topic: string, position: number): Promise<boolean> {
    const { durable, purge, log } = this.#parts;
    if (position <= 0 || position > durable()) return true;
    try {
      await purge(topic, position);
      return true;
    } catch (error) {
      log.warn(
        { topic, ...whyFailed(error) },
        'a topic that the master has purged is not purged here, tried again',
      );
      return false;
    }
  }

  async #takeHeld(): Promise<void> {
    if (this.#held === undefined || this.#parts.durable() < this.#held.end) return;
    const { take } = this.#held;
    this.#held = undefined;
    for (const one of take) await one();
  }
}
