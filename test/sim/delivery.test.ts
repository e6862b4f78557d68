/** Random histories of delayed messages with crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Random } from '../support/random.ts';
import { DeliverySimulation } from './delivery-simulation.ts';
import { oneSeed, totalsOf } from './histories.ts';

const test = suite('delivery simulation');
const STEPS = 60;

test('what is durable is delivered, none early, and twice only after a crash', async () => {
  const begin = (random: Random) => new DeliverySimulation(random);
  const totals = await totalsOf(begin, STEPS, { full: 5_000, normal: 100 });
  // A simulation that never repeats and never loses anything tests nothing.
  if (!oneSeed)
    assert.ok(totals.delivered > 0 && totals.twice > 0 && totals.lostUndurable > 0, JSON.stringify(totals));
});

test.run();
