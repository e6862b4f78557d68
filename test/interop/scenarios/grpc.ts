// What the official gRPC clients do through RocketMQ's proxy, whichever client it is.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import {
  allIntact,
  type GrpcDelivery,
  type GrpcProducer,
  type GrpcReceipt,
  keysOf,
  type Scene,
} from './grpc-actors.ts';
import { lying } from './grpc-sending.ts';

const DELAY = 3_000;
/** A timer counts in whole seconds and may round a time up. */
const ROUNDED = 1_000;

function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`);
}

async function sendAll(
  producer: GrpcProducer,
  keys: readonly string[],
  args: (index: number) => Readonly<Record<string, string | number>> = () => ({}),
): Promise<Map<string, GrpcReceipt>> {
  const receipts = new Map<string, GrpcReceipt>();
  for (const [index, key] of keys.entries()) receipts.set(key, await producer.send(key, args(index)));
  return receipts;
}

/** Each group gets each message once, with everything that it was sent with. */
export async function normal({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-normal`;
  const groups = [`${topic}-push`, `${topic}-simple`] as const;
  await stage.topic(topic, 'NORMAL', 4);
  for (const group of groups) await stage.group(group);
  const keys = named('n', 40);
  const producer = await clients.producer(topic);
  const push = await clients.push({ topic, group: groups[0] });
  const started = Date.now();
  const receipts = await sendAll(producer, keys, (index) => ({
    tag: `t${index % 2}`,
    number: index,
    body: index === 0 ? 100_000 : 40,
  }));
  await push.takes(keys);
  const simple = await clients.simple({ topic, group: groups[1] });
  const received = await simple.gather(keys.length);
  for (const { key } of received) await simple.ack(key);
  for (const messages of [push.deliveries, received]) {
    assert.equal(keysOf(messages), [...keys].sort());
    allIntact(messages);
    for (const message of messages) {
      const index = keys.indexOf(message.key);
      assert.is(message.messageId, receipts.get(message.key)?.messageId);
      assert.is(message.topic, topic);
      assert.is(message.tag, `t${index % 2}`);
      assert.is(message.attempt, 1);
      assert.is(message.bodySize, index === 0 ? 100_000 : 40);
      assert.is(message.properties['number'], String(index));
      assert.ok(message.bornTime >= started - ROUNDED && message.bornTime <= Date.now());
    }
  }
  assert.equal(await simple.receive(), []);
  await clients.close(push, simple, producer);
  assert.is(push.deliveries.length, keys.length);
}

/** Message groups keep their order, also where a message fails and is tried again. */
export async function fifo({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-fifo`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'FIFO', 4);
  await stage.group(group, { fifo: true });
  const keys = named('f', 30);
  const producer = await clients.producer(topic);
  const lane = (index: number): string => `lane-${index % 3}`;
  await sendAll(producer, keys, (index) => ({ 'message-group': lane(index) }));
  const push = await clients.push({ topic, group, fail: 'f4=2,f11=1' });
  await push.takes(keys);
  allIntact(push.deliveries);
  assert.equal(push.taken.toSorted(), keys.toSorted(), 'each is taken once');
  for (const which of ['lane-0', 'lane-1', 'lane-2']) {
    const expected = keys.filter((_, index) => lane(index) === which);
    const withTries = expected.flatMap((key) =>
      key === 'f4' ? [key, key, key] : key === 'f11' ? [key, key] : [key],
    );
    const mine = push.deliveries.filter(({ messageGroup }) => messageGroup === which);
    assert.equal(
      mine.map(({ key }) => key),
      withTries,
      which,
    );
  }
  assert.equal(
    push.triesOf('f4').map(({ attempt }) => attempt),
    [1, 2, 3],
  );
  await clients.close(push, producer);
}

/** A queue whose message is out stands still until it is acknowledged, or comes again. */
export async function fifoOneByOne({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-fifo-simple`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'FIFO', 1);
  await stage.group(group, { fifo: true });
  const keys = named('o', 3);
  const producer = await clients.producer(topic);
  await sendAll(producer, keys, () => ({ 'message-group': 'lane' }));
  const simple = await clients.simple({ topic, group, await: 1_000 });
  const next = async (invisibleMs: number): Promise<string> => {
    const [message, ...more] = await simple.gather(1, invisibleMs);
    assert.is(more.length, 0);
    return `${message?.key} ${message?.attempt}`;
  };
  const one = async (): Promise<string> => {
    const [message] = await simple.receive(1, 60_000);
    return message?.key ?? '';
  };
  assert.is(await one(), 'o0');
  assert.equal(await simple.receive(1, 60_000), [], 'o1 waits for o0');
  await simple.ack('o0');
  assert.is(await one(), 'o1');
  await simple.invisible('o1', 1_000);
  const again = await untilSome(() => simple.receive(1, 60_000));
  assert.equal(
    again.map(({ key, attempt }) => [key, attempt]),
    [['o1', 2]],
  );
  await simple.ack('o1');
  assert.is(await next(60_000), 'o2 1');
  await simple.ack('o2');
  assert.equal(await simple.receive(1, 60_000), []);
  await clients.close(simple, producer);
}

