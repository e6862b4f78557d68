/**
 * How far each delay level has been delivered: config/delayOffset.json,
 * `{"dataVersion":…,"offsetTable":{1:55,2:0}}` by level, counted from 1.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { entriesOf, integerFrom } from '../protocol/json-fields.ts';
import { type RocketJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { PeriodicFile } from './periodic-file.ts';
import type { BrokerSettings } from './settings.ts';
import type { Warn } from './state-file.ts';

export interface DelayOffsetsJson {
  dataVersion: DataVersionJson;
  offsetTable: Map<number, number>;
}

export class DelayOffsets {
  readonly #settings: BrokerSettings;
  readonly #file: PeriodicFile;
  readonly #version: DataVersion;
  readonly #offsets = new Map<number, number>();
  #updates = 0;

  constructor(configDirectory: string, settings: BrokerSettings, clock: Clock) {
    this.#settings = settings;
    this.#file = new PeriodicFile(join(configDirectory, 'delayOffset.json'));
    this.#version = new DataVersion(clock);
  }

  /**
   * Reads the file. Call once, before use. Entries that are no offsets of a level are left out, and `warn` hears how
   * many: these levels are delivered from the start of their queues. Throws StateFileError when it cannot be read.
   */
  load(warn: Warn = () => {}): void {
    const stored = this.#file.load(warn);
    const dropped = this.#each(this.#file.table(stored, 'offsetTable'), (level, offset) =>
      this.#offsets.set(level, offset),
    );
    if (dropped > 0)
      warn(`${this.#file.path}: ${dropped} entries are no offsets of delay levels and were left out`);
    this.#version.assign(stored?.['dataVersion']);
  }

  /** Takes over a master's offsets, each as far as `end` of its level; a level that never had a message stays out. */
  follow(table: RocketJson | undefined, end: (level: number) => number): void {
    this.#each(table, (level, offset) => {
      const last = end(level);
      if (last > 0 || this.#offsets.has(level)) this.set(level, Math.min(offset, last));
    });
  }

  /** How many entries are no offsets of a level. */
  #each(table: RocketJson | undefined, take: (level: number, offset: number) => void): number {
    let dropped = 0;
    for (const [name, value] of entriesOf(table)) {
      const level = integerFrom(name) ?? 0;
      const offset = integerFrom(value) ?? -1;
      if (level >= 1 && offset >= 0) take(level, offset);
      else dropped += 1;
    }
    return dropped;
  }

  /** Next queue offset to deliver of a level; 0 for a level that was never used. */
  get(level: number): number {
    return this.#offsets.get(level) ?? 0;
  }

  set(level: number, offset: number): void {
    if (this.#offsets.get(level) === offset) return;
    this.#offsets.set(level, offset);
    this.#file.touch();
    this.#updates += 1;
    if (this.#updates % this.#settings.delayOffsetUpdateVersionStep === 0) this.#version.next();
  }

  /** Level and offset of all levels used so far. */
  entries(): IterableIterator<[number, number]> {
    return this.#offsets.entries();
  }

  toJson(): DelayOffsetsJson {
    return { dataVersion: this.#version.toJSON(), offsetTable: this.#offsets };
  }

  /** Asks for a save if anything changed since the last one. To be called every `flushDelayOffsetInterval`. */
  persist(): void {
    this.#file.persist(() => writeRocketJson(this.toJson(), { pretty: true }));
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }
}
