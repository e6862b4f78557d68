// SQL92 filters with the Java clients: what matches comes, and only that; wrong ones are refused before they start.

import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import { java49, java55, type Kit } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('Java clients: SQL filters', { conf: { enablePropertyFilter: true } });

const COUNT = 300;
const SETTLED_MS = 1_000;

/** A message of the producer has the properties number, shard (its remainder by 3), TAGS and KEYS. */
const FILTERS: readonly [sql: string, matches: (number: number) => boolean][] = [
  ['number BETWEEN 20 AND 59', (number) => number >= 20 && number <= 59],
  ["shard IN ('0', '2') AND number < 100", (number) => number % 3 !== 1 && number < 100],
  ["TAGS = 'b' OR KEYS ENDSWITH '-7'", (number) => number % 2 === 1 || number === 7],
  ["missing IS NULL AND NOT (shard = '1') -- a comment", (number) => number % 3 !== 1],
  ["unicode CONTAINS '汉字' AND number > 289.5", (number) => number >= 290],
];

async function filtered(kit: Kit, suffix: string): Promise<void> {
  const topic = `sql${suffix}`;
  await createTopic(kit, cluster(), topic);
  const consumers: { consumer: Consumer; ledger: Ledger }[] = [];
  for (const [index, [sql]] of FILTERS.entries()) {
    const group = `sql${suffix}-${index}`;
    await introduceGroup(kit, cluster(), topic, group);
    const ledger = new Ledger();
    consumers.push({ consumer: new Consumer(kit, cluster(), { topic, group, sql }, ledger), ledger });
  }
  for (const { consumer } of consumers) await consumer.holds(4);
  const args = { topic, count: COUNT, tags: 'a,b', shards: 3, prefix: 'q' };
  const sent = await new Producer(kit, cluster(), args).finish();
  assert.is(sent.length, COUNT);
  for (const [index, { consumer, ledger }] of consumers.entries()) {
    const wanted = FILTERS[index]?.[1] ?? (() => false);
    for (let number = 0; number < COUNT; number++) if (wanted(number)) ledger.send(`q-${number}`);
    await consumer.receives(ledger);
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  for (const { consumer, ledger } of consumers) {
    await consumer.stop();
    ledger.exactlyOnce();
    for (const message of consumer.delivered) assert.ok(message.intact, message.key);
  }
}

test('the 5.5 client gets what matches, and nothing else', () => filtered(java55, '55'));
test('the 4.9 client too', () => filtered(java49, '49'));

test('what failed comes again, whatever the filter says of retries', async () => {
  const topic = 'sql-retried';
  const group = 'sql-retried-group';
  await createTopic(java55, cluster(), topic);
  await introduceGroup(java55, cluster(), topic, group);
  const ledger = new Ledger();
  const args = { topic, group, sql: "TAGS = 'a'", fail: 1 };
  const consumer = new Consumer(java55, cluster(), args, ledger);
  await consumer.holds(4);
  await new Producer(java55, cluster(), { topic, count: 10, tags: 'a,b', prefix: 'r' }).finish();
  for (let number = 0; number < 10; number += 2) ledger.send(`r-${number}`);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  assert.equal(
    new Set(consumer.delivered.map(({ key, reconsumeTimes }) => `${key}:${reconsumeTimes}`)),
    new Set([0, 2, 4, 6, 8].flatMap((number) => [`r-${number}:0`, `r-${number}:1`])),
  );
});

test('a filter that is none is refused before the consumer starts, with the place', async () => {
  const topic = 'sql-wrong';
  await createTopic(java55, cluster(), topic);
  for (const sql of ['number >', 'number BETWEEN 9 AND 1', "'a' IN ('b')"]) {
    const consumer = new Consumer(java55, cluster(), { topic, group: 'sql-wrong-group', sql });
    const refused = await consumer.program.waitForEvent('start-failed', 30_000);
    const { code, message } = refused['error'] as { code: number; message: string };
    assert.is(code, 23, message);
    if (target === 'ringmq') assert.match(message, /the SQL filter is wrong at line 1, column \d+/);
  }
});

test.run();
