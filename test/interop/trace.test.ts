// Message traces: clients write what becomes of their messages into the trace topic, and find it there by message id.

import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer, type Sent } from './scenarios/actors.ts';
import { dispatched } from './scenarios/transacting.ts';
import { go2, java49, java55, type Kit } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawConnection } from './support/raw.ts';
import { readQueue, type StoredRecord } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { type Cluster, startCluster } from './support/target.ts';

const TRACE_TOPIC = 'RMQ_SYS_TRACE_TOPIC';
const { test, cluster } = clusterSuite('message traces', { conf: { traceTopicEnable: true } });

const COUNT = 50;
/** Fields of a trace by its first one. */
const KINDS: Readonly<Record<string, { id: number; group: number }>> = {
  Pub: { id: 5, group: 3 },
  SubBefore: { id: 5, group: 3 },
  SubAfter: { id: 2, group: 8 },
};
const FOUND_MS = 20_000;
/** The Go client loses what it has not written when it ends. */
const LINGER = 1_000;
/** The 4.9 client compresses what is long. */
const COMPRESSED = 1;

interface Trace {
  readonly kind: string;
  readonly id: string;
  readonly fields: readonly string[];
  readonly stored: StoredRecord;
}

function tracesIn(records: readonly StoredRecord[]): Trace[] {
  return records.flatMap((stored) =>
    ((stored.sysFlag & COMPRESSED) === 0 ? stored.body : inflateSync(stored.body))
      .toString()
      .split('\u0002')
      .filter((text) => text !== '')
      .map((text) => {
        const fields = text.split('\u0001');
        const kind = fields[0] ?? '';
        return { kind, id: fields[KINDS[kind]?.id ?? 0] ?? '', fields, stored };
      }),
  );
}

async function tracesOf(where: Cluster, topic = TRACE_TOPIC, queues = 1): Promise<Trace[]> {
  const connection = await RawConnection.open(where.broker.address);
  await dispatched(connection);
  const records: StoredRecord[] = [];
  for (let queue = 0; queue < queues; queue++) records.push(...(await readQueue(connection, topic, queue)));
  connection.destroy();
  return tracesIn(records);
}

/** Sends and consumes with tracing clients. */
async function traced(kit: Kit, where: Cluster, topic: string, more = {}): Promise<readonly Sent[]> {
  await createTopic(kit, where, topic);
  await introduceGroup(kit, where, topic, `${topic}-group`);
  const ledger = new Ledger();
  const reading = {
    topic,
    group: `${topic}-group`,
    expression: 'traced',
    trace: true,
    linger: LINGER,
    ...more,
  };
  const consumer = new Consumer(kit, where, reading, ledger);
  await consumer.holds(4);
  const args = { topic, tags: 'traced', count: COUNT, prefix: topic, trace: true, linger: LINGER, ...more };
  const sent = await new Producer(kit, where, { ...args, group: `${topic}-producers` }, ledger).finish();
  await consumer.receives(ledger);
  await consumer.stop();
  return sent;
}

/** Looks until each message has its traces: clients write them when they have time. */
async function untilTraced(
  where: Cluster,
  sent: readonly Sent[],
  topic = TRACE_TOPIC,
  queues = 1,
): Promise<Map<string, Trace[]>> {
  const wanted = Object.keys(KINDS).length * sent.length;
  for (const end = Date.now() + FOUND_MS; ; await sleep(100)) {
    const byId = new Map<string, Trace[]>(sent.map(({ msgId }) => [msgId, []]));
    for (const trace of await tracesOf(where, topic, queues)) byId.get(trace.id)?.push(trace);
    const found = [...byId.values()].reduce((sum, traces) => sum + traces.length, 0);
    if (found >= wanted) return byId;
    if (Date.now() > end) throw new Error(`${found} of ${wanted} traces after ${FOUND_MS} ms`);
  }
}

for (const [index, kit] of [java55, java49, go2].entries()) {
  test(`${kit.name}: sender and consumer trace each message`, async () => {
    const topic = `traced-${index}`;
    const sent = await traced(kit, cluster(), topic);
    const byId = await untilTraced(cluster(), sent);
    for (const { msgId, offsetMsgId, key } of sent) {
      const traces = byId.get(msgId) ?? [];
      assert.equal(traces.map(({ kind }) => kind).sort(), ['Pub', 'SubAfter', 'SubBefore'], key);
      for (const { kind, fields, stored } of traces) {
        const keys = (stored.properties['KEYS'] ?? '').split(' ');
        assert.ok(keys.includes(msgId) && keys.includes(key), 'it is found by id and by key');
        if (kind !== 'Pub') continue;
        assert.equal(fields.slice(2, 8), [
          'DefaultRegion',
          `${topic}-producers`,
          topic,
          msgId,
          'traced',
          key,
        ]);
        assert.equal([fields[12], fields[13]], [offsetMsgId, 'true']);
      }
    }
  });
}

test('mqadmin shows the trace of a message', async () => {
  const topic = 'shown';
  const sent = await traced(java55, cluster(), topic);
  await untilTraced(cluster(), sent);
  const { nameServer } = cluster();
  const dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  for (const { msgId } of sent.slice(0, 3)) {
    const shown = await dialogue.ask(['queryMsgTraceById', '-n', nameServer.address, '-i', msgId].join('\t'));
    assert.match(String(shown), new RegExp(`Pub\\s+${topic}-producers\\s.+success`), String(shown));
    assert.match(String(shown), new RegExp(`Sub\\s+${topic}-group\\s.+success`), String(shown));
  }
  await dialogue.end();
});

test('a topic of the clients own choice', async () => {
  const topic = 'own-traces';
  await createTopic(java55, cluster(), 'my-traces');
  const sent = await traced(java55, cluster(), topic, { 'trace-topic': 'my-traces' });
  const byId = await untilTraced(cluster(), sent, 'my-traces', 4);
  assert.ok([...byId.values()].every((traces) => traces.length === 3));
  const all = await tracesOf(cluster());
  assert.is(all.filter(({ id }) => byId.has(id)).length, 0);
});

test('with traceOn=false nothing is traced, and the switch works at once', async () => {
  const plain = await startCluster({ conf: { traceTopicEnable: true, traceOn: false } });
  await traced(java55, plain, 'untraced');
  assert.is((await tracesOf(plain)).length, 0);
  const { nameServer, broker } = plain;
  const tool = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const set = [
    'updateBrokerConfig',
    '-n',
    nameServer.address,
    '-b',
    broker.address,
    '-k',
    'traceOn',
    '-v',
    'true',
  ];
  assert.match(String(await tool.ask(set.join('\t'))), /success/);
  await tool.end();
  await untilTraced(plain, await traced(java55, plain, 'traced-now'));
  await plain.stop();
});

test.run();
