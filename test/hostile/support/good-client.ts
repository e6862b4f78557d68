/** The good client beside the hostile ones, as the test sees it. */
import { Worker } from 'node:worker_threads';

export interface GoodClientStart {
  /** `host:port` of each. */
  broker: string;
  nameServer: string;
}

/** Since the report before. */
export interface GoodClientReport {
  rounds: number;
  slowest: { what: string; ms: number };
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
}

/** For the output of a run: `1234 rounds, slowest 12.3 ms (pull), p99 4.5 ms`. */
export function describeReport({ rounds, slowest, times }: GoodClientReport): string {
  const sorted = Float64Array.from(times).sort();
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  return `${rounds} rounds, slowest ${slowest.ms.toFixed(1)} ms (${slowest.what}), p99 ${p99.toFixed(1)} ms`;
}
