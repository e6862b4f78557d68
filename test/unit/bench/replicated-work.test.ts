/** Rounds of the rows with a slave: when one begins, what is read of it, what fails it; with made-up runs. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SlaveStatus } from '../../../bench/rocketmq/admin.ts';
import { listing, scenarioSeconds } from '../../../bench/rocketmq/estimate.ts';
import { makeRound, type RunHooks, type RunResult } from '../../../bench/rocketmq/load-run.ts';
import { castingsOf, parseBenchOptions } from '../../../bench/rocketmq/options.ts';
import type { Round } from '../../../bench/rocketmq/outcome.ts';
import { QUICK, SCENARIOS } from '../../../bench/rocketmq/scenarios.ts';
import { masterConf } from '../../../bench/rocketmq/slave.ts';
import { LagWatch } from '../../../bench/rocketmq/work/lag-watch.ts';
import { replicatedWork, slaveFollows } from '../../../bench/rocketmq/work/replicated.ts';
import type { Stage } from '../../../bench/rocketmq/work/work.ts';
import { FakeBroker } from './fake-broker.ts';

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'replicated-work-'));
test.after(() => fs.rmSync(home, { recursive: true }));

const LOAD = { connections: 8, inFlight: 32, bodyBytes: 1024 };
const QUIET = { foreignShare: 0, stallMaxMillis: 0, disturbed: false };
const HA_STATUS = 907;
const RUNTIME_INFO = 28;
const FOLLOWS: SlaveStatus[] = [{ diff: 0, inSync: true }];

/** The first of them, and the next one each time; the last one stays. */
function inTurn<T>(...all: [T, ...T[]]): () => T {
  return () => (all.length > 1 ? (all.shift() as T) : all[0]);
}

function storeOf(name: string, text: string): string {
  const store = path.join(home, name);
  fs.mkdirSync(path.join(store, 'commitlog'), { recursive: true });
  fs.writeFileSync(path.join(store, 'commitlog', '0'.repeat(20)), text);
  return store;
}

interface Pair {
  slaves: () => SlaveStatus[];
  masterEnd: () => number;
  slaveEnd: () => number;
  slaveLog?: string;
}

const LOG = 'the log of the master';
const SAME: Pair = {
  slaves: () => FOLLOWS,
  masterEnd: () => LOG.length,
  slaveEnd: () => LOG.length,
};

/** A round against a master and a slave that say this of themselves. */
async function roundOf({ slaves, masterEnd, slaveEnd, slaveLog = LOG }: Pair): Promise<Round> {
  const [master, slave] = [await new FakeBroker().open(), await new FakeBroker().open()];
  const end = (of: () => number) => () => ({ table: { commitLogMaxOffset: String(of()) } });
  master.told.set(HA_STATUS, () => ({ haConnectionInfo: slaves() }));
  master.told.set(RUNTIME_INFO, end(masterEnd));
  slave.told.set(RUNTIME_INFO, end(slaveEnd));
  const copy = { port: slave.port, store: storeOf('slave', slaveLog) };
  const target = { port: master.port, store: storeOf('master', LOG), slave: copy };
  try {
    return await replicatedWork(LOAD, 0).begin(stageOf(target)).round();
  } finally {
    master.close();
    slave.close();
  }
}

function stageOf(target: unknown): Stage {
  const run = async (_place: unknown, _settings: unknown, hooks: RunHooks): Promise<Round> => {
    hooks.onDraining?.();
    return { figures: { rate: 500 }, errors: 0, idleShare: 0, disturbance: QUIET };
  };
  const bench = { load: { run }, timing: QUICK, say: () => {} };
  return { bench, contestant: { title: 'one' }, target, others: () => [] } as unknown as Stage;
}

test('a slave that is not behind', async () => {
  const { figures } = await roundOf(SAME);
  assert.equal(figures, { rate: 500, slaveBehind: 0, slaveBehindFor: 0 });
});

test('a slave that is behind at the end, and comes', async () => {
  const { figures } = await roundOf({ ...SAME, slaveEnd: inTurn(5, 10, LOG.length) });
  assert.is(figures['slaveBehind'], LOG.length - 5);
  assert.ok((figures['slaveBehindFor'] as number) > 0);
});

test('a slave that answered later than its master is not ahead of it', async () => {
  const { figures } = await roundOf({ ...SAME, masterEnd: inTurn(5, LOG.length) });
  assert.is(figures['slaveBehind'], 0);
});

test('a slave with other bytes fails the round', async () => {
  const reason = await roundOf({ ...SAME, slaveLog: LOG.replace('log', 'lag') }).catch(String);
  assert.is(reason, 'Error: the logs differ at position 5, 16 bytes before their end');
});

