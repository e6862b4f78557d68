/**
 * The log in a file of its own (RINGMQ_LOG_FILE). A file that has become large is renamed here. Whoever else rotates
 * logs renames it and makes a new one, or none: that is seen with the next line, so nobody has to tell; SIGUSR2 has it
 * looked at once.
 */
import { closeSync, fstatSync, openSync, realpathSync, statSync, writeSync } from 'node:fs';
import { systemClock } from '../lib/clock.ts';
import { UserError } from '../lib/user-error.ts';
import { plainLine } from './log-form.ts';
import { type Rotation, renamedAside } from './log-rotation.ts';

/** The file's name is looked at so often, ms. */
const LOOK_MS = 1_000;
/** After a file could not be renamed. */
const PAUSE_MS = 60_000;
const MODE = 0o640;
/** What is no file of its own: streams of this process, and terminals. */
const NO_FILE = /^\/(?:dev|proc)\//;

export class LogFile {
  readonly #path: string;
  readonly #now: () => number;
  readonly #rotation: Rotation;
  #descriptor: number;
  #lookAt: number;
  /** What the file has not taken of a line: without it two lines would be one. */
  #isTorn = false;
  /** Bytes of the file, as far as they were written here or stood in it before. */
  #size = 0;
  #rotateAt = Number.NEGATIVE_INFINITY;

  /** `now`: ms of a clock that is not set. Throws a UserError when the file cannot be written. */
  constructor(path: string, now: () => number, rotation: Rotation) {
    this.#path = path;
    this.#now = now;
    this.#rotation = rotation;
    try {
      this.#descriptor = open(path);
      this.#size = fstatSync(this.#descriptor).size;
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
    if (this.#size + text.length > this.#rotation.maxBytes && this.#size > 0) this.#rotate(text.length);
    return this.#append(text);
  }

  #append(text: string): boolean {
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    try {
      const taken = writeSync(this.#descriptor, bytes);
      this.#size += taken;
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
      if (this.#isInPlace()) {
        // Others may write it too, or have cut it.
        this.#size = fstatSync(this.#descriptor).size;
        return;
      }
      this.#goOnIn(open(this.#path));
    } catch {
      // Its folder may be gone for a moment, or no descriptor be left.
    }
  }

  /** Where the file cannot be renamed it grows on: lines matter more than its size. */
  #rotate(length: number): void {
    if (this.#now() < this.#rotateAt || NO_FILE.test(this.#path)) return;
    const { maxBytes, keep } = this.#rotation;
    try {
      // Somebody else may have renamed or cut it.
      this.reopen();
      if (this.#size === 0 || this.#size + length <= maxBytes || !this.#isInPlace()) return;
      // Of a link it is the file that is renamed.
      this.#goOnIn(renamedAside(realpathSync(this.#path), this.#descriptor, keep));
    } catch (error) {
      this.#rotateAt = this.#now() + PAUSE_MS;
      const fields = { file: this.#path, reason: (error as Error).message };
      const message = 'the log cannot be renamed and grows on: its folder must be writable';
      this.#append(plainLine({ level: 'warn', time: systemClock.now(), fields, message }));
    }
  }

  #goOnIn(fresh: number): void {
    closeSync(this.#descriptor);
    this.#descriptor = fresh;
    this.#size = fstatSync(fresh).size;
    this.#isTorn = false;
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
