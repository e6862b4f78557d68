// Sending in every mode, sharing within a group, broadcasting, tags, sizes.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Ledger } from '../support/ledger.ts';
import type { Cluster } from '../support/target.ts';
import { allIntact, allReceived, Consumer, createTopic, Producer, type Sent } from './actors.ts';

const TAGS = ['A', 'B', 'C'];
/** Queues must have moved this long after a join or a leave. */
const MOVE_LIMIT = 5_000;
/** Messages sent in each of the three phases around a join and a leave. */
const TRAFFIC = 250;

/** `count` messages in each of four modes reach a group of two exactly once. */
export async function everyModeExactlyOnce(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'every-mode';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  const first = `first-of-${topic}-0`;
  ledger.send(first);
  const group = 'every-mode-group';
  const one = new Consumer(kit, cluster, { topic, group, instance: 'one' }, ledger);
  await one.receives(ledger);
  const two = new Consumer(kit, cluster, { topic, group, instance: 'two' }, ledger);
  await Promise.all([one.holds(2), two.holds(2)]);
  assert.equal([...one.held, ...two.held].sort(), [0, 1, 2, 3]);

  const args = {
    topic,
    modes: 'sync,async,oneway,batch',
    count,
    tags: TAGS.join(','),
    threads: 4,
    prefix: 'm',
  };
  const producer = new Producer(kit, cluster, args, ledger);
  const acked = await producer.finish();
  assert.is(producer.oneway.length, count);
  assert.ok(acked.length >= count * 3, `${acked.length} acknowledged`);
  checkAcknowledgements(acked);
  await allReceived([one, two], ledger);
  await Promise.all([one.stop(), two.stop()]);
  ledger.exactlyOnce(first);

  const delivered = [...one.delivered, ...two.delivered];
  allIntact(delivered);
  assert.ok(one.delivered.length > count && two.delivered.length > count, 'both members work');
  const byKey = new Map(delivered.map((message) => [message.key, message]));
  for (const sent of acked) {
    const got = byKey.get(sent.key);
    assert.is(got?.msgId, sent.msgId, `msgId of ${sent.key}`);
    assert.is(got?.queueId, sent.queueId, `queue of ${sent.key}`);
    assert.is(got?.queueOffset, sent.queueOffset, `queue offset of ${sent.key}`);
    assert.is(got?.tag, sent.tag, `tag of ${sent.key}`);
    assert.is(got?.physicalOffset, Number(`0x${sent.offsetMsgId.slice(-16)}`), `offset id of ${sent.key}`);
  }
}

/** The shortest proof that a client and a broker understand each other. */
export async function roundTrip(kit: Kit, cluster: Cluster, topic: string, count: number): Promise<void> {
  const ledger = new Ledger();
  const args = { topic, modes: 'sync,async,batch', count, tags: 'A,B', prefix: 'n' };
  checkAcknowledgements(await new Producer(kit, cluster, args, ledger).finish());
  const consumer = new Consumer(
    kit,
    cluster,
    { topic, group: `${topic}-group`, expression: 'A || B' },
    ledger,
  );
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
}

function checkAcknowledgements(acked: readonly Sent[]): void {
  assert.equal([...new Set(acked.map((sent) => sent.status))], ['SEND_OK']);
  assert.is(new Set(acked.map((sent) => sent.msgId)).size, acked.length, 'unique ids differ');
  assert.is(new Set(acked.map((sent) => sent.offsetMsgId)).size, acked.length, 'offset ids differ');
  const places = new Set(acked.map((sent) => `${sent.queueId}@${sent.queueOffset}`));
  assert.is(places.size, acked.length, 'no two messages in one place');
}

