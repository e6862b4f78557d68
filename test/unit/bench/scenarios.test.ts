/** Which scenarios there are, who takes part in them, and what is asked there of RingMQ. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goalText } from '../../../bench/rocketmq/goals.ts';
import { goesOn } from '../../../bench/rocketmq/hand-over.ts';
import type { LoadSettings } from '../../../bench/rocketmq/load-run.ts';
import type { Round } from '../../../bench/rocketmq/outcome.ts';
import { QUICK, SCENARIOS, type Scenario } from '../../../bench/rocketmq/scenarios.ts';
import type { Stage } from '../../../bench/rocketmq/work/work.ts';

const SUFFIX = '-binary';

function named(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

function isBinary({ name }: Scenario): boolean {
  return name.endsWith(SUFFIX);
}

function twinOf({ name }: Scenario): Scenario {
  return named(name.slice(0, -SUFFIX.length));
}

const names = ({ contestants }: Scenario): string[] => contestants.map(({ name }) => name);
const texts = ({ goals }: Scenario): string[] => goals.map(goalText);

/** What the generator is told in a round. */
async function settingsOf({ plan, contestants, flush }: Scenario): Promise<LoadSettings> {
  let told: LoadSettings = {};
  const run = async (_: unknown, settings: LoadSettings): Promise<Round> => {
    told = settings;
    return {} as Round;
  };
  const bench = { load: { run, generate: run }, timing: QUICK, say() {} };
  const [contestant] = contestants;
  const stage = { bench, contestant, flush, home: '', target: undefined, others: () => [] };
  await plan.begin(stage as unknown as Stage).round();
  return told;
}

test('the rows of plain sends, pulls and end to end have a twin with binary headers right behind them', () => {
  const rows = new Set([1, 2, 4, 5, 6, 7, 8]);
  const json = SCENARIOS.filter((scenario) => rows.has(scenario.row) && !isBinary(scenario));
  assert.ok(json.length > 0);
  for (const { name } of json) {
    const next = SCENARIOS[SCENARIOS.indexOf(named(name)) + 1];
    assert.is(next?.name, `${name}${SUFFIX}`);
  }
  assert.is(SCENARIOS.filter(isBinary).length, json.length);
});

test('a twin differs from its scenario by the header alone', async () => {
  for (const scenario of SCENARIOS.filter(isBinary)) {
    const twin = twinOf(scenario);
    assert.is(scenario.row, twin.row);
    assert.is(scenario.flush, twin.flush);
    assert.is(scenario.title, `${twin.title}, binary headers`);
    const told = await settingsOf(twin);
    assert.is(told['header'], undefined, twin.name);
    assert.equal({ ...(await settingsOf(scenario)) }, { ...told, header: 'binary' }, scenario.name);
    assert.equal(
      names(scenario),
      names(twin).filter((name) => name !== 'bare'),
    );
    assert.equal(
      texts(scenario),
      texts(twin).filter((text) => !text.includes('the bare loop')),
    );
  }
});

test('a twin of sends goes on with the brokers of its scenario', () => {
  for (const scenario of SCENARIOS.filter((one) => isBinary(one) && one.row <= 6)) {
    const next = { scenario, contestants: scenario.contestants };
    for (const contestant of scenario.contestants)
      assert.ok(goesOn(contestant, twinOf(scenario), next), `${scenario.name} ${contestant.name}`);
  }
});

test('the limit takes part in rows 1 to 8 and in no other', () => {
  for (const scenario of SCENARIOS)
    assert.is(names(scenario).includes('limit'), scenario.row <= 8, scenario.name);
});

test('who is compared with the limit takes part beside it', () => {
  for (const scenario of SCENARIOS)
    for (const { over } of scenario.goals)
      if (over?.contestant === 'limit') assert.ok(names(scenario).includes('limit'), scenario.name);
});

test('the targets', () => {
  const rates = (name: string): string[] =>
    texts(named(name)).filter((text) => text.startsWith('messages a second'));
  const of = (limit: number, rocketMq: number): string[] => [
    `messages a second ≥ ${limit} × the limit`,
    `messages a second ≥ ${rocketMq} × RocketMQ`,
  ];
  for (const suffix of ['', SUFFIX]) {
    for (const shape of ['', '-16x64']) {
      assert.equal(rates(`async-1k${shape}${suffix}`), of(0.75, 8));
      assert.ok(texts(named(`async-1k${shape}${suffix}`)).includes('latency p99 ≤ 2 × the limit'));
      assert.equal(rates(`sync-1k${shape}${suffix}`), of(0.9, 6));
    }
    assert.equal(rates(`async-128b${suffix}`), of(0.7, 9));
    assert.equal(rates(`async-batch${suffix}`), of(0.6, 3));
    assert.equal(rates(`pull${suffix}`), of(0.6, 2.5));
    const single = ['latency p50 ≤ 1.5 × the limit', 'latency p50 ≤ 1/3 of RocketMQ'];
    assert.equal(texts(named(`async-single${suffix}`)).slice(0, 2), single);
    const sync = ['latency p50 ≤ 1.2 × the limit', 'latency p50 ≤ 0.5 × RocketMQ'];
    assert.equal(texts(named(`sync-single${suffix}`)).slice(0, 2), sync);
  }
  for (const size of ['4k', '64k'])
    assert.equal(rates(`async-${size}`), [...of(0.9, 4), 'messages a second ≥ 0.9 × the bare loop']);
});

test.run();
