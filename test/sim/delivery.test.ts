/** Random histories of delayed messages with crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { DeliverySimulation } from './delivery-simulation.ts';

const test = suite('delivery simulation');
const STEPS = 60;

test('what is durable is delivered, none early, and twice only after a crash', async () => {
  const totals = { delivered: 0, twice: 0, lostUndurable: 0 };
  for (const seed of seeds('SIM_SEED', fullRun ? 5_000 : 100)) {
    const simulation = new DeliverySimulation(new Random(seed));
    try {
      await simulation.run(STEPS);
    } catch (error) {
      const tail = simulation.operations.slice(-60).join(', ');
      throw new Error(
        `seed ${seed} (SIM_SEED=${seed} runs it again), after ${tail}: ${(error as Error).stack}`,
      );
    }
    for (const name of ['delivered', 'twice', 'lostUndurable'] as const)
      totals[name] += simulation.result[name];
  }
  // A simulation that never repeats and never loses anything tests nothing.
  if (process.env['SIM_SEED'] === undefined)
    assert.ok(totals.delivered > 0 && totals.twice > 0 && totals.lostUndurable > 0, JSON.stringify(totals));
});

test.run();
