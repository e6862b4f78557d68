// The Java 5.5.0 client sends in every mode and consumes in every way.

import * as assert from 'uvu/assert';
import { Consumer, Producer } from './scenarios/actors.ts';
import {
  bigBodies,
  broadcasting,
  everyModeExactlyOnce,
  joinAndLeave,
  roundTrip,
  tagFilter,
} from './scenarios/produce-consume.ts';
import { litePulling, pulling } from './scenarios/pulling.ts';
import { java55, java55Binary } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const COUNT = 10_000;
const { test, cluster } = clusterSuite('Java 5.5.0 client: produce and consume');

test(`${COUNT} messages sync, async, one-way and in batches reach a group of two exactly once`, () =>
  everyModeExactlyOnce(java55, cluster(), COUNT));
test('a member joins and leaves: nothing is lost, queues move within 5 s', () =>
  joinAndLeave(java55, cluster()));
test('broadcasting: every member gets everything', () => broadcasting(java55, cluster(), 500));
test('the pull consumer reads every queue, commits, and waits at the end', () =>
  pulling(java55, cluster(), 1_000));
test('the lite pull consumer, assigned and subscribed', () => litePulling(java55, cluster(), 1_000));
test('tag expressions choose', () => tagFilter(java55, cluster(), 300));
test('compressed and large bodies come back as they were', () => bigBodies(java55, cluster()));

test('binary headers instead of JSON', async () => {
  await roundTrip(java55Binary, cluster(), 'binary-headers', 300);
});

test('a message over 4 MiB is refused with code 13, and the connection lives on', async () => {
  const args = {
    topic: 'too-big',
    body: 4 * 1024 * 1024 + 1,
    'random-body': true,
    'max-size': 8 * 1024 * 1024,
  };
  const producer = new Producer(java55, cluster(), args);
  assert.is(await producer.program.waitForEnd(30_000), 1);
  assert.is((producer.failed[0] as { code: number }).code, 13, JSON.stringify(producer.failed[0]));
});

test('an SQL subscription is refused while property filters are off', async () => {
  const consumer = new Consumer(java55, cluster(), { topic: 'tags', group: 'sql-group', sql: 'number > 3' });
  const refused = await consumer.program.waitForEvent('start-failed', 30_000);
  assert.match(String((refused['error'] as { message: string }).message), /SQL92/);
});

test.run();
