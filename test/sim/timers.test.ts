/** Random histories of timers with recalls, crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Random } from '../support/random.ts';
import { oneSeed, totalsOf } from './histories.ts';
import { TimerSimulation } from './timer-simulation.ts';

const test = suite('timer simulation');
const STEPS = 70;

test('what is durable comes, none early, none that was recalled, and twice only after a crash', async () => {
  const begin = (random: Random) => new TimerSimulation(random);
  const totals = await totalsOf(begin, STEPS, { full: 5_000, normal: 100 });
  // A simulation in which one of these never happens tests nothing.
  if (!oneSeed) assert.ok(!Object.values(totals).includes(0), JSON.stringify(totals));
});

test.run();
