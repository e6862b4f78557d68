// A child process that talks in lines: JSON objects with an "event" become events, everything else is text.
// Every child is remembered until it has ended, so that a test file can stop what it started, by pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { removeTemporaryFolders } from './paths.ts';

export interface ProgramEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const KEPT_TEXT_LINES = 2_000;
/** Told when something goes wrong. */
const KEPT_EVENTS: ReadonlySet<string> = new Set(['send-failed', 'start-failed', 'error']);
const living = new Set<Program>();

export class Program {
  readonly name: string;
  readonly events: ProgramEvent[] = [];
  readonly text: string[] = [];
  readonly ended: Promise<number>;
  exitCode: number | undefined;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  readonly #onEvent: ((event: ProgramEvent) => void)[] = [];

  constructor(name: string, command: string, args: readonly string[], options: ProgramOptions = {}) {
    this.name = name;
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    living.add(this);
    this.#child.stdin?.on('error', () => undefined); // it may be gone already; its exit code tells
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => this.#end(resolve, 127, String(error)));
      // 'close', not 'exit': all that it printed has been read by then.
      this.#child.on('close', (code, signal) =>
        this.#end(resolve, code ?? 128, `ended by ${signal ?? code}`),
      );
    });
    this.#readLines();
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  /** Calls `listener` for all events, those already read included. */
  onEvent(listener: (event: ProgramEvent) => void): void {
    for (const event of this.events) listener(event);
    this.#onEvent.push(listener);
  }

  /** Resolves with the first defined answer of `look`, asked again whenever the program has printed something. */
  waitFor<T>(what: string, look: () => T | undefined, timeout: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${this.name}: ${why} while waiting for ${what}\n${this.tail()}`)));
      const check = (): void => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.exitCode !== undefined) fail(`ended with ${this.exitCode}`);
      };
      const timer = setTimeout(() => fail(`${timeout} ms went by`), timeout);
      this.#listeners.add(check);
      check();
    });
  }

  waitForEvent(event: string, timeout: number): Promise<ProgramEvent> {
    return this.waitFor(`event ${event}`, () => this.events.find((one) => one.event === event), timeout);
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Asks for the end by a line on stdin, as the client programs want it. */
  stop(timeout = 20_000): Promise<number> {
    this.#child.stdin?.end('stop\n');
    return this.waitForEnd(timeout);
  }

  /** Asks for the end by signal, as servers want it. */
  terminate(timeout = 30_000): Promise<number> {
    this.signal('SIGTERM');
    return this.waitForEnd(timeout);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.exitCode === undefined) this.#child.kill(signal);
  }

  waitForEnd(timeout: number): Promise<number> {
    return this.waitFor('its end', () => this.exitCode, timeout);
  }

  tail(): string {
    return this.text
      .slice(-40)
      .map((line) => `  ${this.name}| ${line}`)
      .join('\n');
  }

  #readLines(): void {
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    createInterface({ input: stdout }).on('line', (line) => this.#take(line));
    createInterface({ input: stderr }).on('line', (line) => this.#keepText(line));
    stdout.on('data', () => setImmediate(() => this.#notify()));
    stderr.on('data', () => setImmediate(() => this.#notify()));
  }

  #take(line: string): void {
    if (!line.startsWith('{"event"')) {
      this.#keepText(line);
      return;
    }
    const event = JSON.parse(line) as ProgramEvent;
    this.events.push(event);
    if (KEPT_EVENTS.has(event.event)) this.#keepText(line);
    for (const listener of this.#onEvent) listener(event);
  }

  #keepText(line: string): void {
    this.text.push(line);
    if (this.text.length > KEPT_TEXT_LINES) this.text.shift();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #end(resolve: (code: number) => void, code: number, why: string): void {
    if (this.exitCode !== undefined) return;
    this.#keepText(why);
    this.exitCode = code;
    living.delete(this);
    resolve(code);
    this.#notify();
  }
}

/** For `after`: whatever still runs is killed, by pid, and the temporary folders go. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...living].map((program) => program.kill()));
  removeTemporaryFolders();
}

process.on('exit', () => {
  for (const program of living) program.signal('SIGKILL');
});
