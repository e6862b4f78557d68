/**
 * A table's JSON file under `config/`, readable by a Java broker and safe against a crash at any moment:
 * the new text goes to `<name>.tmp` and to the disk, the old file becomes `<name>.bak`, the new one takes its name,
 * and the directory is synced. At every instant `<name>` or `<name>.bak` is a whole file.
 */
import { constants, existsSync, readFileSync, renameSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectories, naming } from '../lib/files.ts';
import { quote } from '../lib/quote.ts';
import { asObject } from '../protocol/json-fields.ts';
import { parseRocketJson, type RocketJsonObject } from '../protocol/rocketmq-json.ts';

/** Where loading a table says what it had to leave out; each message names the file. */
export type Warn = (message: string) => void;

/**
 * Starting would lose what the file holds: neither it nor its backup can be read, or it holds what cannot be meant. The
 * message is for people: file, what is wrong, what to do.
 */
export class StateFileError extends Error {
  override name = 'StateFileError';
}

export class StateFile {
  readonly path: string;
  /** The newest text that waits to be written; made only when its turn comes. */
  #waiting: (() => string) | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;
  /** What could not be written then. */
  #failed: (() => string) | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The stored object, or undefined when there is none yet. A file that cannot be read is set aside as
   * `<name>.corrupt` (or the next save would make it the backup), the backup is read instead, and `warn` hears what
   * that means. Throws StateFileError when there is no way to read it.
   */
  load(warn: Warn = () => {}): RocketJsonObject | undefined {
    const { path } = this;
    const main = readJson(path);
    if (main.state === 'read') return main.value;
    const backup = readJson(`${path}.bak`);
    if (main.state === 'damaged' && backup.state !== 'read') {
      const why =
        backup.state === 'damaged' ? `neither can its backup ${path}.bak: ${backup.problem}` : NO_BACKUP;
      throw new StateFileError(`${path} cannot be read: ${main.problem}; ${why}. ${REMEDY}`);
    }
    if (backup.state === 'damaged') {
      const missing = main.state === 'empty' ? 'is empty' : 'does not exist';
      throw new StateFileError(
        `${path} ${missing}, and its backup cannot be read: ${backup.problem}. ${REMEDY}`,
      );
    }
    if (backup.state !== 'read') {
      if (main.state === 'empty') warn(`${path} is empty and has no backup: started without what it held`);
      return undefined;
    }
    warn(
      `${path} ${this.#setAside(main)}: its backup ${path}.bak is used, and what was changed after it is lost`,
    );
    return backup.value;
  }

  /** What has become of the file that cannot be used. */
  #setAside(main: Read): string {
    if (main.state === 'absent') return 'does not exist';
    const kept = freeName(`${this.path}.corrupt`);
    renameSync(this.path, kept);
    return main.state === 'damaged' ? `cannot be read (${main.problem}) and is kept as ${kept}` : 'is empty';
  }

  /** A member that is a table; undefined when it is absent. Throws StateFileError for anything else. */
  table(stored: RocketJsonObject | undefined, name: string): RocketJsonObject | undefined {
    const value = stored?.[name];
    if (value === undefined || value === null) return undefined;
    const table = asObject(value);
    if (table === undefined) throw this.refusal(name, 'is no table of entries by name');
    return table;
  }

  /** The error for an entry that cannot be meant; `problem` goes on from its name. */
  refusal(entry: string, problem: string): StateFileError {
    return new StateFileError(
      `${this.path}: ${quote(entry)} ${problem}. Correct it, or remove the entry, and start again.`,
    );
  }

  /**
   * Asks for a save. `encode` is called right before writing, so a burst of changes makes one file. A failed write is
   * reported by `saved()`, and its content is written with the next request at the latest.
   */
  save(encode: () => string): void {
    this.#waiting = encode;
    this.#writing ??= this.#drain();
  }

  /** Everything asked for so far is on disk. */
  get isSaved(): boolean {
    return this.#writing === undefined && this.#failed === undefined;
  }

  /** Resolves when everything asked for so far is on disk; rejects with the error of the write that failed. */
  async saved(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    if (failure !== undefined) throw failure;
  }

  /** As `saved`; what could not be written before is tried once more. */
  async durable(): Promise<void> {
    if (this.#failed !== undefined) this.save(this.#failed);
    await this.saved();
  }

  async #drain(): Promise<void> {
    // Changes made in the same turn of the event loop share one write.
    await Promise.resolve();
    let text: (() => string) | undefined;
    try {
      while (this.#waiting !== undefined) {
        const encode = this.#waiting;
        this.#waiting = undefined;
        text = encode;
        await replaceFile(this.path, encode());
      }
      this.#failed = undefined;
      this.#failure = undefined;
    } catch (error) {
      this.#failed = text;
      this.#failure = error;
    } finally {
      this.#writing = undefined;
    }
  }
}

const NO_BACKUP = 'it has no backup';
const REMEDY = 'Put a sound file in its place, or remove both to start without what they held.';

type Read =
  | { state: 'absent' }
  /** Old RocketMQ versions left blank files behind when the machine stopped. */
  | { state: 'empty' }
  | { state: 'damaged'; problem: string }
  | { state: 'read'; value: RocketJsonObject };

function readJson(path: string): Read {
  if (!existsSync(path)) return { state: 'absent' };
  const text = naming(path, () => readFileSync(path, 'utf8'));
  if (text.trim() === '') return { state: 'empty' };
  try {
    const value = asObject(parseRocketJson(text));
    return value === undefined
      ? { state: 'damaged', problem: 'it holds no JSON object' }
      : { state: 'read', value };
  } catch (error) {
    return { state: 'damaged', problem: error instanceof Error ? error.message : String(error) };
  }
}

/** The name, or the first of `name.2`, `name.3` … that is not taken: evidence is never overwritten. */
function freeName(name: string): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}.${i}`;
    if (!existsSync(candidate)) return candidate;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  makeDirectories(dirname(path));
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o644);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
  if (existsSync(path)) await rename(path, `${path}.bak`);
  await rename(temporary, path);
  const directory = await open(dirname(path), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
