// The page with the metrics: RocketMQ's families with RocketMQ's labels, figures that are those of what Java clients
// did, and a real Prometheus that reads it, evaluates the rules and finds every series of the dashboard.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { until as untilSoon } from '../support/sockets-rig.ts';
import { Consumer, Producer } from './scenarios/actors.ts';
import { Transactor } from './scenarios/transacting.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { Popper } from './support/pops.ts';
import { freePort } from './support/ports.ts';
import { monitoring, Prometheus, prometheusProgram } from './support/prometheus.ts';
import { RawConnection, send } from './support/raw.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startCluster, target } from './support/target.ts';

const test = interopSuite('metrics');
/** Those that a test with the real broker looks at too. */
const onOurs = target === 'ringmq' ? test : test.skip;
const COUNT = 200;

/** A client of a busy machine takes seconds to start. */
function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  return untilSoon(what, condition, { patienceMs: 90_000, pauseMs: 200 });
}

const BROKER = ['cluster', 'node_id', 'node_type'];
const LAG = [...BROKER, 'consumer_group', 'is_retry', 'is_system', 'topic'];
const STORE = [...BROKER, 'storage_medium', 'storage_type'];
const INCOMING = [...BROKER, 'is_system', 'message_type', 'topic'];
const OUTGOING = [...BROKER, 'consumer_group', 'is_system', 'topic'];
const TOPIC = [...BROKER, 'topic'];
const TIMERS = [...STORE, 'topic'];
const REVIVED = [...BROKER, 'consumer_group', 'put_status', 'topic'];
const CLIENTS = [...BROKER, 'language', 'protocol_type', 'version'];
/** Families that RocketMQ 5.5.0 shows, with their labels. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  rocketmq_broker_permission: BROKER,
  rocketmq_topic_number: BROKER,
  rocketmq_consumer_group_number: BROKER,
  rocketmq_producer_connections: CLIENTS,
  rocketmq_consumer_connections: [...CLIENTS, 'consume_mode', 'consumer_group', 'is_system'],
  rocketmq_messages_in_total: INCOMING,
  rocketmq_throughput_in_total: INCOMING,
  rocketmq_messages_out_total: OUTGOING,
  rocketmq_throughput_out_total: OUTGOING,
  rocketmq_consumer_lag_messages: LAG,
  rocketmq_consumer_lag_latency_milliseconds: LAG,
  rocketmq_consumer_inflight_messages: LAG,
  rocketmq_consumer_queueing_latency_milliseconds: LAG,
  rocketmq_consumer_ready_messages: LAG,
  rocketmq_storage_size_bytes: STORE,
  rocketmq_storage_flush_behind_bytes: STORE,
  rocketmq_storage_dispatch_behind_bytes: STORE,
  rocketmq_storage_message_reserve_time_milliseconds: STORE,
  rocketmq_rpc_latency_milliseconds_bucket: [
    ...BROKER,
    ...['is_long_polling', 'le', 'protocol_type', 'request_code', 'response_code', 'result'],
  ],
  rocketmq_message_size_bucket: [...INCOMING, 'le'],
  rocketmq_topic_create_execution_time_milliseconds_bucket: [
    ...BROKER,
    ...['invocation_status', 'is_system', 'le'],
  ],
  rocketmq_consumer_group_create_execution_time_milliseconds_bucket: [...BROKER, 'invocation_status', 'le'],
  rocketmq_commit_messages_total: TOPIC,
  rocketmq_rollback_messages_total: TOPIC,
  rocketmq_finish_message_latency_milliseconds_bucket: [...TOPIC, 'le'],
  rocketmq_half_messages: TOPIC,
  rocketmq_timer_enqueue_lag: STORE,
  rocketmq_timer_enqueue_latency_milliseconds: STORE,
  rocketmq_timer_dequeue_lag: STORE,
  rocketmq_timer_dequeue_latency_milliseconds: STORE,
  rocketmq_timer_enqueue_total: TIMERS,
  rocketmq_timer_dequeue_total: TIMERS,
  rocketmq_timing_messages: TIMERS,
  rocketmq_timer_message_snapshot: [...STORE, 'timer_bound_s'],
  rocketmq_delay_message_latency_seconds_bucket: [...TIMERS, 'le'],
  rocketmq_pop_revive_in_message_total: [...REVIVED, 'revive_message_type'],
  rocketmq_pop_revive_retry_messages_total: REVIVED,
  rocketmq_pop_revive_lag_milliseconds: [...BROKER, 'queue_id'],
  rocketmq_pop_revive_latency_milliseconds: [...BROKER, 'queue_id'],
  rocketmq_pop_checkpoint_buffer_size: BROKER,
};

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

class Page {
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  get(path: string, method = 'GET'): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, { method });
  }

  async samples(): Promise<Sample[]> {
    const answer = await this.get('/metrics');
    const text = await answer.text();
    assert.is(answer.status, 200, text);
    return text.split('\n').flatMap((line) => {
      const [, name = '', labels = '', value] = /^([a-z_]+)\{(.*)\} (\S+)/.exec(line) ?? [];
      if (value === undefined) return [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, of]) => [key, of]);
      return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
    });
  }

  /** The sum of the samples of a family that have these labels. */
  async value(name: string, labels: Record<string, string> = {}): Promise<number> {
    const fits = (sample: Sample) =>
      sample.name === name && Object.entries(labels).every(([key, of]) => sample.labels[key] === of);
    return (await this.samples()).filter(fits).reduce((sum, { value }) => sum + value, 0);
  }
}

