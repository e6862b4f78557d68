/** Random histories of transactions with crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Random } from '../support/random.ts';
import { oneSeed, totalsOf } from './histories.ts';
import { TransactionSimulation } from './transaction-simulation.ts';

const test = suite('transaction simulation');
const STEPS = 80;

test('what is committed comes, what is rolled back does not, and the half queue is always left behind', async () => {
  const begin = (random: Random) => new TransactionSimulation(random);
  const totals = await totalsOf(begin, STEPS, { full: 5_000, normal: 200 });
  // A simulation in which something never happens says nothing about it.
  if (!oneSeed)
    assert.ok(
      Object.values(totals).every((total) => total > 0),
      JSON.stringify(totals),
    );
});

test.run();
