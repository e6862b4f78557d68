// A command in a real pseudo-terminal, as a person has it: by `script` of util-linux, which Debian always has.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const LONGEST_MS = 60_000;

/** Not the login shell of whoever runs the tests: `script` takes that one, or this one where nobody has logged in. */
const SHELL = '/bin/sh';

export class Terminal {
  readonly ended: Promise<number | null>;
  /** What a person sees. */
  screen = '';
  readonly #script: ChildProcessByStdio<Writable, Readable, Readable>;
  #isOver = false;
  #changed: () => void = () => {};

  /** Runs one command with its arguments, as words of a shell; it takes the shell's place, as in an interactive one. */
  constructor(line: string, options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    // -e: its exit code is the command's. Without exec, the shell itself would end by a Ctrl-C, with 130.
    this.#script = spawn('script', ['-qfec', `exec ${line}`, '/dev/null'], {
      ...options,
      env: { ...(options.env ?? process.env), SHELL },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const output of [this.#script.stdout, this.#script.stderr])
      output.on('data', (chunk: Buffer) => {
        this.screen += chunk.toString();
        this.#changed();
      });
    const timer = setTimeout(() => this.#script.kill('SIGKILL'), LONGEST_MS);
    this.ended = new Promise((resolve) => {
      this.#script.once('close', (code) => {
        clearTimeout(timer);
        this.#isOver = true;
        this.#changed();
        resolve(code);
      });
    });
  }

  /** Resolves with the match when the screen shows it; rejects when the command ends before. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.screen);
      if (match !== null) return match;
      if (this.#isOver) throw new Error(`ended without ${pattern}:\n${this.screen}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Keys as they are typed: '\x03' is Ctrl-C. */
  type(keys: string): void {
    this.#script.stdin.write(keys);
  }

  /** The window is closed. */
  hangUp(): void {
    this.#script.kill('SIGHUP');
  }
}
