/** A broker under measurement: its processes, its port, and whether it still lives. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { cpuSeconds, type Memory, memory } from './proc.ts';
import type { ProxyProcess } from './proxy.ts';
import type { SlaveProcess } from './slave.ts';

export interface TargetParts {
  port: number;
  /** Port of its name server; 0 = it has none. */
  nameServerPort: number;
  /** Store folder. */
  store: string;
  /** The process that stores messages; the one whose CPU and memory count. */
  broker: ChildProcess;
  /** Other processes, such as a name server. */
  helpers: ChildProcess[];
  /** What the broker printed, for the reason of a failure. */
  log: string;
  /** When the broker's process was started, on the clock of `performance.now`. */
  startedAt: number;
}

const LOG_TAIL_BYTES = 1500;

export function logTail(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').slice(-LOG_TAIL_BYTES).trim();
  } catch {
    return '';
  }
}

function describeExit(child: ChildProcess): string {
  return child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
}

const CLEAN_STOP_MILLIS = 120_000;

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

export class Target {
  readonly port: number;
  readonly nameServerPort: number;
  readonly store: string;
  readonly startedAt: number;
  readonly #parts: TargetParts;
  #proxy: ProxyProcess | undefined;
  #slave: SlaveProcess | undefined;
  #scraper: ChildProcess | undefined;

  constructor(parts: TargetParts) {
    this.#parts = parts;
    this.port = parts.port;
    this.nameServerPort = parts.nameServerPort;
    this.store = parts.store;
    this.startedAt = parts.startedAt;
  }

  /** A proxy stands in front of it from now on. */
  attach(proxy: ProxyProcess): void {
    this.#proxy = proxy;
  }

  /** It is the master of this slave from now on. */
  followedBy(slave: SlaveProcess): void {
    this.#slave = slave;
  }

  /** Its metrics are fetched from now on. */
  scrapedBy(scraper: ChildProcess): void {
    this.#scraper = scraper;
  }

  /** Of the broker's process. */
  get pid(): number {
    return this.#parts.broker.pid as number;
  }

  /** Port for gRPC; undefined without a proxy. */
  get proxyPort(): number | undefined {
    return this.#proxy?.port;
  }

  /** Undefined without one. */
  get slave(): SlaveProcess | undefined {
    return this.#slave;
  }

  /** What is measured of this contestant, and stands still while another one is. */
  get #measured(): ChildProcess[] {
    return [this.#parts.broker, ...[this.#slave, this.#proxy].flatMap((other) => other?.child ?? [])];
  }

  /** What goes and stands still with the broker. */
  get #companions(): ChildProcess[] {
    return [...this.#measured, ...(this.#scraper === undefined ? [] : [this.#scraper])];
  }

  /** Why no figure of this broker may be used any more; undefined while all its processes live. */
  get death(): string | undefined {
    const { broker, helpers, log } = this.#parts;
    const all = [
      { what: 'the broker', child: broker, log },
      ...helpers.map((child) => ({ what: 'its name server', child, log })),
      { what: 'its slave', ...this.#slave },
      { what: 'its proxy', ...this.#proxy },
      { what: 'its Prometheus', child: this.#scraper, log: undefined },
    ];
    for (const { what, child, log: output } of all) {
      if (child === undefined || (child.exitCode === null && child.signalCode === null)) continue;
      const end = `${what} died (${describeExit(child)})`;
      return output === undefined ? end : `${end}\nlast output: ${logTail(output)}`;
    }
    return undefined;
  }

  /** Of broker, slave and proxy. */
  get cpuSeconds(): number {
    return this.#measured.reduce((sum, { pid }) => sum + cpuSeconds(pid as number), 0);
  }

  /** Undefined without a proxy. */
  get proxyCpuSeconds(): number | undefined {
    return this.#proxy === undefined ? undefined : cpuSeconds(this.#proxy.child.pid as number);
  }

  /** Undefined without a slave. */
  get slaveCpuSeconds(): number | undefined {
    return this.#slave === undefined ? undefined : cpuSeconds(this.#slave.child.pid as number);
  }

  get memory(): Memory {
    return memory(this.#parts.broker.pid as number);
  }

  /** Undefined without a slave. */
  get slaveMemory(): Memory | undefined {
    return this.#slave === undefined ? undefined : memory(this.#slave.child.pid as number);
  }

  /** Stops broker, slave and proxy where they stand. The name server goes on: it would take them for dead otherwise. */
  pause(): void {
    for (const child of this.#companions) child.kill('SIGSTOP');
  }

  resume(): void {
    for (const child of this.#companions) child.kill('SIGCONT');
  }

  /** Kills it: either its store is thrown away with it, or that is what the next start is to find. */
  async stop(): Promise<void> {
    await Promise.all([...this.#companions, ...this.#parts.helpers].map((child) => end(child, 'SIGKILL')));
  }

  /** Lets the broker end by itself, as an operator would, then kills what is beside it. */
  async stopCleanly(): Promise<void> {
    const late = setTimeout(() => this.#parts.broker.kill('SIGKILL'), CLEAN_STOP_MILLIS);
    await end(this.#parts.broker, 'SIGTERM');
    clearTimeout(late);
    const { signalCode } = this.#parts.broker;
    await this.stop();
    if (signalCode === 'SIGKILL') throw new Error(`did not stop within ${CLEAN_STOP_MILLIS / 1000} s`);
  }
}
