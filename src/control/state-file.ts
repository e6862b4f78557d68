/**
 * A table's JSON file under `config/`, readable by a Java broker and safe against a crash at any moment:
 * the new text goes to `<name>.tmp` and to the disk, the old file becomes `<name>.bak`, the new one takes its name,
 * and the directory is synced. At every instant `<name>` or `<name>.bak` is a whole file.
 */
import { constants, existsSync, readFileSync, renameSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectories, naming } from '../lib/files.ts';
import { parseRocketJson, type RocketJson } from '../protocol/rocketmq-json.ts';

/** Neither the file nor its backup can be read: starting with an empty table would lose what they held. */
export class StateFileError extends Error {
  override name = 'StateFileError';
}

export class StateFile {
  readonly path: string;
  /** The newest text that waits to be written; made only when its turn comes. */
  #waiting: (() => string) | undefined;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * The stored value, or undefined when there is none yet. A damaged file is set aside as `<name>.corrupt` (or the
   * next save would make it the backup) and the backup is read instead. Throws StateFileError when that fails too.
   */
  load(): RocketJson | undefined {
    const backup = `${this.path}.bak`;
    const main = readJson(this.path);
    if (main.state === 'read') return main.value;
    const saved = readJson(backup);
    if (main.state === 'damaged') {
      if (saved.state !== 'read') {
        throw new StateFileError(
          `${this.path}: ${main.problem}; and ${backup} does not help. Mend one of them, or remove both to start without.`,
        );
      }
      renameSync(this.path, `${this.path}.corrupt`);
    }
    if (saved.state === 'damaged')
      throw new StateFileError(`${backup}: ${saved.problem}. Mend it, or remove it to start without.`);
    return saved.state === 'read' ? saved.value : undefined;
  }

  /**
   * Asks for a save. `encode` is called right before writing, so a burst of changes makes one file. A failed write is
   * reported by `saved()`, and its content is written with the next request at the latest.
   */
  save(encode: () => string): void {
    this.#waiting = encode;
    this.#writing ??= this.#drain();
  }

  /** Resolves when everything asked for so far is on disk; rejects with the error of the write that failed. */
  async saved(): Promise<void> {
    await this.#writing;
    const failure = this.#failure;
    if (failure !== undefined) throw failure;
  }

  async #drain(): Promise<void> {
    // Changes made in the same turn of the event loop share one write.
    await Promise.resolve();
    try {
      while (this.#waiting !== undefined) {
        const encode = this.#waiting;
        this.#waiting = undefined;
        await replaceFile(this.path, encode());
      }
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#writing = undefined;
    }
  }
}

type Read =
  | { state: 'absent' }
  | { state: 'damaged'; problem: string }
  | { state: 'read'; value: RocketJson };

/** Blank files count as absent: old RocketMQ versions left them behind when the machine stopped. */
function readJson(path: string): Read {
  if (!existsSync(path)) return { state: 'absent' };
  const text = naming(path, () => readFileSync(path, 'utf8'));
  if (text.trim() === '') return { state: 'absent' };
  try {
    return { state: 'read', value: parseRocketJson(text) };
  } catch (error) {
    return { state: 'damaged', problem: error instanceof Error ? error.message : String(error) };
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
