/**
 * The consumer groups of this broker: config/subscriptionGroup.json, built-in groups, creation on demand, and which
 * topics a group may not read.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { MAX_FORBIDDEN, MAX_GROUPS } from '../lib/limits.ts';
import { Listeners } from '../lib/listeners.ts';
import { groupNameProblem, isPlainName, isSystemGroup } from '../lib/names.ts';
import { entriesOf, integerFrom } from '../protocol/json-fields.ts';
import { tableFull } from '../protocol/request-fields.ts';
import { type RocketJson, type RocketJsonObject, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { alterAttributes, GROUP_ATTRIBUTES } from './attributes.ts';
import { type Asker, ConfigTable } from './config-table.ts';
import type { DataVersionJson } from './data-version.ts';
import { type GroupConfig, groupConfigFromJson, groupConfigText, newGroupConfig } from './group-config.ts';
import type { BrokerSettings } from './settings.ts';
import type { Warn } from './state-file.ts';

const BUILT_IN_GROUPS = [
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_RMQ_SYS_TRANS',
];

/** Bit of a forbidden entry that stops reading, the same position as in topic permissions. */
const FORBID_READ = 4;

/** `{dataVersion, forbiddenTable, subscriptionGroupTable}`, the shape of the file and of request 201. */
export interface GroupTableJson {
  dataVersion: DataVersionJson;
  forbiddenTable: Map<string, Map<string, number>>;
  subscriptionGroupTable: Map<string, unknown>;
}

export class GroupTable extends ConfigTable<GroupConfig> {
  /** What a group may read of a topic has changed (`forbiddenBits`). */
  readonly forbiddenChanged = new Listeners<{ group: string; topic: string }>();

  readonly #settings: BrokerSettings;
  readonly #forbidden = new Map<string, Map<string, number>>();
  #forbiddenCount = 0;

  constructor(configDirectory: string, settings: BrokerSettings, clock: Clock) {
    super(join(configDirectory, 'subscriptionGroup.json'), clock);
    this.#settings = settings;
  }

  /**
   * Reads the file over the built-in groups. Call once, before use. `warn` hears what had to be left out; an entry that
   * cannot be meant, and a file that cannot be read, throw StateFileError.
   */
  load(warn: Warn = () => {}): void {
    for (const name of BUILT_IN_GROUPS) this.configs.set(name, newGroupConfig(name));
    const stored = this.file.load(warn);
    for (const [name, value] of entriesOf(this.file.table(stored, 'subscriptionGroupTable'))) {
      this.configs.set(name, this.#stored(name, value));
    }
    this.#loadForbidden(this.file.table(stored, 'forbiddenTable'), warn);
    this.dataVersion.assign(stored?.['dataVersion']);
    for (const config of this.configs.values()) this.changed.emit(config);
  }

  #stored(name: string, value: RocketJson): GroupConfig {
    let config: GroupConfig | undefined;
    try {
      config = groupConfigFromJson(value);
    } catch (error) {
      throw this.file.refusal(name, `has an impossible value: ${(error as Error).message}`);
    }
    if (config === undefined) throw this.file.refusal(name, 'is no group configuration');
    if (!isPlainName(name)) throw this.file.refusal(name, 'is a name that no group can have');
    return { ...config, groupName: name };
  }

