/** What `log check` tells: a line per file, its problems below it, a summary at the end. */
import { systemClock } from '../../lib/clock.ts';

export interface Problem {
  /** Relative to the store. */
  file: string;
  /** Position in the log, byte of a file, or queue offset: what the text speaks of. */
  at: number;
  text: string;
}

/** Reports one problem of the file that is being checked. */
export type Found = (at: number, text: string) => void;

/** Problems of one file that are printed and kept; the others are only counted. */
const SHOWN = 20;

export class Report {
  readonly problems: Problem[] = [];
  /** All of them, those not kept included. */
  count = 0;
  readonly #print: (line: string) => void;
  readonly #progress: (line: string) => void;
  #file = '';

  /** `progress` gets lines for a person who waits. */
  constructor(print: (line: string) => void, progress: (line: string) => void = () => {}) {
    this.#print = print;
    this.#progress = progress;
  }

  /** Runs a check over one file; it returns what to say of the file in a few words. */
  file(path: string, check: (found: Found) => string): void {
    this.#file = path;
    const found: Problem[] = [];
    let count = 0;
    const summary = check((at, text) => {
      count++;
      if (found.length < SHOWN) found.push({ file: path, at, text });
    });
    this.#print(`${count === 0 ? 'ok   ' : 'WRONG'} ${path}: ${summary}`);
    for (const problem of found) this.#print(`        at ${problem.at}: ${problem.text}`);
    if (count > found.length) this.#print(`        … and ${count - found.length} more`);
    this.problems.push(...found);
    this.count += count;
  }

  /** Something worth knowing that is not wrong. */
  note(text: string): void {
    this.#print(`note  ${text}`);
  }

  progress(done: number, of: number, unit: string): void {
    this.#progress(`${this.#file}: ${done} of ${of} ${unit}`);
  }
}

/** Says once per second that it is time to report progress; cheap enough to be asked for every piece. */
export class Ticker {
  #next = systemClock.monotonic() + 1000;
  #calls = 0;

  due(): boolean {
    if ((++this.#calls & 0x3ff) !== 0) return false;
    const now = systemClock.monotonic();
    if (now < this.#next) return false;
    this.#next = now + 1000;
    return true;
  }
}
