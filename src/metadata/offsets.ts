/**
 * How far each group has consumed: config/consumerOffset.json (offset-files.ts), written every few seconds, and two
 * tables that live in memory only: how far it has pulled, and resets that wait for the consumer's next pull.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { MAX_OFFSETS } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { isLiteQueue } from '../lib/lite-names.ts';
import { asObject, entriesOf, INT32, integerFrom } from '../protocol/json-fields.ts';
import { type RequestError, tableFull } from '../protocol/request-fields.ts';
import { type WrittenJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { OffsetFiles } from './offset-files.ts';
import { keyOf, namesOf, QueueOffsets } from './queue-offsets.ts';
import type { BrokerSettings } from './settings.ts';
import type { Warn } from './state-file.ts';

export interface QueueReset {
  group: string;
  topic: string;
  queueId: number;
  /** Undefined: the reset is over, it was taken or its topic or group was removed. */
  offset: number | undefined;
}

/**
 * The file's shape, also the answer to request 43. RocketMQ 5.5.0 adds `pullOffsetTable`, which nobody reads and on
 * whose bare keys its own slaves fail; it is left out.
 */
export interface OffsetTableJson {
  dataVersion: DataVersionJson;
  groupTopicMap: Map<string, string[]>;
  offsetTable: Map<string, WrittenJson>;
}

/** An offset of a group that pops was set by somebody else than the owner of pops. */
export interface PoppedSet {
  group: string;
  topic: string;
  queueId: number;
  offset: number;
}

export class OffsetTable {
  /** Hears of each offset that is stored; a slave keeps in mind what is committed at it. */
  onCommit: ((group: string, topic: string, queueId: number, offset: number) => void) | undefined;
  readonly poppedSet = new Listeners<PoppedSet>();
  /** A reset was set or is over. Readers of the queue answer it with "offset moved" (request 11, code 21). */
  readonly resetChanged = new Listeners<QueueReset>();

  /** Of this table: revisions of another one say nothing of it. */
  readonly life = randomUUID();

  readonly #settings: BrokerSettings;
  readonly #file: OffsetFiles;
  readonly #version: DataVersion;
  readonly #consumed = new QueueOffsets();
  readonly #pulled = new QueueOffsets();
  readonly #resets = new QueueOffsets();
  /** Whose offsets the owner of pops has: by topic and group. */
  readonly #popped = new Set<string>();
  /** By topic and group: see `hasGoneOn`. */
  readonly #goneOn = new Map<string, Set<number>>();
  #commits = 0;

  constructor(configDirectory: string, settings: BrokerSettings, clock: Clock) {
    this.#settings = settings;
    this.#file = new OffsetFiles(configDirectory);
    this.#version = new DataVersion(clock);
  }