const UPDATE_TOPIC = 17;
const UPDATE_GROUP = 200;

/** What makes the other families have samples: topics, groups, transactions, timed messages, pops. */
async function bringAll(): Promise<Transactor> {
  const { broker } = cluster;
  const connection = await RawConnection.open(broker.address);
  const ext = {
    ...{ topic: 'timed', defaultTopic: 'TBW102', readQueueNums: 1, writeQueueNums: 1, perm: 6 },
    ...{ topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: 'false' },
  };
  assert.is((await connection.request({ code: UPDATE_TOPIC, ext })).code, 0);
  const group = { groupName: 'poppers', consumeEnable: true, retryQueueNums: 1, retryMaxTimes: 16 };
  const body = Buffer.from(JSON.stringify(group));
  assert.is((await connection.request({ code: UPDATE_GROUP, body })).code, 0);
  for (const delay of [1, 3_600]) {
    const properties = `TIMER_DELAY_SEC\u0001${delay}\u0002`;
    assert.is((await connection.request(send('timed', { properties }))).code, 0);
  }
  await connection.request(send('timed'));
  const popper = await Popper.open(broker, 'poppers');
  await popper.popAll('timed', 1, { invisibleTime: 10_000 });
  popper.connection.destroy();
  connection.destroy();
  const transactor = new Transactor(java55, cluster);
  await transactor.ready();
  for (const local of ['commit', 'rollback', 'unknown'])
    await transactor.send({ topic: 'transacted', prefix: local, local, checks: 'unknown' });
  return transactor;
}

let cluster: Cluster;
let page: Page;

test('families have the labels that RocketMQ gives them', async () => {
  page = new Page(await freePort());
  cluster = await startCluster({
    conf: {
      metricsExporterType: 'PROM',
      metricsPromExporterPort: page.port,
      metricsPromExporterHost: '127.0.0.1',
      metricsLabel: 'instance_id:one',
      ...(target === 'ringmq' ? { 'ringmq.metricsExporterNames': true } : {}),
    },
  });
  const ledger = new Ledger();
  const producer = new Producer(java55, cluster, { topic: 'measured', 'until-stop': true, rate: 20 }, ledger);
  const consumer = new Consumer(java55, cluster, { topic: 'measured', group: 'measurers' }, ledger);
  const transactor = await bringAll();
  let missing: string[] = [];
  await until('all families have samples', async () => {
    const names = new Set((await page.samples()).map(({ name }) => name));
    missing = Object.keys(FAMILIES).filter((name) => !names.has(name));
    return missing.length === 0;
  }).catch(() => assert.equal(missing, []));
  const own = (name: string) => !name.startsWith('otel_scope') && name !== 'instance_id';
  for (const { name, labels } of await page.samples()) {
    // What RocketMQ gives out by pops has one label more than what it gives out by pulls.
    const isPopped = name.includes('_out_') && labels['consumer_group'] === 'poppers';
    if (FAMILIES[name] === undefined || isPopped) continue;
    assert.is(labels['instance_id'], 'one', name);
    assert.equal(Object.keys(labels).filter(own).sort(), [...FAMILIES[name]].sort(), name);
  }
  assert.ok((await page.value('rocketmq_producer_connections', { language: 'java', version: 'v5_5_0' })) > 0);
  await transactor.program.kill();
  await producer.program.stop();
  await consumer.receives(ledger);
  await consumer.stop();
});

