/**
 * The log in a file of its own (RINGMQ_LOG_FILE). Whoever rotates logs renames the file and makes a new one, or none:
 * that is seen with the next line, so nobody has to tell; SIGUSR2 has it looked at once.
 */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { UserError } from '../lib/user-error.ts';

/** The file's name is looked at so often, ms. */
const LOOK_MS = 1_000;
const MODE = 0o640;

export class LogFile {
  readonly #path: string;
  readonly #now: () => number;
  #descriptor: number;
  #lookAt: number;
  /** What the file has not taken of a line: without it two lines would be one. */
  #isTorn = false;

  /** `now`: ms of a clock that is not set. Throws a UserError when the file cannot be written. */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    try {
      this.#descriptor = open(path);
    } catch (error) {
      const reason = (error as Error).message;
      throw new UserError(
        `RINGMQ_LOG_FILE=${path} cannot be written: ${reason}. Name a file that this user may write.`,
      );
    }
    this.#lookAt = now() + LOOK_MS;
  }

  /** False when the line is not in the file. Never throws. */
  write(text: string): boolean {
    if (this.#now() >= this.#lookAt) this.reopen();
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    try {
      const taken = writeSync(this.#descriptor, bytes);
      if (taken > 0) this.#isTorn = taken < bytes.length;
      return taken === bytes.length;
    } catch {
      return false;
    }
  }

  /** Opens the file anew when it is another one by now. Where that fails the old one is written on. */
  reopen(): void {
    this.#lookAt = this.#now() + LOOK_MS;
    try {
      if (this.#isInPlace()) return;
      const fresh = open(this.#path);
      closeSync(this.#descriptor);
      this.#descriptor = fresh;
      this.#isTorn = false;
    } catch {
      // Its folder may be gone for a moment, or no descriptor be left.
    }
  }

  #isInPlace(): boolean {
    const named = statSync(this.#path, { throwIfNoEntry: false });
    const opened = fstatSync(this.#descriptor);
    return named?.ino === opened.ino && named.dev === opened.dev;
  }
}

function open(path: string): number {
  return openSync(path, 'a', MODE);
}
