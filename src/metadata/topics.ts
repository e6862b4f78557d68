/**
 * The topics of this broker: config/topics.json, system topics, creation on demand.
 * Changes take effect at once and are announced; `saved()` tells when they are on disk.
 */

import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MAX_QUEUES, MAX_TOPICS } from '../lib/limits.ts';
import { AUTO_CREATE_TOPIC, isFolderName, SYSTEM_TOPIC_PREFIX } from '../lib/names.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { entriesOf } from '../protocol/json-fields.ts';
import { queuesOf } from '../protocol/queue-numbers.ts';
import { RequestError, tableFull } from '../protocol/request-fields.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import type { QueueRoom } from '../store/queue/queue-ids.ts';
import { alterAttributes, TOPIC_ATTRIBUTES } from './attributes.ts';
import { type Asker, ConfigTable } from './config-table.ts';
import type { DataVersionJson } from './data-version.ts';
import type { BrokerSettings } from './settings.ts';
import type { Warn } from './state-file.ts';
import { StaticTopics } from './static-topics.ts';
import { systemTopicConfigs, systemTopicNames } from './system-topics.ts';
import {
  newTopicConfig,
  PERM_INHERIT,
  PERM_READ_WRITE,
  sameTopicConfig,
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
  by?: Asker;
}

/** `{dataVersion, topicConfigTable}`, the shape of the file, and a part of request 21 and of broker registration. */
export interface TopicTableJson {
  dataVersion: DataVersionJson;
  topicConfigTable: Map<string, unknown>;
}

/** For who makes no queues of a store. */
export const ENDLESS: QueueRoom = { left: Number.POSITIVE_INFINITY, reserve: () => true };

export class TopicTable extends ConfigTable<TopicConfig> {
  /** Of the topics that are static. */
  readonly mappings: StaticTopics;
  /** Each says why a topic of this name may not be made now; undefined: it may. */
  readonly vetoes: ((topic: string) => string | undefined)[] = [];
  readonly #settings: BrokerSettings;
  readonly #systemNames: Set<string>;
  readonly #room: QueueRoom;

  constructor(configDirectory: string, settings: BrokerSettings, clock: Clock, room: QueueRoom = ENDLESS) {
    super(join(configDirectory, 'topics.json'), clock);
    this.mappings = new StaticTopics(configDirectory, settings.brokerName, clock);
    this.#room = room;
    this.#settings = settings;
    this.#systemNames = systemTopicNames(settings);
  }

  /**
   * Reads the file over the system topics. Call once, before use. `warn` hears what had to be left out; an entry that
   * cannot be meant, and a file that cannot be read, throw StateFileError.
   */
  load(warn?: Warn): void {
    this.mappings.load(warn);
    for (const config of systemTopicConfigs(this.#settings)) this.configs.set(config.topicName, config);
    const stored = this.file.load(warn);
    for (const [name, value] of entriesOf(this.file.table(stored, 'topicConfigTable'))) {
      const config = this.#stored(name, value);
      this.configs.set(config.topicName, config);
    }
    this.dataVersion.assign(stored?.['dataVersion']);
    for (const config of this.configs.values()) this.changed.emit(config);
  }

  #stored(name: string, value: RocketJson): TopicConfig {
    let config: TopicConfig | undefined;
    try {
      config = topicConfigFromJson(value);
    } catch (error) {
      throw this.file.refusal(name, `has an impossible value: ${(error as Error).message}`);
    }
    if (config === undefined) throw this.file.refusal(name, 'is no topic configuration with a topicName');
    // The name becomes that of a folder.
    if (!isFolderName(config.topicName))
      throw this.file.refusal(name, 'has a topicName that no topic can have');
    return config;
  }

  /** System topics by name, also those that exist nowhere yet (request 305). */
  get systemNames(): ReadonlySet<string> {
    return this.#systemNames;
  }

  isSystemTopic(topic: string): boolean {
    return this.#systemNames.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
  }

  isOrderTopic(topic: string): boolean {
    return this.configs.get(topic)?.order ?? false;
  }

  /** The topic, created from the default topic if that passes on its permissions; undefined when it may not be. */
  createForSend(request: AutoCreateRequest): TopicConfig | undefined {
    const existing = this.configs.get(request.topic);
    if (existing !== undefined) return existing;
    const parent = this.#inheritable(request.defaultTopic);
    if (parent === undefined) return undefined;
    const queues = Math.max(0, Math.min(request.queueNums, parent.writeQueueNums));
    const config = {
      ...newTopicConfig(request.topic, queues, parent.perm & ~PERM_INHERIT),
      topicSysFlag: request.topicSysFlag ?? 0,
      topicFilterType: parent.topicFilterType,
    };
    return this.#store(config, request.by);
  }

  #inheritable(topic: string): TopicConfig | undefined {
    const parent = this.configs.get(topic);
    if (parent === undefined || (parent.perm & PERM_INHERIT) === 0) return undefined;
    if (topic === AUTO_CREATE_TOPIC && !this.#settings.autoCreateTopicEnable) {
      // Left over from a start that allowed it: take the right away, so that clients see it in the route.
      this.#store({ ...parent, perm: PERM_READ_WRITE });
      return undefined;
    }
    return parent;
  }

