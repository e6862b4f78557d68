/** Random histories of transactions with crashes and clock steps. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { type TransactionResult, TransactionSimulation } from './transaction-simulation.ts';

const test = suite('transaction simulation');
const STEPS = 80;

test('what is committed comes, what is rolled back does not, and the half queue is always left behind', async () => {
  const totals: TransactionResult = {
    ...{ delivered: 0, twice: 0, rolledBack: 0 },
    ...{ givenUp: 0, asked: 0, moved: 0 },
  };
  for (const seed of seeds('SIM_SEED', fullRun ? 10_000 : 200)) {
    const simulation = new TransactionSimulation(new Random(seed));
    try {
      await simulation.run(STEPS);
    } catch (error) {
      const tail = simulation.operations.slice(-60).join(', ');
      throw new Error(
        `seed ${seed} (SIM_SEED=${seed} runs it again), after ${tail}: ${(error as Error).stack}`,
      );
    }
    for (const name of Object.keys(totals) as (keyof TransactionResult)[])
      totals[name] += simulation.result[name];
  }
  // A simulation in which something never happens says nothing about it.
  if (process.env['SIM_SEED'] === undefined)
    assert.ok(
      Object.values(totals).every((total) => total > 0),
      JSON.stringify(totals),
    );
});

test.run();