  #loadForbidden(table: RocketJsonObject | undefined, warn: Warn): void {
    let dropped = 0;
    for (const [group, topics] of entriesOf(table)) {
      for (const [topic, value] of entriesOf(topics)) {
        const bits = integerFrom(value);
        if (bits === undefined) dropped += 1;
        else this.#setForbidden(group, topic, bits);
      }
    }
    if (dropped > 0)
      warn(`${this.file.path}: ${dropped} entries of forbiddenTable are no numbers and were left out`);
  }

  /** The group, created when that is allowed and its name is legal; else undefined. */
  findOrCreate(group: string, by?: Asker): GroupConfig | undefined {
    const existing = this.configs.get(group);
    if (existing !== undefined) return existing;
    const allowed =
      this.#settings.autoCreateSubscriptionGroup ||
      (this.#settings.enableCreateSysGroup && isSystemGroup(group));
    if (!allowed || groupNameProblem(group) !== undefined) return undefined;
    return this.#store(newGroupConfig(group), by);
  }

  /** Creates or replaces; attribute names carry signs. Throws AttributeError, nothing is changed then. */
  update(config: GroupConfig, by?: Asker): GroupConfig {
    const old = this.configs.get(config.groupName);
    const attributes = alterAttributes(GROUP_ATTRIBUTES, old?.attributes, config.attributes);
    return this.#store({ ...config, attributes }, by);
  }

  /** Takes over a master's groups. A configuration that cannot be used throws. */
  follow(table: RocketJson | undefined, version: RocketJson | undefined): void {
    const entries = new Map<string, GroupConfig>();
    for (const [name, value] of entriesOf(table)) entries.set(name, this.#stored(name, value));
    const same = (a: GroupConfig, b: GroupConfig) =>
      groupConfigText(a).text(false) === groupConfigText(b).text(false);
    this.mirror(entries, version, same);
  }

  /** Removes the group and what it may not read. False when there was no such group. */
  delete(group: string, by?: Asker): boolean {
    this.#forbiddenCount -= this.#forbidden.get(group)?.size ?? 0;
    this.#forbidden.delete(group);
    return this.remove(group, by);
  }

  mayRead(group: string, topic: string): boolean {
    return (this.forbiddenBits(group, topic) & FORBID_READ) === 0;
  }

  forbiddenBits(group: string, topic: string): number {
    return this.#forbidden.get(group)?.get(topic) ?? 0;
  }

  /** Topics that the group may not read. */
  forbiddenTopics(group: string): string[] {
    return [...(this.#forbidden.get(group)?.keys() ?? [])].filter((topic) => !this.mayRead(group, topic));
  }

  /** Throws a RequestError that names the limit when the table is full. */
  setMayRead(group: string, topic: string, may: boolean): void {
    const bits = this.forbiddenBits(group, topic);
    if (!may && bits === 0 && this.#forbiddenCount >= MAX_FORBIDDEN) {
      throw tableFull('topics that groups may not read', MAX_FORBIDDEN, 'MAX_FORBIDDEN');
    }
    this.#setForbidden(group, topic, may ? bits & ~FORBID_READ : bits | FORBID_READ);
    this.afterChange();
    this.forbiddenChanged.emit({ group, topic });
  }

  #setForbidden(group: string, topic: string, bits: number): void {
    const topics = this.#forbidden.get(group) ?? new Map<string, number>();
    this.#forbiddenCount -= topics.size;
    if (bits > 0) topics.set(topic, bits);
    else topics.delete(topic);
    this.#forbiddenCount += topics.size;
    if (topics.size > 0) this.#forbidden.set(group, topics);
    else this.#forbidden.delete(group);
  }

  toJson(groups: Iterable<GroupConfig> = this.configs.values()): GroupTableJson {
    const table = new Map<string, unknown>();
    const forbidden = new Map<string, Map<string, number>>();
    for (const config of groups) {
      table.set(config.groupName, groupConfigText(config));
      const topics = this.#forbidden.get(config.groupName);
      if (topics !== undefined) forbidden.set(config.groupName, topics);
    }
    return { dataVersion: this.version, forbiddenTable: forbidden, subscriptionGroupTable: table };
  }

  /** Throws a RequestError that names the limit when the table is full. */
  #store(config: GroupConfig, by?: Asker): GroupConfig {
    if (this.configs.size >= MAX_GROUPS && !this.configs.has(config.groupName)) {
      throw tableFull('consumer groups', MAX_GROUPS, 'MAX_GROUPS');
    }
    return this.put(config, by);
  }

  protected override nameOf({ groupName }: GroupConfig): string {
    return groupName;
  }

  /** Unlike a page, the file also keeps what is forbidden to groups that do not exist yet. */
  protected override fileText(): string {
    return writeRocketJson({ ...this.toJson(), forbiddenTable: this.#forbidden }, { pretty: true });
  }
}
