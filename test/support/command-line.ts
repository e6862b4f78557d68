// The command line as a process, and what it says.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** A start that has failed has ended long before. */
const LONGEST_START_MS = 30_000;

export class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';
  err = '';
  #wake: () => void = () => {};

  constructor(args: readonly string[], env: Record<string, string> = {}, options: SpawnOptions = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.ended = once(this.child, 'close').then(([code]) => {
      this.#wake();
      return code as number | null;
    });
    this.child.stdout?.on('data', (data) => {
      this.out += data;
      this.#wake();
    });
    this.child.stderr?.on('data', (data) => {
      this.err += data;
    });
  }

  async ready(): Promise<string> {
    while (!this.out.includes('\n')) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.err}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.out;
  }
}

/** It has to end with a code other than 0 and one sentence, not a stack. Returns the code. */
export async function fails(
  args: readonly string[],
  expected: RegExp,
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): Promise<number> {
  const run = new Run(args, { RINGMQ_LOG_LEVEL: 'error', ...env }, options);
  const endless = setTimeout(() => run.child.kill('SIGKILL'), LONGEST_START_MS);
  const code = await run.ended;
  clearTimeout(endless);
  assert.ok(code === 1 || code === 2, `${args.join(' ')}: ${code}: ${run.out}${run.err}`);
  assert.match(run.err, expected, `${args.join(' ')}: ${run.err}`);
  assert.not.match(run.err, /\n\s+at /, 'no stack');
  assert.is(run.out, '');
  return code;
}
