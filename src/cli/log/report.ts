/** What `log check` tells: a line per file, its problems below it, a summary at the end; as text or as JSON lines. */
import { systemClock } from '../../lib/clock.ts';
import { CHECKS, type CheckName, checksOf, type Part } from './explain/checks.ts';
import { wrapped } from './explain/text.ts';

export interface Problem {
  /** Relative to the store. */
  file: string;
  check: CheckName;
  /** Position in the log, byte of a file, or queue offset: what the text speaks of. */
  at: number;
  text: string;
}

/** Reports one problem of the file that is being checked. */
export type Found = (check: CheckName, at: number, text: string) => void;

export interface ReportForm {
  /** What is checked and why, in front of each part and below the first problem that a check finds. */
  explain?: boolean;
  /** A JSON object a line, without an end of line. */
  json?: boolean;
}

/** Problems of one file that are printed and kept; the others are only counted. */
const SHOWN = 20;

export class Report {
  readonly problems: Problem[] = [];
  /** All of them, those not kept included. */
  count = 0;
  readonly #print: (line: string) => void;
  readonly #progress: (line: string) => void;
  readonly #form: ReportForm;
  readonly #told = new Set<Part | CheckName>();
  #file = '';

  /** `progress` gets lines for a person who waits. */
  constructor(
    print: (line: string) => void,
    progress: (line: string) => void = () => {},
    form: ReportForm = {},
  ) {
    this.#print = print;
    this.#progress = progress;
    this.#form = form;
  }

  /** Runs a check over one file; it returns what to say of the file in a few words. */
  file(part: Part, path: string, check: (found: Found) => string): void {
    this.#part(part);
    this.#file = path;
    const found: Problem[] = [];
    let count = 0;
    const summary = check((name, at, text) => {
      count++;
      if (found.length < SHOWN) found.push({ file: path, check: name, at, text });
    });
    if (this.#form.json === true) this.#fileJson(path, summary, found, count);
    else this.#fileText(path, summary, found, count);
    this.problems.push(...found);
    this.count += count;
  }

  #fileText(path: string, summary: string, found: readonly Problem[], count: number): void {
    this.#print(`${count === 0 ? 'ok   ' : 'WRONG'} ${path}: ${summary}`);
    for (const { at, text, check } of found) {
      this.#print(`        at ${at}: ${text}`);
      if (this.#form.explain === true) this.#why(check);
    }
    if (count > found.length) this.#print(`        … and ${count - found.length} more`);
  }

  #fileJson(file: string, summary: string, found: readonly Problem[], count: number): void {
    const problems = found.map(({ check, at, text }) => ({ check, at, text, ...this.#whyJson(check) }));
    this.#print(JSON.stringify({ file, summary, problems, count }));
  }

  #whyJson(check: CheckName): object {
    return this.#form.explain === true ? { why: CHECKS[check].why } : {};
  }

  #why(check: CheckName): void {
    if (!this.#isNew(check)) return;
    this.#print(wrapped(`          ${check}: `, CHECKS[check].why).trimEnd());
  }

  /** The first file of a part comes. */
  #part(part: Part): void {
    if (this.#form.explain !== true || !this.#isNew(part)) return;
    const checks = checksOf(part);
    if (this.#form.json === true) {
      const shown = checks.map(([name, { what, why }]) => ({ name, what, why }));
      this.#print(JSON.stringify({ part, checks: shown }));
      return;
    }
    this.#print(`\n${part}: what is checked now, and why`);
    for (const [name, { what, why }] of checks)
      this.#print(wrapped(`  ${name.padEnd(19)}  `, `${what} ${why}`).trimEnd());
  }

  #isNew(name: Part | CheckName): boolean {
    const isNew = !this.#told.has(name);
    this.#told.add(name);
    return isNew;
  }

  /** Something worth knowing that is not wrong. */
  note(text: string): void {
    this.#print(this.#form.json === true ? JSON.stringify({ note: text }) : `note  ${text}`);
  }

  /** The last line: what there is, and what was found of it. */
  summary(text: string, verdict: string): void {
    const { count } = this;
    this.#print(this.#form.json === true ? JSON.stringify({ summary: text, count }) : `${text}: ${verdict}`);
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
