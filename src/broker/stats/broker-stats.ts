/** Counts what the threads do for the statistics of requests 28 and 315: by looking now and then, never per message. */

import type { Clock } from '../../lib/clock.ts';
import { liteNamesIn } from '../../lib/lite-names.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import type { CounterSums } from '../../ring/counters.ts';
import { MESSAGES_APPENDED, type Positions } from '../../ring/positions.ts';
import type { Tables } from '../tables.ts';
import { DayTotals } from './day-totals.ts';
import type { Given } from './given.ts';
import {
  BROKER_GET_MISSED,
  BROKER_GET_NUMS,
  BROKER_PUT_NUMS,
  BROKER_TIMER_OUT_NUMS,
  GROUP_GET_NUMS,
  GROUP_GET_SIZE,
  TOPIC_PUT_NUMS,
  TOPIC_PUT_SIZE,
} from './stats.ts';

/** What a queue has come to: its end, and the bytes of records since the start. */
export interface Arrived {
  messages: number;
  bytes: number;
}

export interface ArrivalReads {
  arrived(topic: string, queueId: number): Arrived;
}

function parentOf(topic: string): string {
  return liteNamesIn(topic)?.parent ?? topic;
}

export class BrokerStats {
  readonly #tables: Tables;
  readonly #positions: Positions;
  readonly #reads: ArrivalReads;
  /** What the queues of a topic had come to, all together. */
  readonly #seen = new Map<string, Arrived>();
  readonly #counters: CounterSums;
  readonly days: DayTotals;
  #appended: number;
  #missed = 0;
  #timersOut = 0;

  constructor(
    tables: Tables,
    positions: Positions,
    counters: CounterSums,
    clock: Clock,
    reads: ArrivalReads,
  ) {
    this.#counters = counters;
    this.days = new DayTotals(clock);
    this.#tables = tables;
    this.#positions = positions;
    this.#reads = reads;
    this.#appended = positions.get(MESSAGES_APPENDED);
  }

  given({ group, topic, messages, bytes }: Given): void {
    const { stats, settings } = this.#tables;
    // Of lite topics there may be any number: they count as the topic that they are below.
    const key = `${parentOf(topic)}@${group}`;
    stats.add(GROUP_GET_NUMS, key, messages);
    stats.add(GROUP_GET_SIZE, key, bytes);
    stats.add(BROKER_GET_NUMS, settings.brokerClusterName, messages);
  }

  /** The topics are loaded, and no client has come: what is new from now on counts. */
  begin(): void {
    for (const topic of this.#tables.topics.all()) this.#seen.set(topic.topicName, this.#arrivedIn(topic));
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
    const timersOut = this.#counters.sum('timersOut');
    stats.add(BROKER_TIMER_OUT_NUMS, settings.brokerClusterName, timersOut - this.#timersOut);
    this.#timersOut = timersOut;
    const total = (name: string) => stats.total(name, settings.brokerClusterName);
    this.days.note({ put: total(BROKER_PUT_NUMS), get: total(BROKER_GET_NUMS) });
    for (const topic of topics.all()) this.sampleTopic(topic);
  }

  /** Adds what has come to one topic since the last look. */
  sampleTopic(topic: TopicConfig): void {
    const { stats } = this.#tables;
    const { topicName } = topic;
    const now = this.#arrivedIn(topic);
    // A topic that is new was made empty.
    const before = this.#seen.get(topicName) ?? { messages: 0, bytes: 0 };
    this.#seen.set(topicName, now);
    if (now.messages <= before.messages) return;
    stats.add(TOPIC_PUT_NUMS, topicName, now.messages - before.messages);
    stats.add(TOPIC_PUT_SIZE, topicName, Math.max(0, now.bytes - before.bytes));
  }

  #arrivedIn({ topicName, writeQueueNums }: TopicConfig): Arrived {
    const total = { messages: 0, bytes: 0 };
    for (let queueId = 0; queueId < writeQueueNums; queueId++) {
      const { messages, bytes } = this.#reads.arrived(topicName, queueId);
      total.messages += messages;
      total.bytes += bytes;
    }
    return total;
  }
}