  /** A retry or dead letter topic. An existing one only takes over `order`, when that is given. */
  createInternal(topic: string, queues: number, by?: Asker, order?: boolean, topicSysFlag = 0): TopicConfig {
    const existing = this.configs.get(topic);
    if (existing === undefined) {
      const config = newTopicConfig(topic, queues, PERM_READ_WRITE);
      return this.#store({ ...config, order: order ?? false, topicSysFlag }, by);
    }
    return order === undefined || existing.order === order
      ? existing
      : this.#store({ ...existing, order }, by);
  }

  /** The topic as it is, or else created with this configuration (attributes with plain names). */
  createIfAbsent(config: TopicConfig): TopicConfig {
    return this.configs.get(config.topicName) ?? this.#store(config);
  }

  /** Creates or replaces; attribute names carry signs. Throws AttributeError, nothing is changed then. */
  update(config: TopicConfig, by?: Asker): TopicConfig {
    const old = this.configs.get(config.topicName);
    const attributes = alterAttributes(TOPIC_ATTRIBUTES, old?.attributes, config.attributes);
    return this.#store({ ...config, attributes }, by);
  }

  /** Takes over a master's topics; its own system topics stay. A configuration that cannot be used throws. */
  follow(table: RocketJson | undefined, version: RocketJson | undefined): void {
    const entries = new Map<string, TopicConfig>();
    for (const [name, value] of entriesOf(table)) {
      const config = this.#stored(name, value);
      this.#admit(config);
      entries.set(config.topicName, config);
    }
    for (const config of this.configs.values()) {
      const isOwn = this.isSystemTopic(config.topicName) && !entries.has(config.topicName);
      if (isOwn) entries.set(config.topicName, config);
    }
    this.mirror(entries, version, sameTopicConfig);
  }

  /** False when there was no such topic. */
  delete(topic: string, by?: Asker): boolean {
    this.mappings.delete(topic);
    return this.remove(topic, by);
  }

  /** Marks topics as ordered that name servers list as such (answer to the broker's registration). */
  markOrdered(topics: Iterable<string>): void {
    for (const topic of topics) {
      const config = this.configs.get(topic);
      if (config !== undefined && !config.order) this.#store({ ...config, order: true });
    }
  }

  /** A new version without a changed topic: what name servers show has changed for all (brokerPermission). */
  touch(): void {
    this.afterChange();
  }

  toJson(topics: Iterable<TopicConfig> = this.configs.values()): TopicTableJson {
    const table = new Map<string, unknown>();
    for (const config of topics) table.set(config.topicName, topicConfigText(config));
    return { dataVersion: this.version, topicConfigTable: table };
  }

  /**
   * Throws a RequestError that names the limit when not all of these topics (as they are to become) have room; nothing
   * is made then. Topics of the same name count once.
   */
  checkRoom(configs: Iterable<TopicConfig>): void {
    const wanted = new Map([...configs].map((config) => [config.topicName, config]));
    let topics = this.configs.size;
    let queues = 0;
    for (const [name, config] of wanted) {
      const old = this.configs.get(name);
      if (old === undefined) topics += 1;
      queues += Math.max(0, queuesOf(config) - (old === undefined ? 0 : queuesOf(old)));
    }
    if (topics > MAX_TOPICS) throw tableFull('topics', MAX_TOPICS, 'MAX_TOPICS');
    if (queues > this.#room.left) throw queuesUsedUp();
  }

  /** As checkRoom, and sets aside what the topic needs. */
  #admit(config: TopicConfig): void {
    const old = this.configs.get(config.topicName);
    const veto = old === undefined ? this.#veto(config.topicName) : undefined;
    if (veto !== undefined) throw new RequestError(ResponseCode.SYSTEM_BUSY, veto);
    const grows = queuesOf(config) > (old === undefined ? 0 : queuesOf(old));
    if (old === undefined && this.configs.size >= MAX_TOPICS)
      throw tableFull('topics', MAX_TOPICS, 'MAX_TOPICS');
    if (grows && !this.#room.reserve(config.topicName, queuesOf(config))) throw queuesUsedUp();
  }

  #veto(topic: string): string | undefined {
    for (const veto of this.vetoes) {
      const why = veto(topic);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #store(config: TopicConfig, by?: Asker): TopicConfig {
    this.#admit(config);
    return this.put(config, by);
  }

  protected override nameOf({ topicName }: TopicConfig): string {
    return topicName;
  }

  protected override fileText(): string {
    return writeRocketJson(this.toJson(), { pretty: true });
  }
}

function queuesUsedUp(): RequestError {
  return tableFull(
    'queues of all topics, deleted ones since the last start included',
    MAX_QUEUES,
    'MAX_QUEUES',
  );
}