/** While a producer runs, a member joins and leaves: nothing is lost and queues move quickly. */
export async function joinAndLeave(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'join-leave';
  const group = 'join-leave-group';
  await createTopic(kit, cluster, topic);
  const ledger = new Ledger();
  ledger.send(`first-of-${topic}-0`);
  const stays = new Consumer(kit, cluster, { topic, group, instance: 'stays' }, ledger);
  await stays.holds(4);
  const producer = new Producer(kit, cluster, { topic, 'until-stop': true, rate: 500, prefix: 'jl' }, ledger);
  const sends = (more: number): Promise<true> => {
    const enough = producer.acked.length + more;
    const look = (): true | undefined => (producer.acked.length >= enough ? true : undefined);
    return producer.program.waitFor(`${more} more sends`, look, 20_000);
  };
  await sends(TRAFFIC);

  const joins = new Consumer(kit, cluster, { topic, group, instance: 'joins' }, ledger);
  await joins.program.waitForEvent('ready', 20_000);
  const joined = performance.now();
  await Promise.all([stays.holds(2), joins.holds(2)]);
  assert.ok(
    performance.now() - joined < MOVE_LIMIT,
    `queues moved ${performance.now() - joined} ms after the join`,
  );

  const leaving = performance.now();
  await joins.stop();
  await stays.holds(4);
  assert.ok(
    performance.now() - leaving < MOVE_LIMIT,
    `queues moved ${performance.now() - leaving} ms after the leave`,
  );

  assert.is(await producer.program.stop(), 0);
  assert.is(producer.failed.length, 0, JSON.stringify(producer.failed[0]));
  await stays.receives(ledger);
  await stays.stop();
  ledger.atLeastOnce();
}

/** Each of two broadcasting members gets everything, once. */
export async function broadcasting(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'broadcast';
  await createTopic(kit, cluster, topic);
  const ledgers = [new Ledger(), new Ledger()];
  const members = ledgers.map(
    (ledger, index) =>
      new Consumer(
        kit,
        cluster,
        { topic, group: 'all-group', mode: 'broadcasting', instance: `m${index}` },
        ledger,
      ),
  );
  await Promise.all(members.map((member) => member.count(1)));
  const producer = new Producer(kit, cluster, { topic, modes: 'async', count, prefix: 'b' });
  for (const sent of await producer.finish()) for (const ledger of ledgers) ledger.send(sent.key);
  for (const ledger of ledgers) ledger.send(`first-of-${topic}-0`);
  for (const [index, member] of members.entries()) {
    await member.receives(ledgers[index] ?? new Ledger());
    await member.stop();
    ledgers[index]?.exactlyOnce();
    allIntact(member.delivered);
  }
}

/** `A || C` gets tags A and C only; the others do not count as deliveries of anything. */
export async function tagFilter(kit: Kit, cluster: Cluster, count: number): Promise<void> {
  const topic = 'tags';
  const producer = new Producer(kit, cluster, {
    topic,
    modes: 'async',
    count,
    tags: TAGS.join(','),
    prefix: 't',
  });
  const acked = await producer.finish();
  const wanted = new Ledger();
  for (const sent of acked) if (sent.tag !== 'B') wanted.send(sent.key);
  const some = new Consumer(kit, cluster, { topic, group: 'tags-some', expression: 'A || C' }, wanted);
  await some.receives(wanted);
  const all = new Ledger();
  for (const sent of acked) all.send(sent.key);
  const every = new Consumer(kit, cluster, { topic, group: 'tags-all', expression: '*' }, all);
  await every.receives(all);
  await Promise.all([some.stop(), every.stop()]);
  wanted.exactlyOnce();
  all.exactlyOnce();
}

/** The client compresses a body of more than 4 KiB; the broker stores and hands it on as it came. */
export async function bigBodies(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'big-bodies';
  const size = 3 * 1024 * 1024;
  const squeezed = await new Producer(kit, cluster, { topic, body: size, prefix: 'squeezed' }).finish();
  const plain = await new Producer(kit, cluster, {
    topic,
    body: size,
    'random-body': true,
    prefix: 'plain',
  }).finish();
  const ledger = new Ledger();
  for (const sent of [...squeezed, ...plain]) ledger.send(sent.key);
  const consumer = new Consumer(kit, cluster, { topic, group: 'big-group' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  allIntact(consumer.delivered);
  for (const message of consumer.delivered) {
    assert.is(message.bodySize, size);
    assert.ok(message.key.startsWith('plain') ? message.storeSize > size : message.storeSize < size / 10);
  }
}
