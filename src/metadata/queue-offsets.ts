/** Offsets by topic, group and queue id: one of the tables behind `OffsetTable`, with its indexes and its JSON. */
import { MAX_OFFSETS } from '../lib/limits.ts';
import { WrittenJson } from '../protocol/rocketmq-json.ts';
import { RecentChanges } from './recent-changes.ts';

/** Neither name can hold it. */
const SEPARATOR = '@';

export function keyOf(topic: string, group: string): string {
  return topic + SEPARATOR + group;
}

export interface TopicAndGroup {
  topic: string;
  group: string;
}

/** The names of a key; undefined for text that is none. */
export function namesOf(key: string): TopicAndGroup | undefined {
  const [topic, group, rest] = key.split(SEPARATOR);
  return topic && group && rest === undefined ? { topic, group } : undefined;
}

/** Containers around the offsets of a key: the whole and `offsetTable`. */
const TABLE_DEPTH = 2;
/** Changes of which it is known what they were: who asks every second has seen all but these. */
const RECENT = 64 * 1024;
const NOTHING: ReadonlySet<string> = new Set();

export class QueueOffsets {
  /** By key, then by queue id. */
  readonly #byKey = new Map<string, Map<number, number>>();
  readonly #topics = new Map<string, Set<string>>();
  readonly #groups = new Map<string, Set<string>>();
  /** Texts of keys whose offsets have not changed since they were written. */
  readonly #texts = new Map<string, WrittenJson>();
  readonly #recent = new RecentChanges(RECENT);
  #size = 0;
  /** Number of times that a key has come or gone. */
  #pairsRevision = 0;

  /** Of topics and groups. */
  get pairs(): number {
    return this.#byKey.size;
  }

  get size(): number {
    return this.#size;
  }

  /** Another number after each change. */
  get revision(): number {
    return this.#recent.revision;
  }

  get(key: string, queueId: number): number | undefined {
    return this.#byKey.get(key)?.get(queueId);
  }

  queues(key: string): ReadonlyMap<number, number> | undefined {
    return this.#byKey.get(key);
  }

  /** Topics that the group has offsets for. */
  topicsOf(group: string): ReadonlySet<string> {
    return this.#topics.get(group) ?? NOTHING;
  }

  groupsOf(topic: string): ReadonlySet<string> {
    return this.#groups.get(topic) ?? NOTHING;
  }

  put(key: string, queueId: number, offset: number): void {
    let queues = this.#byKey.get(key);
    if (queues === undefined) {
      queues = new Map();
      this.#add(key, queues);
    }
    if (!queues.has(queueId)) this.#size += 1;
    queues.set(queueId, offset);
    this.#changed(key);
  }

  /** Replaces what there is under the key. */
  set(key: string, queues: Map<number, number>): void {
    this.delete(key);
    this.#add(key, queues);
    this.#size += queues.size;
    this.#changed(key);
  }

  delete(key: string): void {
    const queues = this.#byKey.get(key);
    if (queues === undefined) return;
    this.#size -= queues.size;
    this.#byKey.delete(key);
    this.#pairsRevision += 1;
    const names = namesOf(key);
    if (names !== undefined) {
      remove(this.#topics, names.group, names.topic);
      remove(this.#groups, names.topic, names.group);
    }
    this.#changed(key);
  }

  deleteQueue(key: string, queueId: number): void {
    const queues = this.#byKey.get(key);
    if (queues === undefined || !queues.has(queueId)) return;
    if (queues.size === 1) {
      this.delete(key);
      return;
    }
    queues.delete(queueId);
    this.#size -= 1;
    this.#changed(key);
  }

  /** Whether so many more, or one that is there already, have room. */
  hasRoom(more: number, key: string, queueId = -1): boolean {
    return this.#size + more <= MAX_OFFSETS || this.#byKey.get(key)?.has(queueId) === true;
  }

  /** Topics by group, as `groupTopicMap` has them. */
  topicsByGroup(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#topics;
  }

  /** By key, as a member of the file; a key that has not changed is not written again. */
  toJson(): Map<string, WrittenJson> {
    return this.#tableOf(this.#byKey.keys());
  }

  /** Keys that have changed since, or have gone: these are not in the table. Undefined when that is not known. */
  since(revision: number, count: number): { revision: number; table: Map<string, WrittenJson> } | undefined {
    const changed = this.#recent.since(revision, count);
    return changed && { revision: changed.revision, table: this.#tableOf(changed.keys) };
  }

  /** `count` keys from the one of this number on. */
  part(first: number, count: number): { pairsRevision: number; table: Map<string, WrittenJson> } {
    const keys: string[] = [];
    let at = 0;
    for (const key of this.#byKey.keys()) {
      if (at >= first) keys.push(key);
      at += 1;
      if (keys.length >= count) break;
    }
    return { pairsRevision: this.#pairsRevision, table: this.#tableOf(keys) };
  }

  #tableOf(keys: Iterable<string>): Map<string, WrittenJson> {
    const table = new Map<string, WrittenJson>();
    for (const key of keys) {
      const queues = this.#byKey.get(key);
      if (queues === undefined) continue;
      let text = this.#texts.get(key);
      if (text === undefined) {
        text = new WrittenJson(queues, TABLE_DEPTH);
        this.#texts.set(key, text);
      }
      table.set(key, text);
    }
    return table;
  }

  #add(key: string, queues: Map<number, number>): void {
    this.#byKey.set(key, queues);
    this.#pairsRevision += 1;
    const names = namesOf(key);
    if (names === undefined) return;
    add(this.#topics, names.group, names.topic);
    add(this.#groups, names.topic, names.group);
  }

  #changed(key: string): void {
    this.#recent.add(key);
    this.#texts.delete(key);
  }
}

function add(index: Map<string, Set<string>>, name: string, member: string): void {
  const members = index.get(name);
  if (members === undefined) index.set(name, new Set([member]));
  else members.add(member);
}

function remove(index: Map<string, Set<string>>, name: string, member: string): void {
  const members = index.get(name);
  members?.delete(member);
  if (members?.size === 0) index.delete(name);
}
