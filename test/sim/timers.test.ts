/** Random histories of timers with recalls, crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { type TimerResult, TimerSimulation } from './timer-simulation.ts';

const test = suite('timer simulation');
const STEPS = 70;

test('what is durable comes, none early, none that was recalled, and twice only after a crash', async () => {
  const totals: TimerResult = { delivered: 0, twice: 0, recalled: 0, rolled: 0, crashes: 0 };
  for (const seed of seeds('SIM_SEED', fullRun ? 5_000 : 100)) {
    const simulation = new TimerSimulation(new Random(seed));
    try {
      await simulation.run(STEPS);
    } catch (error) {
      const tail = simulation.operations.slice(-70).join(', ');
      const lines = simulation.lines.slice(-5).join(' | ');
      throw new Error(
        `seed ${seed} (SIM_SEED=${seed} runs it again), after ${tail}; ${lines}: ${(error as Error).stack}`,
      );
    }
    for (const name of Object.keys(totals) as (keyof TimerResult)[]) totals[name] += simulation.result[name];
  }
  // A simulation in which one of these never happens tests nothing.
  if (process.env['SIM_SEED'] === undefined)
    assert.ok(!Object.values(totals).includes(0), JSON.stringify(totals));
});

test.run();
