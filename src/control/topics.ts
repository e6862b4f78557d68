/**
 * The topics of this broker: config/topics.json, system topics, creation on demand.
 * Changes take effect at once and are announced; `saved()` tells when they are on disk.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MAX_QUEUES, MAX_TOPICS } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { AUTO_CREATE_TOPIC, isFolderName, SYSTEM_TOPIC_PREFIX } from '../lib/names.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { alterAttributes, TOPIC_ATTRIBUTES } from './attributes.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { entriesOf } from './json-fields.ts';
import { pageByName } from './name-page.ts';
import { type RequestError, tableFull } from './request-fields.ts';
import type { BrokerSettings } from './settings.ts';
import { StateFile, type Warn } from './state-file.ts';
import { systemTopicConfigs, systemTopicNames } from './system-topics.ts';
import {
  newTopicConfig,
  PERM_INHERIT,
  PERM_READ_WRITE,
  queuesOf,
  type TopicConfig,
  topicConfigFromJson,
  topicConfigText,
} from './topic-config.ts';

export interface AutoCreateRequest {
  topic: string;
  /** The topic whose configuration is inherited, normally TBW102. */
  defaultTopic: string;
  /** How many queues the client asks for at most. */
  queueNums: number;
  topicSysFlag?: number;
}

/** `{dataVersion, topicConfigTable}`, the shape of the file, of request 21 and of broker registration. */
export interface TopicTableJson {
  dataVersion: DataVersionJson;
  topicConfigTable: Map<string, unknown>;
}

/** Who gives queues their ids, of which there are only so many. */
export interface QueueRoom {
  /** Queues that may still be made. */
  readonly left: number;
  /** Sets aside what a topic of so many queues needs; false, and nothing set aside, when that is more than there is. */
  reserve(topic: string, queues: number): boolean;
}

const ENDLESS: QueueRoom = { left: Number.POSITIVE_INFINITY, reserve: () => true };

export class TopicTable {
  /** A topic was created or changed; also once per topic after `load()`. */
  readonly changed = new Listeners<TopicConfig>();
  readonly deleted = new Listeners<string>();

  readonly #settings: BrokerSettings;
  readonly #file: StateFile;
  readonly #version: DataVersion;
  #revision = 0;
  readonly #topics = new Map<string, TopicConfig>();
  readonly #systemNames: Set<string>;
  readonly #room: QueueRoom;

  constructor(configDirectory: string, settings: BrokerSettings, clock: Clock, room: QueueRoom = ENDLESS) {
    this.#room = room;
    this.#settings = settings;
    this.#file = new StateFile(join(configDirectory, 'topics.json'));
    this.#version = new DataVersion(clock);
    this.#systemNames = systemTopicNames(settings);
  }