async function untilSome<T>(ask: () => Promise<T[]>): Promise<T[]> {
  for (const end = Date.now() + 60_000; ; ) {
    const some = await ask();
    if (some.length > 0) return some;
    if (Date.now() > end) throw new Error('nothing has come in a minute');
  }
}

/** A delayed message comes at its time, and a recalled one does not. */
export async function delay({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-delay`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'DELAY');
  await stage.group(group);
  const producer = await clients.producer(topic);
  const push = await clients.push({ topic, group });
  const sent = Date.now();
  const keys = named('d', 4);
  const recalled = await producer.send('recalled', { delay: DELAY });
  await sendAll(producer, keys, () => ({ delay: DELAY }));
  assert.is(await producer.recall(String(recalled.recallHandle)), recalled.messageId);
  await push.takes(keys);
  assert.equal(push.taken.toSorted(), keys);
  allIntact(push.deliveries);
  for (const { key, at, deliveryTime } of push.deliveries) {
    assert.ok(at >= sent + DELAY - ROUNDED, `${key} came ${at - sent} ms after it was sent`);
    assert.ok(deliveryTime !== null && deliveryTime >= sent + DELAY - ROUNDED, `${key} ${deliveryTime}`);
  }
  await clients.close(push, producer);
}

/** Committed messages come, rolled back ones do not, and those that are left are asked for. */
export async function transactions({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-transaction`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'TRANSACTION');
  await stage.group(group);
  const producer = await clients.producer(topic);
  const push = await clients.push({ topic, group });
  const committed = await producer.transact('committed', { end: 'commit' });
  await producer.transact('rolled-back', { end: 'rollback' });
  const left = await producer.transact('left-commit', { end: 'leave', check: 'commit' });
  await producer.transact('left-rollback', { end: 'leave', check: 'rollback' });
  await push.takes(['committed', 'left-commit']);
  for (const key of ['left-commit', 'left-rollback']) {
    const check = await clients.checked(topic, key);
    assert.ok(check.intact, JSON.stringify(check));
  }
  await producer.transact('last', { end: 'commit' });
  await push.takes(['last']);
  assert.equal(push.taken.toSorted(), ['committed', 'last', 'left-commit']);
  allIntact(push.deliveries);
  const ids = (key: string): string[] => push.triesOf(key).map(({ messageId }) => messageId);
  assert.equal(ids('committed'), [committed.messageId]);
  assert.equal(ids('left-commit'), [left.messageId]);
  await clients.close(push, producer);
}

