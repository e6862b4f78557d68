/** Random histories of a master and its slave. SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { type Faults, ReplicationSimulation, type ReplicationTotals } from './replication-simulation.ts';

const test = suite('replication simulation');
const STEPS = 250;
const RUNS = fullRun ? 5_000 : 150;

function run(seed: number, faults: Faults = {}): ReplicationTotals {
  const simulation = new ReplicationSimulation(new Random(seed), faults);
  try {
    for (let step = 0; step < STEPS; step++) simulation.step();
    simulation.heal();
  } catch (error) {
    throw new Error(`seed ${seed} (SIM_SEED=${seed} runs it again): ${(error as Error).message}`, {
      cause: error,
    });
  }
  return simulation.totals;
}

test('what is acknowledged is on both, and both become the same whatever happens', () => {
  const all = seeds('SIM_SEED', RUNS);
  const totals = { acknowledged: 0, cut: 0, connections: 0 };
  for (const seed of all) {
    const { acknowledged, cut, connections } = run(seed);
    totals.acknowledged += acknowledged;
    totals.cut += cut;
    totals.connections += connections;
  }
  // A simulation in which nothing is acknowledged and no slave differs tests nothing.
  if (all.length > 1) {
    assert.ok(totals.acknowledged > all.length * 10, JSON.stringify(totals));
    assert.ok(totals.cut > all.length / 20, JSON.stringify(totals));
  }
});

test('a master that acknowledges what no slave has is found out', () => {
  const found = seeds('SIM_SEED', 20).filter((seed) => {
    try {
      run(seed, { acknowledgesAlone: true });
      return false;
    } catch (error) {
      return /and the slave has it up to/.test((error as Error).message);
    }
  });
  assert.ok(found.length > 10, `only ${found.length} of 20`);
});

test.run();