test('without a slave it is a plain round, and nobody is asked', async () => {
  const work = replicatedWork(LOAD, 0).begin(stageOf({ port: 0, slave: undefined }));
  assert.equal((await work.round()).figures, { rate: 500 });
});

test('a round begins when the one slave counts and lacks nothing', async () => {
  const master = await new FakeBroker().open();
  const states = [
    [],
    [{ diff: 0, inSync: false }],
    [{ diff: 7, inSync: true }],
    [...FOLLOWS, ...FOLLOWS],
    FOLLOWS,
  ];
  master.told.set(HA_STATUS, () => ({ haConnectionInfo: states.shift() ?? [] }));
  await slaveFollows({ port: master.port, death: undefined }, { steady: 0 });
  assert.equal(states, []);
  const complaint = (death: string | undefined, most: number) =>
    slaveFollows({ port: master.port, death }, { most, steady: 0 }).catch((error: Error) => error.message);
  assert.is(await complaint(undefined, 0), 'its slave does not follow the master, which has []');
  assert.is(await complaint('its slave died', 60_000), 'its slave died');
  master.close();
});

test('what was behind counts until all is acknowledged, and not for ever', async () => {
  const looks = [30, 0, 20, 0];
  const watch = new LagWatch(async () => {
    const look = looks.shift() as number;
    if (look === 20) watch.allAcknowledged();
    return look;
  }, 'too late');
  const { bytes, micros } = await watch.result;
  assert.is(bytes, 30);
  assert.ok(micros > 0);
  assert.equal(looks, []);
  const late = await new LagWatch(async () => 1, 'too late', 0).result.catch((error: Error) => error.message);
  assert.is(late, 'too late');
});

test('CPU and memory of the slave stand beside those of the master', () => {
  const latency = { p50: 1, p99: 2, p999: 3, max: 4 };
  const result = { messages: 1000, errors: 0, rate: 500, seconds: 2, cpuMicrosPerMessage: 1, ...latency };
  const memory = { anonymousBytes: 100, sharedBytes: 10 };
  const slave = { cpuSeconds: 0.01, memory: { anonymousBytes: 70, sharedBytes: 7 } };
  const readings = { brokerCpuSeconds: 0.02, memory, idleShare: 0 };
  const { figures } = makeRound(result as RunResult, { ...readings, slave }, QUIET);
  assert.equal(
    ['cpu', 'slaveCpu', 'memory', 'slaveMemory'].map((key) => figures[key]),
    [20, 10, 110, 77],
  );
  const alone = makeRound(result as RunResult, readings, QUIET).figures;
  assert.is(alone['cpu'], 20);
  assert.not.ok('slaveCpu' in alone || 'slaveMemory' in alone || 'proxyCpu' in alone);
});

test('both contestants have a slave, and a SYNC_MASTER waits for it', () => {
  const rows = SCENARIOS.filter(({ name }) => name.startsWith('replicated-'));
  assert.equal(
    rows.map(({ name, flush, contestants }) => [name, flush, contestants.map(({ master }) => master)]),
    [
      ['replicated-async', 'ASYNC_FLUSH', ['ASYNC_MASTER', 'ASYNC_MASTER']],
      ['replicated-sync', 'ASYNC_FLUSH', ['SYNC_MASTER', 'SYNC_MASTER']],
    ],
  );
  const [one, two] = rows.map(({ contestants: [first] }) =>
    masterConf(first as (typeof rows)[0]['contestants'][0]),
  );
  assert.equal(one, { brokerRole: 'ASYNC_MASTER' });
  assert.equal(two, { brokerRole: 'SYNC_MASTER', inSyncReplicas: '2' });
  assert.equal(masterConf({ name: 'one', title: 'one', kind: 'ringmq' }), {});
});

test('the listing has both with their target, and two brokers take longer to start than one', () => {
  const options = parseBenchOptions(['--scenario', '23', '--scenario', '24']);
  const text = listing(options);
  assert.match(
    text,
    /^23 {2}replicated-async .*\n +target: messages a second ≥ 3 × RocketMQ\n24 {2}replicated-sync /,
  );
  const plain = parseBenchOptions(['--scenario', 'tls']);
  const seconds = (one: typeof options): number[] =>
    castingsOf(one.scenarios, one).map((casting) => scenarioSeconds(casting, undefined, one));
  const [without] = seconds(plain) as [number];
  for (const pair of seconds(options)) assert.ok(pair > without + 10, `${pair} and ${without}`);
});

test.run();
