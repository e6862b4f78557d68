/** What a run says on stderr while it goes on, a line per step. */
import { micros, rate } from './format.ts';
import type { Round } from './load-run.ts';
import type { Scenario } from './scenarios.ts';
import type { TargetName } from './target.ts';

const NAMES: Record<TargetName, string> = { rocketmq: 'RocketMQ', ringmq: 'RingMQ', null: 'null server' };

export function displayName(name: TargetName): string {
  return NAMES[name];
}

export class Progress {
  readonly #say: (line: string) => void;
  #scenario = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  scenario({ name, title }: Scenario): void {
    this.#scenario = name;
    this.#say(`${name}: ${title}`);
  }

  starting(name: TargetName): void {
    this.#say(`${this.#scenario}: ${displayName(name)} starts`);
  }

  warming(name: TargetName): void {
    this.#say(`${this.#scenario}: ${displayName(name)} warms up`);
  }

  failed(name: TargetName, reason: string): void {
    this.#say(`${this.#scenario}: ${displayName(name)} FAILED: ${reason}`);
  }

  round(name: TargetName, count: { round: number; rounds: number }, round: Round, repeat: boolean): void {
    const { result, disturbance } = round;
    const parts = [
      `${displayName(name)} ${rate(result.rate)}`,
      `p50 ${micros(result.p50)}`,
      `p99 ${micros(result.p99)}`,
      `broker CPU ${round.brokerCpuMicrosPerMessage.toFixed(2)} µs/msg`,
      `others ${(disturbance.foreignShare * 100).toFixed(1)} %, longest stall ${disturbance.stallMaxMillis.toFixed(0)} ms`,
    ];
    if (result.errors > 0) parts.push(`${result.errors} ERRORS ${JSON.stringify(result.errorCodes)}`);
    if (repeat) parts.push('disturbed: repeated');
    this.#say(`${this.#scenario} ${count.round}/${count.rounds}: ${parts.join(', ')}`);
  }
}
