/**
 * Everything that a run starts or writes belongs to its run folder `<cache>/runs/<pid>`: stores, homes, logs, and the
 * list of process ids. It is taken down on every way out. Only a SIGKILL of the harness itself leaves it behind; the
 * next run finds that and takes it down first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface StartOptions {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** File that stdout and stderr go to; without it both are pipes. */
  log?: string;
  ipc?: boolean;
  /** A pipe to write commands to. */
  stdin?: boolean;
  /** It may fetch something: it keeps this machine's settings for that. */
  fetches?: boolean;
}

/** For package registries behind a proxy: reading these certificates costs each Node.js process 75 to 90 ms of start. */
const CERTIFICATES = 'NODE_EXTRA_CA_CERTS';

/** What is measured, or measures, starts as it does on a machine without such settings. */
function environment({ env = process.env, fetches = false }: StartOptions): NodeJS.ProcessEnv {
  if (fetches) return env;
  const { [CERTIFICATES]: _, ...others } = env;
  return others;
}

const PIDS = 'pids';

export class RunFolder {
  readonly path: string;
  readonly #children = new Set<ChildProcess>();

  constructor(cache: string) {
    const runs = path.join(cache, 'runs');
    fs.mkdirSync(runs, { recursive: true });
    for (const name of fs.readdirSync(runs)) sweepLeftover(path.join(runs, name), Number(name));
    this.path = path.join(runs, String(process.pid));
    fs.mkdirSync(this.path, { recursive: true });
    this.#installHandlers();
  }

  /** Process ids of what runs now. */
  get pids(): number[] {
    return [...this.#children].flatMap(({ pid }) => pid ?? []);
  }

  /** Ends what was started since `before` was read from `pids`: the rest of a broker that did not come up. */
  endStartedSince(before: readonly number[]): void {
    for (const child of this.#children) {
      if (child.pid !== undefined && !before.includes(child.pid)) child.kill('SIGKILL');
    }
  }

  start(options: StartOptions): ChildProcess {
    const { command, args, cwd, log, ipc, stdin } = options;
    const output = log === undefined ? 'pipe' : fs.openSync(log, 'a');
    const input = stdin === true ? 'pipe' : 'ignore';
    const child = spawn(command, args, {
      env: environment(options),
      cwd: cwd ?? this.path,
      stdio: ipc === true ? [input, output, output, 'ipc'] : [input, output, output],
    });
    if (typeof output === 'number') fs.closeSync(output);
    if (child.pid !== undefined) fs.appendFileSync(path.join(this.path, PIDS), `${child.pid}\n`);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    // a command that cannot be started is seen by its exit event or the caller's own listener
    child.on('error', () => this.#children.delete(child));
    return child;
  }

  #installHandlers(): void {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
    }
    process.once('exit', () => this.takeDown());
  }

  takeDown(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    removeFolder(this.path);
  }
}

/** A process that is being killed may still create a file while its folder goes: a few tries settle that. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

function isAlive(pid: number): boolean {
  return fs.existsSync(`/proc/${pid}`);
}

/** Kills only processes whose command line names the leftover folder: their ids may belong to others by now. */
function sweepLeftover(folder: string, ownerPid: number): void {
  if (isAlive(ownerPid)) return;
  const list = path.join(folder, PIDS);
  const pids = fs.existsSync(list)
    ? fs.readFileSync(list, 'utf8').split('\n').filter(Boolean).map(Number)
    : [];
  for (const pid of pids) {
    try {
      if (fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }
  removeFolder(folder);
}
