/**
 * Where consumer offsets are kept: config/consumerOffset.json; and config/lmqConsumerOffset.json, where RocketMQ keeps
 * all offsets with enableLmq, which lite topics need. The newer one counts, and in a store that such a broker has had,
 * or that has offsets in lite topics, both are written: it can have the store.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RocketJsonObject } from '../protocol/rocketmq-json.ts';
import { PeriodicFile } from './periodic-file.ts';
import type { Warn } from './state-file.ts';

export class OffsetFiles {
  readonly #own: PeriodicFile;
  readonly #light: PeriodicFile;
  #read: PeriodicFile;
  #hasLight = false;

  constructor(configDirectory: string) {
    this.#own = new PeriodicFile(join(configDirectory, 'consumerOffset.json'));
    this.#light = new PeriodicFile(join(configDirectory, 'lmqConsumerOffset.json'));
    this.#read = this.#own;
  }

  /** Of the file that was read. */
  get path(): string {
    return this.#read.path;
  }

  /** See StateFile.load. */
  load(warn?: Warn): RocketJsonObject | undefined {
    this.#hasLight = existsSync(this.#light.path);
    if (this.#hasLight && writtenAt(this.#light) >= writtenAt(this.#own)) this.#read = this.#light;
    return this.#read.load(warn);
  }

  /** See StateFile.table. */
  table(stored: RocketJsonObject | undefined, name: string): RocketJsonObject | undefined {
    return this.#read.table(stored, name);
  }

  /** There are offsets that only a broker with enableLmq can use. */
  needLight(): void {
    this.#hasLight = true;
  }

  /** Something has changed: the next `persist` writes. */
  touch(): void {
    for (const file of this.#files) file.touch();
  }

  /** Asks for a save if anything changed since the last one. */
  persist(encode: () => string): void {
    for (const file of this.#files) file.persist(encode);
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written, and tries again later. */
  async saved(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.saved()));
  }

  get #files(): PeriodicFile[] {
    return this.#hasLight ? [this.#own, this.#light] : [this.#own];
  }
}

/** Ms since the epoch; 0 when there is none. */
function writtenAt({ path }: PeriodicFile): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
