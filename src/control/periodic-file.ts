/** A state file that is written now and then, when something has changed: for tables that change with every message. */
import type { RocketJsonObject } from '../protocol/rocketmq-json.ts';
import { StateFile, type Warn } from './state-file.ts';

export class PeriodicFile {
  readonly #file: StateFile;
  #dirty = false;

  constructor(path: string) {
    this.#file = new StateFile(path);
  }

  /** See StateFile.load. */
  load(warn?: Warn): RocketJsonObject | undefined {
    return this.#file.load(warn);
  }

  /** See StateFile.table. */
  table(stored: RocketJsonObject | undefined, name: string): RocketJsonObject | undefined {
    return this.#file.table(stored, name);
  }

  get path(): string {
    return this.#file.path;
  }

  /** Something has changed: the next `persist` writes. */
  touch(): void {
    this.#dirty = true;
  }

  /** Asks for a save if anything changed since the last one. */
  persist(encode: () => string): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#file.save(encode);
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written, and tries again later. */
  async saved(): Promise<void> {
    try {
      await this.#file.saved();
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}
