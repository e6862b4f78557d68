/** Random histories of a master and its slaves. SIM_SEED=<n> runs one of them again, SIM_SEED=<n>-<m> so many. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random, seeds } from '../support/random.ts';
import { ReplicationSimulation, type ReplicationTotals } from './replication-simulation.ts';
import type { Planted } from './sim-replica.ts';

const test = suite('replication simulation');
const STEPS = 250;
const RUNS = fullRun ? 5_000 : 120;

async function run(seed: number, planted: Planted = {}, isBlind = false): Promise<ReplicationTotals> {
  const simulation = new ReplicationSimulation(new Random(seed), planted, isBlind);
  try {
    for (let step = 0; step < STEPS; step++) await simulation.step();
    return await simulation.heal();
  } catch (error) {
    const what = `seed ${seed} (SIM_SEED=${seed} runs it again): ${(error as Error).message}`;
    throw new Error(`${what}; ${simulation.story}`, { cause: error });
  }
}

/** How many of so many seeds fail with what `expected` says; no other failure may come of it. */
async function found(planted: Planted, expected: RegExp, isBlind = false, count = 20): Promise<number> {
  let finds = 0;
  for (let seed = 1; seed <= count; seed++) {
    try {
      await run(seed, planted, isBlind);
    } catch (error) {
      assert.match((error as Error).message, expected);
      finds++;
    }
  }
  return finds;
}

test('what is acknowledged is kept, and all logs become the same whatever happens', async () => {
  const all = seeds('SIM_SEED', RUNS);
  const totals: Partial<ReplicationTotals> = {};
  for (const seed of all) {
    const one = await run(seed);
    for (const [name, count] of Object.entries(one) as [keyof ReplicationTotals, number][])
      totals[name] = (totals[name] ?? 0) + count;
  }
  if (fullRun) process.stderr.write(`${all.length} runs: ${JSON.stringify(totals)}\n`);
  // A simulation in which nothing is acknowledged, no slave differs and no master is lost tests nothing.
  if (all.length < 50) return;
  const { acknowledged = 0, cut = 0, failovers = 0, diskFailures = 0, lost = 0 } = totals;
  const shown = JSON.stringify(totals);
  assert.ok(acknowledged > all.length * 10, shown);
  for (const count of [cut, failovers, diskFailures]) assert.ok(count > all.length / 20, shown);
  assert.ok(lost < acknowledged / 10, shown);
});

test('a master that acknowledges what no slave has is found out', async () => {
  const finds = await found({ acknowledgesAlone: true }, /and only replica-\d has had it/);
  assert.ok(finds > 15, `only ${finds} of 20`);
});

test('a slave that reports what is not durable is found out by its reports, and by what is lost then', async () => {
  const planted = { reportsEarly: true };
  const finds = await found(planted, /reports \d+, and is safe up to/);
  assert.ok(finds > 5, `only ${finds} of 20: half of them do not sync`);
  const lost = await found(
    planted,
    /has lost an acknowledged message|cuts an acknowledged message/,
    true,
    40,
  );
  assert.ok(lost > 1, `only ${lost} of 40`);
});

test.run();