onOurs('figures are those of what clients did', async () => {
  const [topic, group] = ['counted', 'counters'];
  const ledger = new Ledger();
  await new Producer(java55, cluster, { topic, count: COUNT }, ledger).finish();
  const consumer = new Consumer(java55, cluster, { topic, group }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  await until('what was given is counted', async () => {
    return (await page.value('rocketmq_messages_out_total', { topic, consumer_group: group })) === COUNT;
  });
  assert.is(await page.value('rocketmq_messages_in_total', { topic }), COUNT);
  const bytes = await page.value('rocketmq_throughput_in_total', { topic });
  const size = consumer.delivered.reduce((sum, { storeSize }) => sum + storeSize, 0);
  assert.is(bytes, size, 'the records that the client has seen');
  assert.is(await page.value('rocketmq_throughput_out_total', { topic }), bytes);
  assert.is(await page.value('rocketmq_message_size_count', { topic }), COUNT);
  assert.is(await page.value('rocketmq_message_size_sum', { topic }), bytes);
  const calls = (labels: Record<string, string>) =>
    page.value('rocketmq_rpc_latency_milliseconds_count', { ...labels, result: 'success' });
  const sent = await calls({ request_code: 'send_message_v2', response_code: 'success' });
  assert.ok(sent >= COUNT, `${sent} sends are measured`);
  for (const request_code of ['pull_message', 'heart_beat', 'update_and_create_topic', 'pop_message'])
    assert.ok((await calls({ request_code })) > 0, request_code);
  const ends = { request_code: 'end_transaction', result: 'oneway' };
  assert.is(await page.value('rocketmq_rpc_latency_milliseconds_count', ends), 2);
  const lag = (family: string) => page.value(`rocketmq_consumer_${family}`, { topic, consumer_group: group });
  assert.is(await lag('lag_messages'), 0);
  assert.is(await lag('lag_latency_milliseconds'), 0);
  await new Producer(java55, cluster, { topic, count: 7 }).finish();
  assert.is(await lag('lag_messages'), 7);
  assert.is(await lag('ready_messages'), 7);
  assert.ok((await lag('lag_latency_milliseconds')) > 0);
  assert.is(await page.value('rocketmq_group_diff', { topic, group }), 7);
  assert.is(await page.value('rocketmq_producer_offset', { topic }), COUNT + 7);
});

onOurs('health, readiness, and what is not served', async () => {
  const status = async (path: string, method?: string) => (await page.get(path, method)).status;
  assert.is(await status('/health'), 200);
  assert.is(await status('/ready'), 200);
  assert.is(await status('/other'), 404);
  assert.is(await status('/metrics', 'POST'), 405);
  const { headers } = await page.get('/metrics');
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
});

onOurs('a real Prometheus evaluates every rule, and finds every series of the dashboard', async () => {
  const ledger = new Ledger();
  const busy = { topic: 'busy', 'until-stop': true, rate: 200 };
  const producer = new Producer(java55, cluster, busy, ledger);
  const consumer = new Consumer(java55, cluster, { topic: 'busy', group: 'busy-group' }, ledger);
  const prometheus = await Prometheus.start(page.port);
  const dashboard = JSON.parse(readFileSync(join(monitoring, 'grafana-ringmq.json'), 'utf8'));
  const expressions: string[] = dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '10s')),
  );
  assert.ok(expressions.length > 20);
  for (const expression of expressions)
    await until(`a series for ${expression}`, async () => {
      const samples = await prometheus.query(expression);
      return samples.length > 0 && samples.every(({ value }) => value[1] !== 'NaN');
    });
  await until('the rules are evaluated', async () =>
    (await prometheus.rules()).every(({ health }) => health === 'ok'),
  );
  const states = Object.fromEntries((await prometheus.rules()).map(({ name, state }) => [name, state]));
  assert.is(states['RingMQRestarted'], 'firing');
  assert.is(states['RingMQDown'], 'inactive');
  assert.is(states['RingMQAppendFails'], 'inactive');
  await producer.program.stop();
  await consumer.program.kill();
  await cluster.broker.stop();
  await until('the alarm of a broker that is down', async () =>
    (await prometheus.rules()).some(({ name, state }) => name === 'RingMQDown' && state !== 'inactive'),
  );
  await prometheus.stop();
});

onOurs('promtool takes the rules and the page', async () => {
  const promtool = prometheusProgram('promtool');
  const rules = spawnSync(promtool, ['check', 'rules', join(monitoring, 'alerts.yml')], { encoding: 'utf8' });
  assert.is(rules.status, 0, rules.stderr);
  const config = spawnSync(promtool, ['check', 'config', join(monitoring, 'prometheus.yml')], {
    encoding: 'utf8',
  });
  assert.is(config.status, 0, config.stderr);
});

test.run();
