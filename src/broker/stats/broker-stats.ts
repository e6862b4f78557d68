/** Counts what the threads do for the statistics of requests 28 and 315: by looking now and then, never per message. */

import type { Clock } from '../../lib/clock.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
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
  /** What the queues of a topic had come to, all together. */
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
    const key = `${topic}@${group}`;
    // Where a group begins is not told: its first messages are not counted, but that it is there is.
    if (before < 0) this.#tables.stats.add(GROUP_GET_NUMS, key, 0, 0);
    if (before < 0 || next <= before) return;
    this.#tables.stats.add(GROUP_GET_NUMS, key, next - before);
    this.#tables.stats.add(BROKER_GET_NUMS, this.#tables.settings.brokerClusterName, next - before);
  }

  /** The topics are loaded, and no client has come: what is new from now on counts. */
  begin(): void {
    for (const topic of this.#tables.topics.all()) this.#seen.set(topic.topicName, this.#appendedTo(topic));
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
    for (const topic of topics.all()) {
      const { topicName } = topic;
      const total = this.#appendedTo(topic);
      // A topic that is new was made empty.
      const before = this.#seen.get(topicName) ?? 0;
      this.#seen.set(topicName, total);
      if (total > before) stats.add(TOPIC_PUT_NUMS, topicName, total - before);
    }
  }

  #appendedTo({ topicName, writeQueueNums }: TopicConfig): number {
    let total = 0;
    for (let queueId = 0; queueId < writeQueueNums; queueId++) total += this.#maxOffset(topicName, queueId);
    return total;
  }
}
