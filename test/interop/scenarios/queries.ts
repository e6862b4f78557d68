// Finding messages again: by key, by unique key, by offset id; offsets by time, minimum, maximum, earliest.

import * as assert from 'uvu/assert';
import type { Kit } from '../support/clients.ts';
import { Dialogue } from '../support/dialogue.ts';
import type { Cluster } from '../support/target.ts';
import { type Delivered, Producer, type Sent } from './actors.ts';

interface Offsets {
  readonly queueId: number;
  readonly min: number;
  readonly max: number;
  readonly earliest: number;
  readonly atZero: number;
  readonly atEnd: number;
  readonly atTime: number;
}

/** The client's code for "no message" (its own, not the broker's 22). */
const NO_MESSAGE = 208;

export async function queries(kit: Kit, cluster: Cluster): Promise<void> {
  const topic = 'queries';
  const early = await new Producer(kit, cluster, { topic, count: 40, tags: 'Q', prefix: 'q' }).finish();
  const between = Date.now() + 1;
  const late = await new Producer(kit, cluster, { topic, count: 40, start: 40, prefix: 'q' }).finish();
  // Two keys of one hash: "Aa" and "BB" collide in Java, so only a comparison of the text tells them apart.
  await new Producer(kit, cluster, { topic, count: 1, prefix: 'Aa' }).finish();
  const collides = await new Producer(kit, cluster, { topic, count: 1, prefix: 'BB' }).finish();

  const dialogue = new Dialogue(kit.start('Query', { namesrv: cluster.nameServer.address }));
  for (const sent of [...early.slice(0, 2), ...late.slice(-1)]) await findThreeWays(dialogue, topic, sent);
  const [hit, ...more] = (await dialogue.ask(`key ${topic} BB-0`)) as Delivered[];
  assert.is(more.length, 0, 'a colliding key finds its own message only');
  assert.is(hit?.msgId, collides[0]?.msgId);
  await findNothing(dialogue, topic, early[0] as Sent);
  await offsets(dialogue, topic, [...early, ...late], between);
  await dialogue.end();
}

async function findThreeWays(dialogue: Dialogue, topic: string, sent: Sent): Promise<void> {
  for (const question of [
    `key ${topic} ${sent.key}`,
    `unique ${topic} ${sent.msgId}`,
    `offset-id ${topic} ${sent.offsetMsgId}`,
  ]) {
    const found = (await dialogue.ask(question)) as Delivered[];
    assert.is(found.length, 1, question);
    assert.is(found[0]?.key, sent.key);
    assert.is(found[0]?.msgId, sent.msgId);
    assert.is(found[0]?.queueId, sent.queueId);
    assert.is(found[0]?.queueOffset, sent.queueOffset);
    assert.ok(found[0]?.intact, 'body and properties are whole');
  }
}

async function findNothing(dialogue: Dialogue, topic: string, sent: Sent): Promise<void> {
  assert.is((await dialogue.refused(`key ${topic} no-such-key`)).code, NO_MESSAGE);
  assert.is((await dialogue.refused(`unique ${topic} ${'0'.repeat(32)}`)).code, NO_MESSAGE);
  const beyond = sent.offsetMsgId.slice(0, -16) + (2 ** 40).toString(16).toUpperCase().padStart(16, '0');
  await dialogue.refused(`offset-id ${topic} ${beyond}`);
}

async function offsets(
  dialogue: Dialogue,
  topic: string,
  acked: readonly Sent[],
  between: number,
): Promise<void> {
  const rows = (await dialogue.ask(`offsets ${topic} ${between}`)) as Offsets[];
  assert.equal(
    rows.map((row) => row.queueId),
    [0, 1, 2, 3],
  );
  for (const row of rows) {
    const mine = acked.filter((sent) => sent.queueId === row.queueId);
    assert.is(row.min, 0);
    assert.is(row.atZero, 0);
    assert.ok(row.max >= mine.length);
    assert.is(row.atEnd, row.max, 'a time after the last message gives the maximum');
    assert.ok(row.earliest > 0 && row.earliest < between);
    const earlier = mine.filter((sent) => Number(sent.key.slice(2)) < 40).length;
    assert.is(row.atTime, earlier, 'the first message at or after the time');
  }
}