  /**
   * Reads the file. Call once, before use. Entries that are no offsets of a group are left out, and `warn` hears how
   * many. Throws StateFileError when the file cannot be read.
   */
  load(warn: Warn = () => {}): void {
    const stored = this.#file.load(warn);
    let dropped = 0;
    for (const [key, queues] of entriesOf(this.#file.table(stored, 'offsetTable'))) {
      const entries = namesOf(key) === undefined ? undefined : asObject(queues);
      if (entries === undefined) dropped += 1;
      for (const [queue, value] of Object.entries(entries ?? {})) {
        const queueId = integerFrom(queue) ?? -1;
        const offset = integerFrom(value) ?? -1;
        if (queueId >= 0 && queueId <= INT32.most && offset >= 0) this.#consumed.put(key, queueId, offset);
        else dropped += 1;
      }
    }
    if (dropped > 0) warn(`${this.#file.path}: ${dropped} entries are no consumer offsets and were left out`);
    this.#version.assign(stored?.['dataVersion']);
  }

  /**
   * Stores the offset as given, even when it is lower than before: that is how consumers go back. False, and nothing
   * stored, when the table is full.
   */
  commit(group: string, topic: string, queueId: number, offset: number): boolean {
    if (!this.commitPopped(group, topic, queueId, offset)) return false;
    this.#tellOwner(group, topic, queueId, offset);
    return true;
  }

  /** The same, as the owner of pops tells it. */
  commitPopped(group: string, topic: string, queueId: number, offset: number): boolean {
    const key = keyOf(topic, group);
    if (!this.#consumed.hasRoom(1, key, queueId)) return false;
    this.#consumed.put(key, queueId, offset);
    this.onCommit?.(group, topic, queueId, offset);
    if (isLiteQueue(topic)) this.#file.needLight();
    this.#file.touch();
    this.#commits += 1;
    if (this.#commits % this.#settings.consumerOffsetUpdateVersionStep === 0) this.#version.next();
    return true;
  }

  /**
   * The offset was told by a slave that has acted for its master, or is this slave's own since it has: what its master
   * had written down of pops before is older.
   */
  hasGoneOn(group: string, topic: string, queueId: number): void {
    const key = keyOf(topic, group);
    if (!this.#consumed.queues(key)?.has(queueId)) return;
    const queues = this.#goneOn.get(key) ?? new Set();
    this.#goneOn.set(key, queues.add(queueId));
  }

  /** The queues of which that is so. */
  goneOn(group: string, topic: string): number[] {
    return [...(this.#goneOn.get(keyOf(topic, group)) ?? [])];
  }

  /** From now on its owner has the offsets of the group in the topic; returns them. Waiting resets are over. */
  beginPops(group: string, topic: string): [queueId: number, offset: number][] {
    const key = keyOf(topic, group);
    for (const queueId of [...(this.#resets.queues(key)?.keys() ?? [])])
      this.takeReset(group, topic, queueId);
    this.#popped.add(key);
    return [...(this.#consumed.queues(key) ?? [])];
  }

  /** Its owner has let go of the offsets of the group in the topic. */
  endPop(group: string, topic: string): void {
    this.#popped.delete(keyOf(topic, group));
  }

  /** There is no owner of pops any more. */
  endAllPops(): void {
    this.#popped.clear();
  }

  /** The group is deleted. */
  endPops(group: string): void {
    for (const key of [...this.#popped]) if (namesOf(key)?.group === group) this.#popped.delete(key);
  }

  #tellOwner(group: string, topic: string, queueId: number, offset: number): void {
    if (this.#popped.size === 0 || !this.#popped.has(keyOf(topic, group))) return;
    this.poppedSet.emit({ group, topic, queueId, offset });
  }

  /** Next offset to consume, the waiting reset if there is one, or -1. */
  query(group: string, topic: string, queueId: number): number {
    const key = keyOf(topic, group);
    if (this.#settings.useServerSideResetOffset) {
      const reset = this.#resets.get(key, queueId);
      if (reset !== undefined) return reset;
    }
    return this.#consumed.get(key, queueId) ?? -1;
  }

  /** Topics and groups that have consumed of each other, all pairs. */
  get pairs(): number {
    return this.#consumed.pairs;
  }

  /** Consumed offsets by queue id; undefined when the group never committed for this topic. */
  queuesOf(group: string, topic: string): ReadonlyMap<number, number> | undefined {
    return this.#consumed.queues(keyOf(topic, group));
  }

  /** Not noted when the table is full: it is shown to operators only. */
  commitPull(group: string, topic: string, queueId: number, offset: number): void {
    const key = keyOf(topic, group);
    if (this.#pulled.hasRoom(1, key, queueId)) this.#pulled.put(key, queueId, offset);
  }

  /** Next offset to pull, or what `query` says when the group has not pulled since the start. */
  queryPull(group: string, topic: string, queueId: number): number {
    return this.#pulled.get(keyOf(topic, group), queueId) ?? this.query(group, topic, queueId);
  }

  /**
   * Sets where the group goes on; commits are refused until its consumer has heard of it by a pull. Throws a
   * RequestError when the table is full.
   */
  assignReset(group: string, topic: string, queueId: number, offset: number): void {
    const key = keyOf(topic, group);
    if (!this.#consumed.hasRoom(1, key, queueId)) throw offsetsFull();
    this.#resets.put(key, queueId, offset);
    this.#consumed.put(key, queueId, offset);
    this.#file.touch();
    this.resetChanged.emit({ group, topic, queueId, offset });
    this.#tellOwner(group, topic, queueId, offset);
  }

  hasReset(group: string, topic: string, queueId: number): boolean {
    return this.#resets.get(keyOf(topic, group), queueId) !== undefined;
  }

  /** The waiting reset, which is over with this call; undefined when there is none. */
  takeReset(group: string, topic: string, queueId: number): number | undefined {
    const key = keyOf(topic, group);
    const offset = this.#resets.get(key, queueId);
    if (offset === undefined) return undefined;
    this.#resets.deleteQueue(key, queueId);
    this.resetChanged.emit({ group, topic, queueId, offset: undefined });
    return offset;
  }

  /** Topics that the group has committed offsets for. */
  topicsOf(group: string): string[] {
    return [...this.#consumed.topicsOf(group)];
  }

  /** Groups that have committed offsets for the topic. */
  groupsOf(topic: string): string[] {
    return [...this.#consumed.groupsOf(topic)];
  }

  /**
   * Gives `target` the offsets that `source` has for the topic, replacing its own. Throws a RequestError when the table
   * is full.
   */
  clone(source: string, target: string, topic: string): void {
    const queues = this.#consumed.queues(keyOf(topic, source));
    if (queues === undefined) return;
    if (!this.#consumed.hasRoom(queues.size, keyOf(topic, target))) throw offsetsFull();
    this.#consumed.set(keyOf(topic, target), new Map(queues));
    this.#file.touch();
    for (const [queueId, offset] of queues) this.#tellOwner(target, topic, queueId, offset);
  }

  removeGroup(group: string): void {
    const topics = [...this.#consumed.topicsOf(group), ...this.#pulled.topicsOf(group)];
    for (const topic of topics) this.#remove(topic, group);
  }

  removeTopic(topic: string): void {
    const groups = [...this.#consumed.groupsOf(topic), ...this.#pulled.groupsOf(topic)];
    for (const group of groups) this.#remove(topic, group);
  }

  #remove(topic: string, group: string): void {
    const key = keyOf(topic, group);
    const resets = [...(this.#resets.queues(key)?.keys() ?? [])];
    this.#consumed.delete(key);
    this.#goneOn.delete(key);
    this.#pulled.delete(key);
    this.#resets.delete(key);
    this.#file.touch();
    for (const queueId of resets) this.resetChanged.emit({ topic, group, queueId, offset: undefined });
  }

  /** Another number after each change of what `toJson` shows. */
  get revision(): number {
    return this.#consumed.revision;
  }

  /** What has changed since a copy was of this `revision`; undefined when that is not known. */
  since(revision: number, count: number) {
    const changed = this.#consumed.since(revision, count);
    return changed && { life: this.life, revision: changed.revision, offsetTable: changed.table };
  }

  /** `count` pairs of topic and group from the one of number `first` on, and the revision of a copy of all. */
  part(first: number, count: number) {
    const { pairsRevision, table } = this.#consumed.part(first, count);
    return { life: this.life, revision: this.revision, pairsRevision, offsetTable: table };
  }

  toJson(): OffsetTableJson {
    const groupTopicMap = new Map<string, string[]>();
    for (const [group, topics] of this.#consumed.topicsByGroup()) groupTopicMap.set(group, [...topics]);
    return {
      dataVersion: this.#version.toJSON(),
      groupTopicMap,
      offsetTable: this.#consumed.toJson(),
    };
  }

  /** Asks for a save if anything changed since the last one. To be called every `flushConsumerOffsetInterval`. */
  persist(): void {
    this.#file.persist(() => writeRocketJson(this.toJson(), { pretty: true }));
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }
}

export function offsetsFull(): RequestError {
  return tableFull('consumer offsets', MAX_OFFSETS, 'MAX_OFFSETS');
}