/** A priority arrives with its message. The Node client takes 0 for none. */
export async function priority({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-priority`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'PRIORITY', 4);
  await stage.group(group);
  const producer = await clients.producer(topic);
  const keys = named('p', 8);
  await sendAll(producer, keys, (index) => ({ priority: 1 + (index % 4) }));
  const push = await clients.push({ topic, group });
  await push.takes(keys);
  assert.equal(keysOf(push.deliveries), keys);
  for (const { key, priority: number } of push.deliveries)
    assert.is(number, 1 + (keys.indexOf(key) % 4), key);
  await clients.close(push, producer);
}

/** What is not acknowledged comes again when its time is over, sooner or later as is asked. */
export async function invisible({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-invisible`;
  const group = `${topic}-group`;
  await stage.topic(topic, 'NORMAL', 1);
  await stage.group(group);
  const producer = await clients.producer(topic);
  await sendAll(producer, ['acked', 'left', 'sooner', 'later']);
  const simple = await clients.simple({ topic, group, await: 1_000 });
  const first = await simple.gather(4, 4_000);
  assert.equal(keysOf(first), ['acked', 'later', 'left', 'sooner']);
  await simple.ack('acked');
  await simple.invisible('later', 120_000);
  await simple.invisible('sooner', 1_000);
  await sleep(4_000);
  // The receipt of a delivery is worth nothing once the message may have gone to another.
  const refusal = await simple.ackRefused('left');
  assert.match(refusal.message, /INVALID_RECEIPT_HANDLE/);
  const again = await simple.gather(2, 120_000);
  assert.equal(keysOf(again), ['left', 'sooner']);
  for (const { key, attempt, intact } of again) assert.equal([attempt, intact], [2, true], key);
  for (const { key } of again) await simple.ack(key);
  assert.equal(await simple.receive(), []);
  await simple.ack('later');
  await clients.close(simple, producer);
}

/** Tags and SQL expressions choose messages. */
export async function filters({ clients, stage }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-filter`;
  await stage.topic(topic, 'NORMAL');
  for (const name of ['tag-push', 'tag-simple', 'sql-push', 'sql-simple'])
    await stage.group(`${topic}-${name}`);
  const producer = await clients.producer(topic);
  const keys = named('x', 12);
  const colours = ['red', 'green', 'blue'];
  await sendAll(producer, keys, (index) => ({
    tag: `t${index % 3}`,
    number: index,
    colour: String(colours[index % 3]),
  }));
  const wanted = {
    tag: keys.filter((_, index) => index % 3 !== 2),
    sql: keys.filter((_, index) => index % 3 === 2 && index > 4),
  };
  for (const kind of ['tag', 'sql'] as const) {
    const expression = kind === 'tag' ? 't0||t1' : "colour = 'blue' AND number > 4";
    const filter = { topic, expression, sql: kind === 'sql' };
    const push = await clients.push({ ...filter, group: `${topic}-${kind}-push` });
    const simple = await clients.simple({ ...filter, group: `${topic}-${kind}-simple`, await: 1_000 });
    const received = await simple.gather(wanted[kind].length);
    for (const { key } of received) await simple.ack(key);
    await push.takes(wanted[kind]);
    assert.equal(keysOf(received), wanted[kind].toSorted());
    assert.equal(keysOf(push.deliveries), wanted[kind].toSorted());
    assert.equal(await simple.receive(), []);
    await clients.close(push, simple);
  }
  await clients.close(producer);
}

/** A message that always fails comes as often as its group allows, and lies in the dead-letter queue then. */
export async function deadLetters({ clients, stage, cluster }: Scene): Promise<void> {
  const topic = `${clients.kit.id}-dead`;
  const groups = { plain: `${topic}-plain`, fifo: `${topic}-fifo` };
  await stage.topic(topic, 'NORMAL', 1);
  await stage.topic(`${topic}-ordered`, 'FIFO', 1);
  await stage.group(groups.plain, { retries: 2 });
  await stage.group(groups.fifo, { retries: 2, fifo: true });
  const producer = await clients.producer(topic);
  const ordered = await clients.producer(`${topic}-ordered`);
  const plainPush = await clients.push({ topic, group: groups.plain, fail: 'bad=99' });
  const fifoPush = await clients.push({ topic: `${topic}-ordered`, group: groups.fifo, fail: 'bad=99' });
  for (const key of ['bad', 'good']) await producer.send(key, { tag: 'T' });
  for (const key of ['before', 'bad', 'after'])
    await ordered.send(key, { tag: 'T', 'message-group': 'lane' });
  await plainPush.takes(['good']);
  await fifoPush.takes(['before', 'after']);
  await plainPush.delivers(4);
  for (const [push, group] of [
    [plainPush, groups.plain],
    [fifoPush, groups.fifo],
  ] as const) {
    const [dead, ...more] = await lying(cluster, `%DLQ%${group}`, 1);
    assert.equal([dead?.properties['KEYS'], dead?.properties['TAGS'], more.length], ['bad', 'T', 0], group);
    assert.equal(attempts(push.triesOf('bad')), [1, 2, 3], group);
  }
  const fifoOrder = fifoPush.deliveries.map(({ key }) => key);
  assert.equal(fifoOrder, ['before', 'bad', 'bad', 'bad', 'after']);
  await clients.close(plainPush, fifoPush, producer, ordered);
}

function attempts(deliveries: readonly GrpcDelivery[]): number[] {
  return deliveries.map(({ attempt }) => attempt);
}
