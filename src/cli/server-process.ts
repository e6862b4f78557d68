/**
 * A server as a child process of a command that looks after it. It has a session of its own, so that a Ctrl-C reaches
 * its parent alone, and a channel to that, by whose end it notices when its parent was killed: then it stops too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { embedded } from '../lib/embedded.ts';

const READY = 'RingMQ ready: ';

export type End = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export class ServerProcess {
  /** Resolves with its ready line when it serves, and rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<End>;
  end: End | undefined;
  readonly #child: ChildProcess;
  readonly #heard: ((line: string) => void)[] = [];

  /** `args`: its command, `broker`, and the options of that. `say` gets each line of its log. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv, say: (line: string) => void) {
    const [command = '', ...rest] = thisProgram();
    this.#child = spawn(command, [...rest, ...args], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#heard.push(say);
    const { promise, resolve, reject } = settled<string>();
    this.ready = promise;
    this.ended = new Promise((done) => {
      const over = (code: number | null, signal: NodeJS.Signals | null, why: string) => {
        this.end ??= { code, signal };
        done(this.end);
        reject(new Error(why));
      };
      this.#child.once('error', (error) => over(1, null, error.message));
      // All that it has printed was read by then.
      this.#child.once('close', (code, signal) => over(code, signal, endText({ code, signal })));
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) return;
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith(READY)) resolve(line);
      else say(line);
    });
    createInterface({ input: stderr }).on('line', (line) => {
      for (const hear of this.#heard) hear(line);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with the first line of its log that has these words. */
  says(words: string): Promise<void> {
    return new Promise((resolve) => {
      this.#heard.push((line) => {
        if (line.includes(words)) resolve();
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.end === undefined) this.#child.kill(signal);
  }

  /** By its channel; whoever has ended hears nothing. */
  tell(message: object): void {
    if (this.end === undefined && this.#child.connected) this.#child.send(message);
  }

  /** Asks it to stop; resolves with how it ended. */
  stop(): Promise<End> {
    this.signal('SIGTERM');
    return this.ended;
  }
}

export function endText({ code, signal }: End): string {
  return signal === null ? `has ended with exit code ${code}` : `was ended by ${signal}`;
}

/** This program once more. */
function thisProgram(): string[] {
  const script = embedded === undefined ? [...process.execArgv, process.argv[1] ?? ''] : [];
  return [process.execPath, ...script];
}

function settled<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits hears of it; an end behind the start is told by `ended`.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
