/**
 * Static topics: config/topicQueueMapping.json says which queue of which broker holds a part of each of their queues,
 * so that RocketMQ can move them. RingMQ reads every queue by its own number, and so it has those of which that is
 * true: one part, from the beginning, in the queue of the same number of this broker. For a single broker RocketMQ
 * makes no others. What lies elsewhere must not be served: consumers would get other messages than they are to, and
 * nobody would notice.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MAX_STATIC_TOPICS } from '../lib/limits.ts';
import { asArray, asObject, entriesOf, integerOr, textIn } from '../protocol/json-fields.ts';
import { tableFull } from '../protocol/request-fields.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { StateFile, type Warn } from './state-file.ts';

/** Of one topic. Tables replace it, they never change one. */
export interface StaticTopic {
  readonly topic: string;
  readonly totalQueues: number;
  readonly epoch: number;
  readonly scope: string;
  /** Their numbers here and for clients. */
  readonly queues: readonly number[];
}

const GLOBAL_SCOPE = '__global__';

/** Undefined when it is not one that is read by the numbers of its queues. */
export function staticTopicFrom(value: RocketJson | undefined, brokerName: string): StaticTopic | undefined {
  const detail = asObject(value);
  const topic = detail === undefined ? undefined : textIn(detail, 'topic');
  if (detail === undefined || topic === undefined) return undefined;
  const hosted = entriesOf(detail['hostedQueues']);
  if (!hosted.every(([queueId, items]) => isPlain(queueId, items, brokerName))) return undefined;
  return {
    topic,
    totalQueues: integerOr(detail, 'totalQueues', hosted.length),
    epoch: integerOr(detail, 'epoch', 0),
    scope: textIn(detail, 'scope') ?? GLOBAL_SCOPE,
    queues: hosted.map(([queueId]) => Number(queueId)).sort((a, b) => a - b),
  };
}

function isPlain(queueId: string, items: RocketJson | undefined, brokerName: string): boolean {
  const [item, ...more] = asArray(items).map((one) => asObject(one));
  if (item === undefined || more.length > 0 || !/^\d{1,9}$/.test(queueId)) return false;
  const number = (name: string) => integerOr(item, name, -1);
  return (
    number('queueId') === Number(queueId) &&
    number('logicOffset') === 0 &&
    number('startOffset') === 0 &&
    item['bname'] === brokerName
  );
}

export class StaticTopics {
  readonly #brokerName: string;
  readonly #file: StateFile;
  readonly #version: DataVersion;
  readonly #topics = new Map<string, StaticTopic>();

  constructor(configDirectory: string, brokerName: string, clock: Clock) {
    this.#brokerName = brokerName;
    this.#file = new StateFile(join(configDirectory, 'topicQueueMapping.json'));
    this.#version = new DataVersion(clock);
  }

  /** Call once, before use. Throws a StateFileError that names the first topic that cannot be served. */
  load(warn?: Warn): void {
    const stored = this.#file.load(warn);
    for (const [name, value] of entriesOf(this.#file.table(stored, 'topicQueueMappingInfoMap'))) {
      const found = staticTopicFrom(value, this.#brokerName);
      if (found === undefined) {
        throw this.#file.refusal(
          name,
          'is a static topic with queues that lie under other numbers or with other brokers, which only RocketMQ can read',
        );
      }
      this.#topics.set(name, found);
    }
    this.#version.assign(stored?.['dataVersion']);
  }

  get version(): DataVersionJson {
    return this.#version.toJSON();
  }

  get(topic: string): StaticTopic | undefined {
    return this.#topics.get(topic);
  }

  /** Throws a RequestError that names the limit when there is no room for this one. */
  checkRoom(topic: string): void {
    if (this.#topics.has(topic) || this.#topics.size < MAX_STATIC_TOPICS) return;
    throw tableFull('static topics', MAX_STATIC_TOPICS, 'MAX_STATIC_TOPICS');
  }

  set(topic: StaticTopic): void {
    this.#topics.set(topic.topic, topic);
    this.#changed();
  }

  delete(topic: string): void {
    if (this.#topics.delete(topic)) this.#changed();
  }

  /** Resolves when all changes are on disk. */
  saved(): Promise<void> {
    return this.#file.saved();
  }

  /** As operators' tools read it, by topic; `has`: only of these. */
  details(has: (topic: string) => boolean = () => true): Map<string, unknown> {
    return this.#shown(has, (topic) => this.detail(topic));
  }

  /** As name servers keep it. */
  infos(has: (topic: string) => boolean = () => true): Map<string, unknown> {
    return this.#shown(has, (topic) => this.#info(topic, topic.queues));
  }

  detail(topic: StaticTopic): unknown {
    const bname = this.#brokerName;
    const part = {
      bname,
      endOffset: -1,
      gen: 0,
      logicOffset: 0,
      startOffset: 0,
      timeOfEnd: -1,
      timeOfStart: -1,
    };
    const hostedQueues = new Map(topic.queues.map((queueId) => [queueId, [{ ...part, queueId }]]));
    return { ...this.#info(topic, []), hostedQueues };
  }

  #info({ topic, totalQueues, epoch, scope }: StaticTopic, queues: readonly number[]): object {
    const currIdMap = new Map(queues.map((queueId) => [queueId, queueId]));
    return { bname: this.#brokerName, currIdMap, dirty: false, epoch, scope, topic, totalQueues };
  }

  #shown(has: (topic: string) => boolean, show: (topic: StaticTopic) => unknown): Map<string, unknown> {
    const table = new Map<string, unknown>();
    for (const [name, topic] of this.#topics) if (has(name)) table.set(name, show(topic));
    return table;
  }

  #changed(): void {
    this.#version.next();
    const text = () => ({ dataVersion: this.version, topicQueueMappingInfoMap: this.details() });
    this.#file.save(() => writeRocketJson(text(), { pretty: true }));
  }
}
