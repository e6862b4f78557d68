// Groups of the official gRPC clients whose members come, go and vanish, and what they share with clients that talk to
// the broker itself.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { java55 } from '../support/clients.ts';
import type { GrpcKit } from '../support/grpc-clients.ts';
import type { GrpcProxy } from '../support/grpc-proxy.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { Consumer, Producer } from './actors.ts';
import { ARRIVAL, allIntact, type GrpcClients, type GrpcPush, keysOf, Stage } from './grpc-actors.ts';

/** The whole scene of a test with several processes of clients. */
export interface Company {
  readonly cluster: Cluster;
  readonly proxy: GrpcProxy;
  /** A process of its own for each call. */
  join(kit: GrpcKit): GrpcClients;
}

function attemptsOf(push: GrpcPush): string[] {
  return push.deliveries.map(({ key, attempt }) => `${key} ${attempt}`);
}

const HOLD = 100_000;

function named(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`);
}

/** Waits until the members have taken each of these together. */
async function taken(members: readonly GrpcPush[], keys: readonly string[]): Promise<void> {
  for (const end = Date.now() + ARRIVAL; ; await sleep(50)) {
    const have = new Set(members.flatMap((member) => member.taken));
    const missing = keys.filter((key) => !have.has(key));
    if (missing.length === 0) return;
    if (Date.now() > end) throw new Error(`not taken after ${ARRIVAL} ms: ${missing.slice(0, 8)}`);
  }
}

/** Members of one group, of both clients, share messages; one that leaves while they come loses none. */
export async function sharing({ cluster, join }: Company, kits: readonly GrpcKit[]): Promise<void> {
  const topic = 'grpc-sharing';
  const group = `${topic}-group`;
  const stage = new Stage(cluster);
  await stage.topic(topic, 'NORMAL', 4);
  await stage.group(group);
  const [one, ...others] = kits.map(join);
  assert.ok(one);
  const producer = await one.producer(topic);
  const members = await Promise.all(
    [one, ...others].map((clients) => clients.push({ topic, group, hold: 20 })),
  );
  const leaver = await one.push({ topic, group, hold: 20 });
  const [early, late] = [named('e', 60), named('l', 60)];
  for (const key of early) await producer.send(key);
  await one.close(leaver);
  for (const key of late) await producer.send(key);
  const all = [...members, leaver];
  await taken(all, [...early, ...late]);
  const deliveries = all.flatMap((member) => member.deliveries);
  allIntact(deliveries);
  assert.equal(keysOf(deliveries), [...early, ...late].sort());
  for (const member of members) assert.ok(member.taken.length > 0, 'each member has its share');
  for (const clients of [one, ...others]) await clients.end();
}

/** A push consumer that takes longer than a message is invisible keeps it, as the proxy renews it. */
export async function renewal({ cluster, join }: Company, kits: readonly GrpcKit[]): Promise<void> {
  const stage = new Stage(cluster);
  for (const kit of kits) {
    const topic = `${kit.id}-renewal`;
    await stage.topic(topic, 'NORMAL', 1);
    await stage.group(`${topic}-group`);
  }
  const tests = kits.map(async (kit) => {
    const clients = join(kit);
    const topic = `${kit.id}-renewal`;
    const producer = await clients.producer(topic);
    // Longer than defaultInvisibleTimeMills of the proxy.
    const push = await clients.push({ topic, group: `${topic}-group`, hold: 15_000 });
    await producer.send('slow');
    await push.delivers(1);
    await sleep(17_000);
    await clients.close(push, producer);
    const simple = await clients.simple({ topic, group: `${topic}-group`, await: 1_000 });
    assert.equal(await simple.receive(), []);
    assert.equal(attemptsOf(push), ['slow 1'], kit.name);
    await clients.end();
  });
  await Promise.all(tests);
}

/** What a killed member held goes to another one, and message groups keep their order over that. */
export async function vanishing({ cluster, join }: Company, kit: GrpcKit): Promise<void> {
  const stage = new Stage(cluster);
  const topics = { plain: `${kit.id}-vanish`, fifo: `${kit.id}-vanish-fifo` };
  await stage.topic(topics.plain, 'NORMAL', 1);
  await stage.topic(topics.fifo, 'FIFO', 1);
  await stage.group(`${topics.plain}-group`);
  await stage.group(`${topics.fifo}-group`, { fifo: true });
  const gone = join(kit);
  const plainProducer = await gone.producer(topics.plain);
  const fifoProducer = await gone.producer(topics.fifo);
  const keys = named('v', 6);
  for (const key of keys) await plainProducer.send(key);
  for (const key of keys) await fifoProducer.send(key, { 'message-group': 'lane' });
  const held = await Promise.all([
    gone.push({ topic: topics.plain, group: `${topics.plain}-group`, hold: HOLD, threads: 2 }),
    gone.push({ topic: topics.fifo, group: `${topics.fifo}-group`, hold: HOLD }),
  ]);
  for (const push of held) await push.delivers(1);
  const heir = join(kit);
  const plain = await heir.push({ topic: topics.plain, group: `${topics.plain}-group` });
  const fifo = await heir.push({ topic: topics.fifo, group: `${topics.fifo}-group` });
  await gone.program.kill();
  await taken([plain], keys);
  await taken([fifo], keys);
  assert.equal(plain.taken.toSorted(), keys);
  assert.equal(fifo.taken, keys, 'in their order');
  assert.ok((fifo.deliveries[0]?.attempt ?? 0) > 1, 'the first was out before');
  await heir.end();
}

/** Clients that talk to the broker itself read what the others send, and the other way round. */
export async function bothProtocols({ cluster, join }: Company, kit: GrpcKit): Promise<void> {
  const topic = `${kit.id}-both`;
  const stage = new Stage(cluster);
  await stage.topic(topic, 'NORMAL', 4);
  await stage.group(`${topic}-grpc`);
  const clients = join(kit);
  const ledger = new Ledger();
  const direct = new Consumer(java55, cluster, { topic, group: `${topic}-direct` }, ledger);
  await direct.holds(4);
  const push = await clients.push({ topic, group: `${topic}-grpc` });
  const producer = await clients.producer(topic);
  const keys = named('g', 20);
  for (const key of keys) ledger.send((await producer.send(key, { tag: 'T' })) && key);
  const remote = { topic, tags: 'T', prefix: 'r', count: 20 };
  const sent = await new Producer(java55, cluster, remote, ledger).finish();
  await direct.receives(ledger);
  const all = [...keys, ...sent.map(({ key }) => key)];
  await push.takes(all);
  ledger.exactlyOnce();
  assert.equal(keysOf(push.deliveries), all.toSorted());
  for (const { intact, tag } of [...direct.delivered, ...push.deliveries])
    assert.equal([intact, tag], [true, 'T']);
  await direct.stop();
  await clients.end();
}
