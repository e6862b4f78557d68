/**
 * Filters of other types than TAG that consumer groups have told of: config/consumerFilter.json, with RocketMQ's
 * fields. They are kept for a day after the last consumer has gone, for operators and for a broker that takes the
 * store over; what a pull gets depends on the subscriptions of consumers that are online, not on this.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MAX_CONSUMER_FILTER_CHARACTERS, MAX_CONSUMER_FILTERS } from '../lib/limits.ts';
import { asObject, entriesOf, integerFrom, textIn } from '../protocol/json-fields.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { type FilterBits, filterBits } from './filter-bits.ts';
import { PeriodicFile } from './periodic-file.ts';
import type { Warn } from './state-file.ts';

/** RocketMQ's filterDataCleanTimeSpan. */
const KEPT_MS = 24 * 3_600_000;

export interface ToldFilter {
  readonly topic: string;
  readonly subString: string;
  readonly expressionType: string;
  /** int64 */
  readonly subVersion: bigint;
}

export interface ConsumerFilter {
  bloomFilterData: FilterBits;
  /** Of the machine's clock, as RocketMQ compares it with store times; 0 = it is alive. */
  bornTime: number;
  deadTime: number;
  clientVersion: bigint;
  consumerGroup: string;
  topic: string;
  expression: string;
  expressionType: string;
}

export type FilterJson = ConsumerFilter & { dead: boolean };

interface TopicFilters {
  topic: string;
  groupFilterData: Map<string, FilterJson>;
}

export class ConsumerFilters {
  readonly #file: PeriodicFile;
  readonly #clock: Clock;
  /** By group, then by topic. */
  readonly #groups = new Map<string, Map<string, ConsumerFilter>>();
  #count = 0;
  #characters = 0;

  constructor(configDirectory: string, clock: Clock) {
    this.#file = new PeriodicFile(join(configDirectory, 'consumerFilter.json'));
    this.#clock = clock;
  }

  /** Reads the file. Call once, before use. Nobody is online then. Throws StateFileError when it cannot be read. */
  load(warn: Warn = () => {}): void {
    const stored = this.#file.load(warn);
    const now = this.#clock.now();
    let dropped = 0;
    for (const [, topic] of entriesOf(this.#file.table(stored, 'filterDataByTopic'))) {
      for (const [, value] of entriesOf(asObject(asObject(topic)?.['groupFilterData']))) {
        const filter = filterFrom(value);
        if (filter === undefined) dropped += 1;
        else this.#put({ ...filter, deadTime: filter.deadTime || Math.max(filter.bornTime, now) });
      }
    }
    if (dropped > 0) warn(`${this.#file.path}: ${dropped} entries are no filters and were left out`);
  }

  get(group: string, topic: string): ConsumerFilter | undefined {
    return this.#groups.get(group)?.get(topic);
  }

  /** What the consumers of a group want now, all of it; no consumers want nothing. */
  note(group: string, told: readonly ToldFilter[]): void {
    const now = this.#clock.now();
    const before = this.#groups.get(group);
    const named = new Set<string>();
    for (const filter of told) {
      named.add(filter.topic);
      this.#noteOne(group, filter, before?.get(filter.topic), now);
    }
    for (const filter of before?.values() ?? []) {
      if (named.has(filter.topic) || filter.deadTime !== 0) continue;
      filter.deadTime = Math.max(filter.bornTime, now);
      this.#file.touch();
    }
  }

  #noteOne(group: string, told: ToldFilter, before: ConsumerFilter | undefined, now: number): void {
    const { topic, subString: expression, expressionType, subVersion: clientVersion } = told;
    const isSame = before?.expression === expression && before.expressionType === expressionType;
    if (isSame && before.clientVersion === clientVersion && before.deadTime === 0) return;
    const bornTime = isSame ? before.bornTime : now;
    const filter = { consumerGroup: group, topic, expression, expressionType, clientVersion, bornTime };
    this.#put({ ...filter, deadTime: 0, bloomFilterData: filterBits(group, topic) });
    this.#file.touch();
  }

  /** Past the limits the filters of groups that are gone are forgotten, and then new ones are not kept. */
  #put(filter: ConsumerFilter): void {
    const { consumerGroup, topic } = filter;
    this.#delete(this.get(consumerGroup, topic));
    if (!this.#hasRoom(filter)) this.#forget(() => true);
    if (!this.#hasRoom(filter)) return;
    const topics = this.#groups.get(consumerGroup) ?? new Map<string, ConsumerFilter>();
    this.#groups.set(consumerGroup, topics.set(topic, filter));
    this.#count += 1;
    this.#characters += filter.expression.length;
  }

  #hasRoom({ expression }: ConsumerFilter): boolean {
    const fits = this.#characters + expression.length <= MAX_CONSUMER_FILTER_CHARACTERS;
    return fits && this.#count < MAX_CONSUMER_FILTERS;
  }

  #delete(filter: ConsumerFilter | undefined): void {
    if (filter === undefined) return;
    const topics = this.#groups.get(filter.consumerGroup);
    topics?.delete(filter.topic);
    if (topics?.size === 0) this.#groups.delete(filter.consumerGroup);
    this.#count -= 1;
    this.#characters -= filter.expression.length;
  }

  /** Those of groups that are gone. */
  #forget(isMeant: (filter: ConsumerFilter) => boolean): void {
    for (const topics of [...this.#groups.values()]) {
      for (const filter of [...topics.values()]) {
        if (filter.deadTime === 0 || !isMeant(filter)) continue;
        this.#delete(filter);
        this.#file.touch();
      }
    }
  }

  /** Asks for a save if anything changed since the last one. */
  persist(): void {
    const now = this.#clock.now();
    this.#forget(({ deadTime }) => now - deadTime >= KEPT_MS);
    this.#file.persist(() => writeRocketJson({ filterDataByTopic: this.#byTopic() }, { pretty: true }));
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }

  #byTopic(): Map<string, TopicFilters> {
    const topics = new Map<string, TopicFilters>();
    for (const filters of this.#groups.values()) {
      for (const filter of filters.values()) {
        const { topic } = filter;
        const entry: TopicFilters = topics.get(topic) ?? { topic, groupFilterData: new Map() };
        entry.groupFilterData.set(filter.consumerGroup, filterJson(filter));
        topics.set(topic, entry);
      }
    }
    return topics;
  }
}

/** As RocketMQ writes it. */
export function filterJson(filter: ConsumerFilter): FilterJson {
  return { ...filter, dead: filter.deadTime >= filter.bornTime };
}

/** Undefined for what is none. */
function filterFrom(value: RocketJson): ConsumerFilter | undefined {
  const object = asObject(value) ?? {};
  const text = (name: string) => textIn(object, name) ?? '';
  const [consumerGroup, topic] = [text('consumerGroup'), text('topic')];
  const [expression, expressionType] = [text('expression'), text('expressionType')];
  if ([consumerGroup, topic, expression, expressionType].includes('')) return undefined;
  const number = (name: string) => Math.max(0, integerFrom(object[name] ?? 0) ?? 0);
  const times = { bornTime: number('bornTime'), deadTime: number('deadTime') };
  const clientVersion = BigInt(number('clientVersion'));
  const bloomFilterData = filterBits(consumerGroup, topic);
  return { consumerGroup, topic, expression, expressionType, clientVersion, ...times, bloomFilterData };
}
