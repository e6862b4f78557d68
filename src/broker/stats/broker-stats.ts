/** Counts what the threads do for the statistics of requests 28 and 315: by looking now and then, never per message. */

import type { Clock } from '../../lib/clock.ts';
import type { CounterSums } from '../../ring/counters.ts';
import { MESSAGES_APPENDED, type Positions } from '../../ring/positions.ts';
import type { Tables } from '../tables.ts';
import { DayTotals } from './day-totals.ts';
import {
  BROKER_GET_MISSED,
  BROKER_GET_NUMS,
  BROKER_PUT_NUMS,
  GROUP_GET_NUMS,
  TOPIC_PUT_NUMS,
} from './stats.ts';

export class BrokerStats {
  readonly #tables: Tables;
  readonly #positions: Positions;
  readonly #maxOffset: (topic: string, queueId: number) => number;
  readonly #seen = new Map<string, number>();
  readonly #counters: CounterSums;
  readonly days: DayTotals;
  #appended: number;
  #missed = 0;

  constructor(
    tables: Tables,
    positions: Positions,
    counters: CounterSums,
    clock: Clock,
    maxOffset: (topic: string, queueId: number) => number,
  ) {
    this.#counters = counters;
    this.days = new DayTotals(clock);
    this.#tables = tables;
    this.#positions = positions;
    this.#maxOffset = maxOffset;
    this.#appended = positions.get(MESSAGES_APPENDED);
  }

  /** A consumer of `group` has been given the messages up to `next` of a queue that held it at `before`. */
  pulled(group: string, topic: string, before: number, next: number): void {
    if (before < 0 || next <= before) return;
    this.#tables.stats.add(GROUP_GET_NUMS, `${topic}@${group}`, next - before);
    this.#tables.stats.add(BROKER_GET_NUMS, this.#tables.settings.brokerClusterName, next - before);
  }

  /** Adds what was appended since the last look. */
  sample(): void {
    const { stats, topics, settings } = this.#tables;
    const appended = this.#positions.get(MESSAGES_APPENDED);
    stats.add(BROKER_PUT_NUMS, settings.brokerClusterName, appended - this.#appended);
    this.#appended = appended;
    const missed = this.#counters.sum('pullsParked');
    stats.add(BROKER_GET_MISSED, settings.brokerClusterName, missed - this.#missed);
    this.#missed = missed;
    const total = (name: string) => stats.total(name, settings.brokerClusterName);
    this.days.note({ put: total(BROKER_PUT_NUMS), get: total(BROKER_GET_NUMS) });
    for (const { topicName, writeQueueNums } of topics.all()) {
      let total = 0;
      for (let queueId = 0; queueId < writeQueueNums; queueId++) total += this.#maxOffset(topicName, queueId);
      const before = this.#seen.get(topicName);
      this.#seen.set(topicName, total);
      if (before !== undefined && total > before) stats.add(TOPIC_PUT_NUMS, topicName, total - before);
    }
  }
}