  /**
   * Reads the file over the system topics. Call once, before use. `warn` hears what had to be left out; an entry that
   * cannot be meant, and a file that cannot be read, throw StateFileError.
   */
  load(warn?: Warn): void {
    for (const config of systemTopicConfigs(this.#settings)) this.#topics.set(config.topicName, config);
    const stored = this.#file.load(warn);
    for (const [name, value] of entriesOf(this.#file.table(stored, 'topicConfigTable'))) {
      const config = this.#stored(name, value);
      this.#topics.set(config.topicName, config);
    }
    this.#version.assign(stored?.['dataVersion']);
    for (const config of this.#topics.values()) this.changed.emit(config);
  }

  #stored(name: string, value: RocketJson): TopicConfig {
    let config: TopicConfig | undefined;
    try {
      config = topicConfigFromJson(value);
    } catch (error) {
      throw this.#file.refusal(name, `has an impossible value: ${(error as Error).message}`);
    }
    if (config === undefined) throw this.#file.refusal(name, 'is no topic configuration with a topicName');
    // The name becomes that of a folder.
    if (!isFolderName(config.topicName))
      throw this.#file.refusal(name, 'has a topicName that no topic can have');
    return config;
  }

  get(topic: string): TopicConfig | undefined {
    return this.#topics.get(topic);
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  all(): IterableIterator<TopicConfig> {
    return this.#topics.values();
  }

  get size(): number {
    return this.#topics.size;
  }

  /** Another number after each change of what `toJson` shows. */
  get revision(): number {
    return this.#revision;
  }

  get version(): DataVersionJson {
    return this.#version.toJSON();
  }

  /** System topics by name, also those that exist nowhere yet (request 305). */
  get systemNames(): ReadonlySet<string> {
    return this.#systemNames;
  }

  isSystemTopic(topic: string): boolean {
    return this.#systemNames.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
  }

  isOrderTopic(topic: string): boolean {
    return this.#topics.get(topic)?.order ?? false;
  }

  /** The topic, created from the default topic if that passes on its permissions; undefined when it may not be. */
  createForSend(request: AutoCreateRequest): TopicConfig | undefined {
    const existing = this.#topics.get(request.topic);
    if (existing !== undefined) return existing;
    const parent = this.#inheritable(request.defaultTopic);
    if (parent === undefined) return undefined;
    const queues = Math.max(0, Math.min(request.queueNums, parent.writeQueueNums));
    return this.#store({
      ...newTopicConfig(request.topic, queues, parent.perm & ~PERM_INHERIT),
      topicSysFlag: request.topicSysFlag ?? 0,
      topicFilterType: parent.topicFilterType,
    });
  }

  #inheritable(topic: string): TopicConfig | undefined {
    const parent = this.#topics.get(topic);
    if (parent === undefined || (parent.perm & PERM_INHERIT) === 0) return undefined;
    if (topic === AUTO_CREATE_TOPIC && !this.#settings.autoCreateTopicEnable) {
      // Left over from a start that allowed it: take the right away, so that clients see it in the route.
      this.#store({ ...parent, perm: PERM_READ_WRITE });
      return undefined;
    }
    return parent;
  }

  /** A retry or dead letter topic. An existing one only takes over `order`, when that is given. */
  createInternal(topic: string, queues: number, order?: boolean, topicSysFlag = 0): TopicConfig {
    const existing = this.#topics.get(topic);
    if (existing === undefined) {
      const config = newTopicConfig(topic, queues, PERM_READ_WRITE);
      return this.#store({ ...config, order: order ?? false, topicSysFlag });
    }
    return order === undefined || existing.order === order ? existing : this.#store({ ...existing, order });
  }

  /** The topic as it is, or else created with this configuration (attributes with plain names). */
  createIfAbsent(config: TopicConfig): TopicConfig {
    return this.#topics.get(config.topicName) ?? this.#store(config);
  }

  /** Creates or replaces; attribute names carry signs. Throws AttributeError, nothing is changed then. */
  update(config: TopicConfig): TopicConfig {
    const old = this.#topics.get(config.topicName);
    const attributes = alterAttributes(TOPIC_ATTRIBUTES, old?.attributes, config.attributes);
    return this.#store({ ...config, attributes });
  }

  /** False when there was no such topic. */
  delete(topic: string): boolean {
    if (!this.#topics.delete(topic)) return false;
    this.#afterChange();
    this.deleted.emit(topic);
    return true;
  }

  /** Marks topics as ordered that name servers list as such (answer to the broker's registration). */
  markOrdered(topics: Iterable<string>): void {
    for (const topic of topics) {
      const config = this.#topics.get(topic);
      if (config !== undefined && !config.order) this.#store({ ...config, order: true });
    }
  }

  /** A new version without a changed topic: what name servers show has changed for all (brokerPermission). */
  touch(): void {
    this.#afterChange();
  }

  toJson(topics: Iterable<TopicConfig> = this.#topics.values()): TopicTableJson {
    const table = new Map<string, unknown>();
    for (const config of topics) table.set(config.topicName, topicConfigText(config));
    return { dataVersion: this.version, topicConfigTable: table };
  }

  /**
   * The `count` topics from index `first` on, by name. Starts at 0 again when `dataVersion` (JSON text of the
   * caller's version) is not the current one, since the indexes may have moved.
   */
  page(first: number, count: number, dataVersion: string | undefined): TopicConfig[] {
    const begin = this.#version.isText(dataVersion) ? first : 0;
    return pageByName(this.#topics.values(), (config) => config.topicName, begin, count);
  }

  /** Resolves when all changes made so far are on disk; rejects when they could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }

  /**
   * Throws a RequestError that names the limit when not all of these topics (as they are to become) have room; nothing
   * is made then. Topics of the same name count once.
   */
  checkRoom(configs: Iterable<TopicConfig>): void {
    const wanted = new Map([...configs].map((config) => [config.topicName, config]));
    let topics = this.#topics.size;
    let queues = 0;
    for (const [name, config] of wanted) {
      const old = this.#topics.get(name);
      if (old === undefined) topics += 1;
      queues += Math.max(0, queuesOf(config) - (old === undefined ? 0 : queuesOf(old)));
    }
    if (topics > MAX_TOPICS) throw tableFull('topics', MAX_TOPICS, 'MAX_TOPICS');
    if (queues > this.#room.left) throw queuesUsedUp();
  }

  /** As checkRoom, and sets aside what the topic needs. */
  #admit(config: TopicConfig): void {
    const old = this.#topics.get(config.topicName);
    const grows = queuesOf(config) > (old === undefined ? 0 : queuesOf(old));
    if (old === undefined && this.#topics.size >= MAX_TOPICS)
      throw tableFull('topics', MAX_TOPICS, 'MAX_TOPICS');
    if (grows && !this.#room.reserve(config.topicName, queuesOf(config))) throw queuesUsedUp();
  }

  #store(config: TopicConfig): TopicConfig {
    this.#admit(config);
    this.#topics.set(config.topicName, config);
    this.#afterChange();
    this.changed.emit(config);
    return config;
  }

  #afterChange(): void {
    this.#revision += 1;
    this.#version.next();
    this.#file.save(() => writeRocketJson(this.toJson(), { pretty: true }));
  }
}

function queuesUsedUp(): RequestError {
  return tableFull(
    'queues of all topics, deleted ones since the last start included',
    MAX_QUEUES,
    'MAX_QUEUES',
  );
}
