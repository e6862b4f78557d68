/** The good client beside the hostile ones, as the test sees it. */
import { Worker } from 'node:worker_threads';

export function emptyReport(): GoodClientReport {
  const none = { what: '', ms: 0 };
  return { rounds: 0, slowest: none, slowestOfServers: none, times: [], wrong: [] };
}

export interface GoodClientStart {
  /** `host:port` of each. */
  broker: string;
  nameServer: string;
  /** Whose waits for a processor do not count as a server's time. */
  pids: number[];
}

/** Since the report before. */
export interface GoodClientReport {
  rounds: number;
  slowest: { what: string; ms: number };
  /** The same without the longest wait of one thread for a processor meanwhile. */
  slowestOfServers: { what: string; ms: number };
  /** Ms of every answer. */
  times: number[];
  /** Answers that were not what they must be, the first twenty. */
  wrong: string[];
}

export class GoodClient {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;

  constructor(start: GoodClientStart) {
    this.#worker = new Worker(new URL('./good-client.thread.js', import.meta.url), { workerData: start });
    this.#ended = new Promise((resolve) => this.#worker.once('exit', resolve));
  }

  /** What happened since the last report. */
  report(): Promise<GoodClientReport> {
    return this.#tell('report');
  }

  /** Reports of consecutive times until `rounds` rounds are through, as one. */
  async rounds(rounds: number): Promise<GoodClientReport> {
    const sum = await this.report();
    while (sum.rounds < rounds && sum.wrong.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      addReport(sum, await this.report());
    }
    return sum;
  }

  /** Ends after the round under way; resolves with the last report. */
  async stop(): Promise<GoodClientReport> {
    const last = await this.#tell('stop');
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, 5000).unref())]);
    await this.#worker.terminate();
    return last;
  }

  #tell(message: 'report' | 'stop'): Promise<GoodClientReport> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('message', (report: GoodClientReport) => {
        this.#worker.off('error', reject);
        resolve(report);
      });
      this.#worker.postMessage(message);
    });
  }
}

export function addReport(sum: GoodClientReport, more: GoodClientReport): void {
  sum.rounds += more.rounds;
  sum.wrong.push(...more.wrong);
  for (const time of more.times) sum.times.push(time);
  if (more.slowest.ms > sum.slowest.ms) sum.slowest = more.slowest;
  if (more.slowestOfServers.ms > sum.slowestOfServers.ms) sum.slowestOfServers = more.slowestOfServers;
}

/** For the output of a run: `1234 rounds, slowest 12.3 ms (pull), 10.1 ms (pull) of the servers, p99 4.5 ms`. */
export function describeReport({ rounds, slowest, slowestOfServers, times }: GoodClientReport): string {
  const sorted = Float64Array.from(times).sort();
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  const tell = ({ what, ms }: GoodClientReport['slowest']) => `${ms.toFixed(1)} ms (${what})`;
  return `${rounds} rounds, slowest ${tell(slowest)}, ${tell(slowestOfServers)} of the servers, p99 ${p99.toFixed(1)} ms`;
}
