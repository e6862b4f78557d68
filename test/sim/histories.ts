/** Random histories by seed: what happened in all of them together. */
import { fullRun, Random, seeds } from '../support/random.ts';

interface History {
  /** What was done, in order. */
  readonly operations: readonly string[];
  readonly result: object;
  /** What the log of the simulated broker says. */
  readonly lines?: readonly string[];
  run(steps: number): Promise<void>;
}

/** Operations and lines that are shown of a history that fails. */
const SHOWN = 70;
const SHOWN_LINES = 5;

/**
 * Runs histories of so many steps by all seeds, or the one of SIM_SEED; returns the sums of their results, which are
 * all numbers. Throws the first failure with its seed.
 */
export async function totalsOf<H extends History>(
  begin: (random: Random) => H,
  steps: number,
  { full, normal }: { full: number; normal: number },
): Promise<H['result']> {
  const totals: Record<string, number> = {};
  for (const seed of seeds('SIM_SEED', fullRun ? full : normal)) {
    const history = begin(new Random(seed));
    try {
      await history.run(steps);
    } catch (error) {
      const tail = history.operations.slice(-SHOWN).join(', ');
      const lines = history.lines?.slice(-SHOWN_LINES).join(' | ') ?? '';
      const what = `seed ${seed} (SIM_SEED=${seed} runs it again), after ${tail}; ${lines}`;
      throw new Error(`${what}: ${(error as Error).stack}`);
    }
    for (const [name, count] of Object.entries(history.result)) totals[name] = (totals[name] ?? 0) + count;
  }
  return totals;
}

/** Whether one seed was asked for: then not everything that can happen has to. */
export const oneSeed = process.env['SIM_SEED'] !== undefined;
