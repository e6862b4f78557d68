/** The broker that play plays with: a child process, its log lines, and what can be done to it from outside. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { visibleLine } from '../../lib/visible.ts';
import { Failure } from '../admin/failure.ts';
import { PLAY_BROKER_COMMAND } from '../admin-commands.ts';
import { type End, ServerProcess } from '../server-process.ts';
import type { EndThread } from './mortal-threads.ts';
import { type PlayStore, SEGMENT_BYTES } from './play-store.ts';

/** Threads that can be ended one by one; the others are control, and delivery while something waits for its time. */
export const MORTAL_THREADS = ['network-0', 'writer', 'dispatcher', 'flusher'] as const;
export type MortalThread = (typeof MORTAL_THREADS)[number];

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where it listens; the next one on the same store gets the same ports, so that clients find it again. */
export interface Places {
  readonly nameServer: string;
  readonly address: string;
}

/** A limit of file sizes by which no CommitLog file can be made, and those that are there can be filled. */
const FULL_BYTES = SEGMENT_BYTES - 1;
const run = promisify(execFile);

export class PlayBroker {
  readonly places: Places;
  readonly metricsUrl: string;
  readonly startedAt = performance.now();
  /** What it has said until it was ready, and since. */
  readonly lines: readonly LogLine[];
  readonly #process: ServerProcess;
  /** RLIMIT_FSIZE as it was before it was lowered. */
  #sizeLimit: string | undefined;

  private constructor(process: ServerProcess, places: Places, metricsUrl: string, lines: LogLine[]) {
    this.#process = process;
    this.places = places;
    this.metricsUrl = metricsUrl;
    this.lines = lines;
  }

  /** Rejects with a Failure that has the broker's own words when it does not come to serve. `hear` gets each line. */
  static async start(
    store: PlayStore,
    places: Places | undefined,
    hear: (line: LogLine) => void,
  ): Promise<PlayBroker> {
    const lines: LogLine[] = [];
    const args = [
      ...[PLAY_BROKER_COMMAND, '-c', store.configFile, '--store', store.directory],
      ...['--port', portOf(places?.address), '--namesrv-port', portOf(places?.nameServer)],
    ];
    const process = new ServerProcess(args, environment(), (text) => {
      const line = logLine(text);
      lines.push(line);
      hear(line);
    });
    const metrics = process.says('metrics are at');
    const early = process.ended.then(() => undefined);
    try {
      const ready = await process.ready;
      await Promise.race([metrics, early]);
      const [, nameServer, address] = /name server (\S+), broker (\S+),/.exec(ready) ?? [];
      const url = lines.find(({ fields }) => typeof fields['url'] === 'string')?.fields['url'];
      if (nameServer === undefined || address === undefined || typeof url !== 'string')
        throw new Error('ended before it could be asked');
      return new PlayBroker(process, { nameServer, address }, url, lines);
    } catch (error) {
      process.signal('SIGKILL');
      const said = lines.at(-1)?.message ?? '';
      throw new Failure(`The broker ${(error as Error).message} before it served: ${said}`);
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get end(): End | undefined {
    return this.#process.end;
  }

  get ended(): Promise<End> {
    return this.#process.ended;
  }

  kill(): Promise<End> {
    this.#process.signal('SIGKILL');
    return this.#process.ended;
  }

  stop(): Promise<End> {
    return this.#process.stop();
  }

  endThread(thread: MortalThread): void {
    this.#process.tell({ endThread: thread } satisfies EndThread);
  }

  get isFull(): boolean {
    return this.#sizeLimit !== undefined && this.end === undefined;
  }

  /** As on a full disk, no file of the log can be made any more. Rejects with a Failure where that is not possible. */
  async fill(): Promise<void> {
    this.#sizeLimit = sizeLimitOf(this.pid);
    await this.#limit(String(FULL_BYTES));
  }

  async free(): Promise<void> {
    if (this.#sizeLimit === undefined) return;
    await this.#limit(this.#sizeLimit);
    this.#sizeLimit = undefined;
  }

  /** The soft limit alone: the hard one could not be raised again. */
  async #limit(bytes: string): Promise<void> {
    try {
      await run('prlimit', ['--pid', String(this.pid), `--fsize=${bytes}:`]);
    } catch (error) {
      this.#sizeLimit = undefined;
      throw new Failure(
        `The disk cannot be filled here: prlimit, of util-linux, fails (${reasonIn(error as Error)}).`,
      );
    }
  }
}

/** The soft one, as prlimit takes it. */
function sizeLimitOf(pid: number): string {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    return /^Max file size\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited';
  } catch {
    // It has just ended, which prlimit says.
    return 'unlimited';
  }
}

/** What the program has said, else why it could not be started. */
function reasonIn({ message, stderr = '' }: Error & { stderr?: string }): string {
  const [first = message] = stderr.trim().split('\n').filter(Boolean);
  return first;
}

function portOf(address: string | undefined): string {
  return address?.slice(address.lastIndexOf(':') + 1) ?? '0';
}

/** Its log comes by the pipe, as JSON, and all of it. */
function environment(): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, RINGMQ_LOG_FILE: ___, ...env } = process.env;
  return { ...env, RINGMQ_LOG_FORMAT: 'json', RINGMQ_LOG_LEVEL: 'info' };
}

/** Exported for its test. */
export function logLine(text: string): LogLine {
  try {
    const { level, time: _, pid: __, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    return { level: String(level), message: visibleLine(String(msg)), fields };
  } catch {
    // A sentence that ends a start, or a stack.
    return { level: 'error', message: visibleLine(text), fields: {} };
  }
}
