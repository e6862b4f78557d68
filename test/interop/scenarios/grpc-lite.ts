// What the Java gRPC client does with lite topics through RocketMQ's proxy.

import * as assert from 'uvu/assert';
import { allIntact, type GrpcLite, type GrpcProducer, type Scene } from './grpc-actors.ts';

const LITES = ['one', 'two'];

function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`);
}

/** Keys by turns to lite topics. */
function laneOf(keys: readonly string[], lite: string): string[] {
  return keys.filter((_, index) => LITES[index % LITES.length] === lite);
}

async function sendByTurns(producer: GrpcProducer, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries())
    await producer.send(key, { 'lite-topic': String(LITES[index % LITES.length]) });
}

function triesOf(consumer: GrpcLite, lite: string): string[] {
  return consumer.deliveries.filter(({ liteTopic }) => liteTopic === lite).map(({ key }) => key);
}

/** Each lite topic keeps its order, also where a message fails and is tried again; others do not come. */
export async function inOrder({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-lite`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'LITE');
  await stage.group(group, { fifo: true, lite: topic });
  const producer = await clients.producer(topic);
  const consumer = await clients.lite({ topic, group, fail: 'f4=2,f11=1' }, ...LITES);
  const keys = named('f', 20);
  await producer.send('other', { 'lite-topic': 'three' });
  await sendByTurns(producer, keys);
  await consumer.takes(keys);
  allIntact(consumer.deliveries);
  for (const lite of LITES) {
    const expected = laneOf(keys, lite).flatMap((key) =>
      key === 'f4' ? [key, key, key] : key === 'f11' ? [key, key] : [key],
    );
    assert.equal(triesOf(consumer, lite), expected, lite);
  }
  assert.equal(
    consumer.triesOf('f4').map(({ attempt }) => attempt),
    [1, 2, 3],
  );
  await consumer.subscribe('three');
  await consumer.takes(['other']);
  await clients.close(consumer, producer);
}

/** A message that fails comes again by way of the broker, and what had come behind it with it. */
export async function failures({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-lite-failures`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'LITE');
  await stage.group(group, { lite: topic });
  const producer = await clients.producer(topic);
  const keys = named('g', 10);
  await sendByTurns(producer, keys);
  const consumer = await clients.lite({ topic, group, threads: 1, fail: 'g2=1,g5=1' }, ...LITES);
  await consumer.takes(keys);
  allIntact(consumer.deliveries);
  for (const lite of LITES) {
    const firsts = [...new Set(triesOf(consumer, lite))];
    assert.equal(firsts, laneOf(keys, lite), `${lite} comes in order`);
  }
  for (const key of ['g2', 'g5']) {
    const attempts = consumer.triesOf(key).map(({ attempt }) => attempt);
    assert.equal(attempts.slice(0, 2), [1, 2], key);
  }
  await clients.close(consumer, producer);
}

/** Where a consumer takes a lite topic up again it goes on, or begins where it is told to. */
export async function subscriptions({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-lite-subscriptions`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'LITE');
  await stage.group(group, { fifo: true, lite: topic });
  const producer = await clients.producer(topic);
  const consumer = await clients.lite({ topic, group }, ...LITES);
  await sendByTurns(producer, ['s0', 's1']);
  await consumer.takes(['s0', 's1']);
  await consumer.unsubscribe('one');
  await sendByTurns(producer, ['s2', 's3', 's4', 's5']);
  await consumer.takes(['s3', 's5']);
  await consumer.subscribe('one');
  await consumer.takes(['s2', 's4']);
  assert.equal(consumer.takenOf('one'), ['s0', 's2', 's4']);
  await consumer.unsubscribe('two');
  await consumer.subscribe('two', 'min');
  await sendByTurns(producer, ['s6', 's7']);
  await consumer.takes(['s6', 's7']);
  assert.equal(consumer.takenOf('two'), ['s1', 's3', 's5', 's1', 's3', 's5', 's7']);
  await clients.close(consumer, producer);
}

/** A consumer goes while messages come, and another takes its place: each comes, in the order of its lite topic. */
export async function successors({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-lite-successors`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'LITE');
  await stage.group(group, { fifo: true, lite: topic });
  const producer = await clients.producer(topic);
  const first = await clients.lite({ topic, group, hold: 20 }, ...LITES);
  const [early, late] = [named('e', 40), named('l', 20)];
  await sendByTurns(producer, early);
  await first.delivers(10);
  await clients.close(first);
  await sendByTurns(producer, late);
  const second = await clients.lite({ topic, group }, ...LITES);
  const keys = [...early, ...late];
  await second.takes(keys.filter((key) => !first.taken.includes(key)));
  allIntact([...first.deliveries, ...second.deliveries]);
  for (const lite of LITES) {
    const firsts = [...new Set([...first.takenOf(lite), ...second.takenOf(lite)])];
    assert.equal(firsts, [...laneOf(early, lite), ...laneOf(late, lite)], lite);
  }
  await clients.close(second, producer);
}
