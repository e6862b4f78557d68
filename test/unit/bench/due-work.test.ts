/** Rounds of the rows with messages that come later: what counts as their result, with runs that are made up. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LoadSettings } from '../../../bench/rocketmq/load-run.ts';
import { type LedgerCount, type Round, succeeded } from '../../../bench/rocketmq/outcome.ts';
import { QUICK } from '../../../bench/rocketmq/scenarios.ts';
import { DELAYED, dueWork, TIMED } from '../../../bench/rocketmq/work/due.ts';
import { transactionWork } from '../../../bench/rocketmq/work/transactions.ts';
import type { Stage, WorkPlan } from '../../../bench/rocketmq/work/work.ts';
import { FakeBroker } from './fake-broker.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'due-work-'));
test.after(() => fs.rmSync(home, { recursive: true }));

const LOAD = { connections: 8, inFlight: 32, bodyBytes: 1024 };
const CLEAN: LedgerCount = { lost: 0, duplicates: 0, foreign: 0 };
const QUIET = { foreignShare: 0, stallMaxMillis: 0, disturbed: false };

interface Script {
  rate?: number;
  steady?: LedgerCount;
  /** Of the read that follows. */
  read?: Partial<LedgerCount>;
  /** Happens instead of a process that sends or reads. */
  onGenerate?(settings: LoadSettings): void;
}

/** A round of that work against a broker that only makes topics, with the settings of all runs in it. */
async function roundOf(plan: WorkPlan, script: Script): Promise<{ round: Round; runs: LoadSettings[] }> {
  const broker = await new FakeBroker().open();
  const runs: LoadSettings[] = [];
  const raw = { throughMessages: 1000 };
  const load = {
    run: async (_place: unknown, settings: LoadSettings): Promise<Round> => {
      runs.push(settings);
      const figures = { rate: script.rate ?? 500 };
      return { figures, errors: 1, ledger: script.steady ?? CLEAN, idleShare: 0, disturbance: QUIET, raw };
    },
    generate: async (_place: unknown, settings: LoadSettings) => {
      runs.push(settings);
      script.onGenerate?.(settings);
      const arrivals = { rate: 9000, seen: { p99: 70 } };
      return { errors: 2, arrivals, ...CLEAN, ...script.read };
    },
  };
  let cpuSeconds = 0;
  const target = {
    port: broker.port,
    get cpuSeconds() {
      return cpuSeconds++;
    },
  };
  const around = async (work: () => Promise<unknown>) => ({ value: await work(), disturbance: QUIET });
  const bench = { load, timing: QUICK, watch: { around } };
  const stage = { bench, home, target, others: () => [] } as unknown as Stage;
  try {
    return { round: await plan.begin(stage).round(), runs };
  } finally {
    broker.close();
  }
}

function fails(round: Round): boolean {
  const target = { name: 'a', title: 'A', rounds: [round], repeated: 0, disturbedKept: 0 };
  return !succeeded([{ scenario: { name: 's', title: 'S' }, targets: [target] }]);
}

for (const [name, kind] of [
  ['delayed', DELAYED],
  ['timed', TIMED],
] as const) {
  test(`${name}: the loop, then a burst that is sent and collected with one ledger`, async () => {
    const { round, runs } = await roundOf(dueWork(LOAD, kind), {});
    const [steady, sent, collected] = runs as [LoadSettings, LoadSettings, LoadSettings];
    assert.is(runs.length, 3);
    assert.is(steady['mode'], 'end-to-end');
    // nothing is measured before the first deliveries
    const delaySeconds = kind === TIMED ? Number(steady['timer-delay']) / 1000 : 1;
    assert.ok(Number(steady['warmup']) >= QUICK.runInSeconds + delaySeconds);
    assert.is(sent['messages'], kind.burstMessages(QUICK));
    assert.equal(
      { ...collected, mode: undefined, consumers: undefined },
      { ...sent, mode: undefined, consumers: undefined },
    );
    assert.is(collected['mode'], 'collect');
    assert.not.equal(sent['topic'], steady['topic']);
    // a second of CPU for a thousand messages, and nothing of the burst
    assert.equal(round.figures, { rate: 500, cpu: 1000, burstRate: 9000, burstLate: 70 });
    assert.is(round.errors, 1 + 2 + 2);
    assert.not.ok(fails(round));
  });

  test(`${name}: what either part loses, doubles or finds fails the row`, async () => {
    for (const script of [
      { steady: { lost: 1, duplicates: 0, foreign: 0 } },
      { read: { lost: 1 } },
      { read: { duplicates: 1 } },
      { read: { foreign: 1 } },
    ]) {
      const { round } = await roundOf(dueWork(LOAD, kind), script);
      assert.ok(fails(round), JSON.stringify(script));
    }
  });

  test(`${name}: a broker that takes nothing is asked for no burst`, async () => {
    const { round, runs } = await roundOf(dueWork(LOAD, kind), { rate: 0 });
    assert.is(runs.length, 1);
    assert.is(round.figures['rate'], 0);
  });
}

test('a burst that was due while it was sent is no figure', async () => {
  const late = { ...TIMED, burst: () => ({ 'deliver-at': Date.now() - 1 }) };
  let complaint = '';
  await roundOf(dueWork(LOAD, late), {}).catch((error: Error) => (complaint = error.message));
  assert.match(complaint, /was due before all of it had been sent/);
});

test('transactions: what was committed is read once, from a topic of the round', async () => {
  const { round, runs } = await roundOf(transactionWork(LOAD), {});
  const [sent, read] = runs as [LoadSettings, LoadSettings];
  assert.is(sent['transaction'], true);
  assert.equal([read['mode'], read['once']], ['pull', true]);
  assert.equal([read['topic'], read['ledger']], [sent['topic'], sent['ledger']]);
  assert.not.ok(fails(round));
});

test('transactions: a commit that is not there, or twice, fails the row', async () => {
  for (const read of [{ lost: 1 }, { duplicates: 1 }, { foreign: 1 }]) {
    const { round } = await roundOf(transactionWork(LOAD), { read });
    assert.ok(fails(round), JSON.stringify(read));
  }
});

test.run();
