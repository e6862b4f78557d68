/** Random histories of groups that pop, with crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Random } from '../support/random.ts';
import { oneSeed, totalsOf } from './histories.ts';
import { PopSimulation } from './pop-simulation.ts';

const test = suite('pop simulation');
const STEPS = 80;

test('nothing is visible twice while invisible, nothing is lost, and nothing is left over', async () => {
  const begin = (random: Random) => new PopSimulation(random);
  const totals = await totalsOf(begin, STEPS, { full: 1_000, normal: 50 });
  // A simulation in which something never happens says nothing about it.
  if (!oneSeed)
    assert.ok(
      Object.values(totals).every((total) => total > 0),
      JSON.stringify(totals),
    );
});

test.run();
