/**
 * How far each delay level has been delivered: config/delayOffset.json,
 * `{"dataVersion":…,"offsetTable":{1:55,2:0}}` by level, counted from 1.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { writeRocketJson } from '../protocol/rocketmq-json.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { asObject, entriesOf, integerFrom } from './json-fields.ts';
import { PeriodicFile } from './periodic-file.ts';
import type { BrokerSettings } from './settings.ts';

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

  /** Reads the file. Call once, before use. Throws StateFileError. */
  load(): void {
    const stored = asObject(this.#file.load());
    for (const [level, value] of entriesOf(stored?.['offsetTable'])) {
      const offset = integerFrom(value);
      if (offset !== undefined) this.#offsets.set(Number(level), offset);
    }
    this.#version.assign(stored?.['dataVersion']);
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
