/**
 * What the tables of topics and of consumer groups are alike in: configurations by name, a version that clients
 * compare, a file that follows each change.
 */
import type { Clock } from '../lib/clock.ts';
import { Listeners } from '../lib/listeners.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';
import { DataVersion, type DataVersionJson } from './data-version.ts';
import { pageByName } from './name-page.ts';
import { StateFile } from './state-file.ts';

/** Who asked for a change, as an operator is told: address of the client, and name of its request. */
export interface Asker {
  readonly client: string;
  readonly request: string;
}

/** A change while the broker runs. `by`: undefined when the broker itself had a reason. */
export interface ConfigNews<Config> {
  readonly what: 'made' | 'changed' | 'deleted';
  readonly config: Config;
  readonly by: Asker | undefined;
}

export abstract class ConfigTable<Config> {
  /** An entry was created or changed; also once per entry after `load()`. */
  readonly changed = new Listeners<Config>();
  readonly deleted = new Listeners<string>();
  /** As both, but not for what `load()` reads. */
  readonly news = new Listeners<ConfigNews<Config>>();

  protected readonly configs = new Map<string, Config>();
  protected readonly file: StateFile;
  protected readonly dataVersion: DataVersion;
  #revision = 0;

  constructor(path: string, clock: Clock) {
    this.file = new StateFile(path);
    this.dataVersion = new DataVersion(clock);
  }

  protected abstract nameOf(config: Config): string;
  /** The file's content. */
  protected abstract fileText(): string;

  get(name: string): Config | undefined {
    return this.configs.get(name);
  }

  has(name: string): boolean {
    return this.configs.has(name);
  }

  all(): IterableIterator<Config> {
    return this.configs.values();
  }

  get size(): number {
    return this.configs.size;
  }

  /** Another number after each change of what `toJson` shows. */
  get revision(): number {
    return this.#revision;
  }

  get version(): DataVersionJson {
    return this.dataVersion.toJSON();
  }

  /**
   * The `count` entries from index `first` on, by name. Starts at 0 again when `dataVersion` (JSON text of the
   * caller's version) is not the current one, since the indexes may have moved.
   */
  page(first: number, count: number, dataVersion: string | undefined): Config[] {
    const begin = this.dataVersion.isText(dataVersion) ? first : 0;
    return pageByName(this.configs.values(), (config) => this.nameOf(config), begin, count);
  }

  /** All changes made so far are on disk. */
  get isSaved(): boolean {
    return this.file.isSaved;
  }

  /** Resolves when all changes made so far are on disk; rejects when they could not be written. */
  saved(): Promise<void> {
    return this.file.saved();
  }

  /** As `saved`; changes that could not be written before are tried once more. */
  durable(): Promise<void> {
    return this.file.durable();
  }

  /**
   * Takes over another broker's entries and its version: what differs is put, what it does not have is removed. `same`:
   * whether two configurations of a name say the same.
   */
  protected mirror(
    entries: ReadonlyMap<string, Config>,
    version: RocketJson | undefined,
    same: (one: Config, other: Config) => boolean,
  ): void {
    for (const config of entries.values()) {
      const old = this.configs.get(this.nameOf(config));
      if (old === undefined || !same(old, config)) this.put(config);
    }
    for (const name of [...this.configs.keys()]) if (!entries.has(name)) this.remove(name);
    this.dataVersion.assign(version);
  }

  protected put(config: Config, by?: Asker): Config {
    const name = this.nameOf(config);
    const what = this.configs.has(name) ? 'changed' : 'made';
    this.configs.set(name, config);
    this.afterChange();
    this.changed.emit(config);
    this.news.emit({ what, config, by });
    return config;
  }

  /** False when there was no such entry. */
  protected remove(name: string, by?: Asker): boolean {
    const config = this.configs.get(name);
    if (config === undefined) return false;
    this.configs.delete(name);
    this.afterChange();
    this.deleted.emit(name);
    this.news.emit({ what: 'deleted', config, by });
    return true;
  }

  protected afterChange(): void {
    this.#revision += 1;
    this.dataVersion.next();
    this.file.save(() => this.fileText());
  }
}
