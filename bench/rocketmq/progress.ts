/** What a run says on stderr while it goes on, a line per step. */
import type { Contestant } from './contestant.ts';
import { figureTitle, formatFigure } from './figures.ts';
import { isClean, type Round } from './outcome.ts';

/** Figures that need not scroll by: tables have them. */
const QUIET = new Set([
  'p999',
  'max',
  'anonymous',
  'shared',
  'memory',
  'slaveMemory',
  'endToEndP999',
  'endToEndMax',
  'generator',
]);

export class Progress {
  readonly #say: (line: string) => void;
  #scenario = '';

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  scenario({ name, title }: { name: string; title: string }): void {
    this.#scenario = name;
    this.#say(`${name}: ${title}`);
  }

  step(line: string): void {
    this.#say(`${this.#scenario}: ${line}`);
  }

  failed({ title }: Contestant, reason: string): void {
    this.step(`${title} FAILED: ${reason}`);
  }

  round(
    { title }: Contestant,
    count: { round: number; rounds: number },
    round: Round,
    repeat: boolean,
  ): void {
    const { figures, disturbance, errors, ledger } = round;
    const parts = Object.entries(figures).flatMap(([key, value]) =>
      QUIET.has(key) ? [] : [`${figureTitle(key)} ${formatFigure(key, value)}`],
    );
    const { foreignShare, stallMaxMillis } = disturbance;
    parts.push(`others ${(foreignShare * 100).toFixed(1)} %, longest stall ${stallMaxMillis.toFixed(0)} ms`);
    if (errors > 0) parts.push(`${errors} ERRORS`);
    if (ledger !== undefined && !isClean(ledger)) parts.push(`LEDGER ${JSON.stringify(ledger)}`);
    if (repeat) parts.push('disturbed: repeated');
    this.#say(`${this.#scenario} ${count.round}/${count.rounds}: ${title}: ${parts.join(', ')}`);
  }
}
