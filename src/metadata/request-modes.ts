/**
 * How consumer groups get the messages of a topic, PULL or POP, as operators have set it:
 * config/messageRequestMode.json, with RocketMQ's fields. As there, a mode outlives its topic and its group; those of
 * names that are gone make room when the table is full.
 */
import { join } from 'node:path';
import { MAX_REQUEST_MODES } from '../lib/limits.ts';
import { asObject, entriesOf, integerFrom } from '../protocol/json-fields.ts';
import { tableFull } from '../protocol/request-fields.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { StateFile, type Warn } from './state-file.ts';

export const REQUEST_MODES = ['PULL', 'POP'] as const;
export type RequestModeName = (typeof REQUEST_MODES)[number];

/** Also the JSON shape. */
export interface RequestMode {
  readonly consumerGroup: string;
  readonly mode: RequestModeName;
  /** Clients whose queues a client gets besides its own; 0 or less: all queues. */
  readonly popShareQueueNum: number;
  readonly topic: string;
}

export class RequestModes {
  readonly #file: StateFile;
  /** By topic, then by group. */
  readonly #topics = new Map<string, Map<string, RequestMode>>();
  #count = 0;

  constructor(configDirectory: string) {
    this.#file = new StateFile(join(configDirectory, 'messageRequestMode.json'));
  }

  /** Reads the file. Call once, before use. Throws StateFileError when it cannot be read. */
  load(warn: Warn = () => {}): void {
    const stored = this.#file.load(warn);
    const dropped = this.#putAll(this.#file.table(stored, 'messageRequestModeMap'));
    if (dropped > 0) warn(`${this.#file.path}: ${dropped} entries are no modes and were left out`);
  }

  get(topic: string, group: string): RequestMode | undefined {
    return this.#topics.get(topic)?.get(group);
  }

  get size(): number {
    return this.#count;
  }

  /**
   * Adds or replaces. `isAlive`: whether the topic and the group of a mode exist. Throws a RequestError that names the
   * limit when all modes of a full table are alive.
   */
  set(mode: RequestMode, isAlive: (mode: RequestMode) => boolean): void {
    if (this.#count >= MAX_REQUEST_MODES && this.get(mode.topic, mode.consumerGroup) === undefined) {
      this.#forgetUnless(isAlive);
      if (this.#count >= MAX_REQUEST_MODES)
        throw tableFull('message request modes', MAX_REQUEST_MODES, 'MAX_REQUEST_MODES');
    }
    this.#put(mode);
    this.#file.save(() => writeRocketJson(this.toJson(), { pretty: true }));
  }

  /** Takes over a master's modes: what it does not have goes. */
  follow(table: RocketJson | undefined): void {
    this.#topics.clear();
    this.#count = 0;
    this.#putAll(table);
    this.#file.save(() => writeRocketJson(this.toJson(), { pretty: true }));
  }

  /** How many entries are no modes, and were left out. */
  #putAll(table: RocketJson | undefined): number {
    let dropped = 0;
    for (const [topic, groups] of entriesOf(table)) {
      for (const [group, value] of entriesOf(groups)) {
        const mode = modeFrom(topic, group, value);
        if (mode === undefined) dropped += 1;
        else this.#put(mode);
      }
    }
    return dropped;
  }

  #put(mode: RequestMode): void {
    const groups = this.#topics.get(mode.topic) ?? new Map<string, RequestMode>();
    if (!groups.has(mode.consumerGroup)) this.#count += 1;
    this.#topics.set(mode.topic, groups.set(mode.consumerGroup, mode));
  }

  #forgetUnless(isAlive: (mode: RequestMode) => boolean): void {
    for (const [topic, groups] of [...this.#topics]) {
      for (const mode of [...groups.values()]) {
        if (isAlive(mode)) continue;
        groups.delete(mode.consumerGroup);
        this.#count -= 1;
      }
      if (groups.size === 0) this.#topics.delete(topic);
    }
  }

  /** The shape of the file and of request 402. */
  toJson(): { messageRequestModeMap: ReadonlyMap<string, ReadonlyMap<string, RequestMode>> } {
    return { messageRequestModeMap: this.#topics };
  }

  /** Resolves when all changes made so far are on disk; rejects when they could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }
}

/** A mode by its name or ordinal; undefined for anything else. */
export function requestModeNamed(value: RocketJson | undefined): RequestModeName | undefined {
  if (typeof value === 'number') return REQUEST_MODES[value];
  return typeof value === 'string' ? REQUEST_MODES.find((name) => name === value) : undefined;
}

/** Undefined for what is none. */
function modeFrom(topic: string, consumerGroup: string, value: RocketJson): RequestMode | undefined {
  const object = asObject(value);
  const mode = requestModeNamed(object?.['mode'] ?? 'PULL');
  const popShareQueueNum = integerFrom(object?.['popShareQueueNum'] ?? 0);
  if (object === undefined || mode === undefined || popShareQueueNum === undefined) return undefined;
  return { consumerGroup, mode, popShareQueueNum, topic };
}
