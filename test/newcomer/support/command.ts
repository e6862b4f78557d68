// A command as somebody runs it: a process group of its own, its output, Ctrl-C.

import { type ChildProcess, spawn } from 'node:child_process';

const POLL_MS = 50;
const living = new Set<Command>();

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export class Command {
  readonly ended: Promise<number>;
  output = '';
  #code: number | undefined;
  readonly #child: ChildProcess;

  /** `script` is what stands in the block. */
  constructor(script: string, place: Place) {
    this.#child = spawn('bash', ['-e', '-c', script], {
      ...place,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    living.add(this);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk) => {
        this.output += chunk;
      });
    this.ended = new Promise((resolve) => {
      const end = (code: number): void => {
        this.#code = code;
        living.delete(this);
        resolve(code);
      };
      this.#child.on('error', () => end(127));
      this.#child.on('exit', (code) => {
        // What it has left in the background would hold its output open.
        this.signal('SIGKILL');
        this.#child.on('close', () => end(code ?? 128));
      });
    });
  }

  /** Resolves when the output has it; rejects when the command ends before, or after `limitMs`. */
  async shows(what: RegExp, limitMs: number): Promise<void> {
    const until = Date.now() + limitMs;
    while (!what.test(this.output)) {
      if (this.#code !== undefined) throw new Error(`ended with ${this.#code} before it showed ${what}`);
      if (Date.now() > until) throw new Error(`did not show ${what} in ${limitMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async endsWithin(limitMs: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`did not end in ${limitMs / 1000} s`)), limitMs);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What Ctrl-C does: the signal goes to all of the foreground's processes. */
  async interrupt(limitMs: number): Promise<number> {
    this.signal('SIGINT');
    return this.endsWithin(limitMs);
  }

  signal(name: NodeJS.Signals): void {
    signalGroup(this.#child.pid, name);
  }
}

export function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends whatever still runs, with all that it has started. */
export async function endAllCommands(): Promise<void> {
  for (const command of living) command.signal('SIGKILL');
  await Promise.all([...living].map((command) => command.ended));
}
