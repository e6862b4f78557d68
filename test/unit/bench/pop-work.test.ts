/** What the rows of pops ask the generator for, with a generator that only notes it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RINGMQ } from '../../../bench/rocketmq/contestant.ts';
import type { LoadSettings } from '../../../bench/rocketmq/load-run.ts';
import { QUICK, SCENARIOS } from '../../../bench/rocketmq/scenarios.ts';
import type { Target } from '../../../bench/rocketmq/target.ts';
import type { Bench, Stage, WorkPlan } from '../../../bench/rocketmq/work/work.ts';

function planOf(name: string): WorkPlan {
  return (SCENARIOS.find((scenario) => scenario.name === name) as { plan: WorkPlan }).plan;
}

async function twoRounds(name: string, target: Partial<Target>): Promise<LoadSettings[]> {
  const asked: LoadSettings[] = [];
  const load = { run: async (_place: unknown, settings: LoadSettings) => asked.push(settings) };
  const bench = { load, timing: QUICK } as unknown as Bench;
  const stage = {
    bench,
    contestant: RINGMQ,
    flush: 'ASYNC_FLUSH',
    home: '/nowhere',
    target,
    others: () => [],
  };
  const work = planOf(name).begin(stage as unknown as Stage);
  await work.round();
  await work.round();
  return asked;
}

test('every round of pops has a group of its own, which begins with the backlog', async () => {
  const [first, second] = await twoRounds('pop', {});
  assert.is(first?.['mode'], 'pop');
  assert.is(first?.['queues'], 8);
  assert.is(first?.['pull-batch'], 32);
  assert.is(first?.['ledger'], second?.['ledger']);
  assert.is.not(first?.['group'], second?.['group']);
  assert.is(first?.['proxy-port'], undefined);
});

test('the rows with a proxy go to it', async () => {
  for (const name of ['proxy-send', 'proxy-receive'])
    for (const settings of await twoRounds(name, { proxyPort: 4711 }))
      assert.is(settings['proxy-port'], 4711);
});

test('a proxy stands in front of every contestant of its rows, and of no other', () => {
  for (const { row, contestants } of SCENARIOS)
    for (const { proxy } of contestants) assert.is(proxy === true, row === 21 || row === 22);
});

test.run();
