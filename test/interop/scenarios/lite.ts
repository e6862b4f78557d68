// Parent topics, groups and messages of lite topics.

import * as assert from 'uvu/assert';
import { type LiteAnswer, LiteClient, type LiteMessage } from '../support/lite.ts';
import type { RawConnection } from '../support/raw.ts';
import { readQueue } from '../support/records.ts';
import type { Broker, Conf } from '../support/servers.ts';
import { target } from '../support/target.ts';
import { makeGroup, makeTopic, put } from './popping.ts';

const GET_MAX_OFFSET = 30;
const POLLING_TIMEOUT = 210;

/** RocketMQ has lite topics only when it is told so, RingMQ always. */
export const LITE_CONF: Conf = target === 'rocketmq' ? { enableLmq: true, enableMultiDispatch: true } : {};

/** `queues`: two, so that a queue other than 0 is there and yet not one of a lite topic. */
export async function makeParent(connection: RawConnection, topic: string, queues = 2): Promise<void> {
  await makeTopic(connection, topic, queues, 6, '+message.type=LITE');
}

export async function makeLiteGroup(
  connection: RawConnection,
  group: string,
  topic: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const added = Object.entries({ 'lite.bind.topic': topic, ...attributes });
  const all = Object.fromEntries(added.map(([name, value]) => [`+${name}`, value]));
  await makeGroup(connection, group, { attributes: all });
}

let serial = 0;

/** A client of a parent topic and a group of its own, with these lite topics. */
export async function liteClient(
  broker: Broker,
  liteTopics: readonly string[] = [],
  attributes: Readonly<Record<string, string>> = {},
): Promise<LiteClient> {
  serial += 1;
  const topic = `parent-${serial}`;
  const group = `lite-group-${serial}`;
  const client = await LiteClient.open(broker, { topic, group });
  await makeParent(client.connection, topic);
  await makeLiteGroup(client.connection, group, topic, attributes);
  if (liteTopics.length > 0) await added(client, ...liteTopics);
  return client;
}

/** Another client of the same parent topic, in the same group or one of its own. */
export async function liteFellow(
  { topic, group: first }: LiteClient,
  broker: Broker,
  liteTopics: readonly string[] = [],
  group = first,
): Promise<LiteClient> {
  const fellow = await LiteClient.open(broker, { topic, group });
  if (group !== first) await makeLiteGroup(fellow.connection, group, topic);
  if (liteTopics.length > 0) await added(fellow, ...liteTopics);
  return fellow;
}

/** Sends messages with these bodies to a lite topic; they can be popped when this resolves. */
export async function putLite(
  { connection, topic }: LiteClient,
  liteTopic: string,
  bodies: readonly string[],
  queueId = 0,
): Promise<void> {
  await put(connection, topic, bodies, queueId, { __LITE_TOPIC: liteTopic });
}

/** All that was sent to the parent's queue 0 can be popped. */
export async function dispatched({ connection, topic }: LiteClient, count: number): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const { extFields } = await connection.request({ code: GET_MAX_OFFSET, ext: { topic, queueId: 0 } });
    if (Number(extFields?.['offset']) >= count) return;
  }
  throw new Error(`queue 0 of ${topic} does not reach ${count}`);
}

export async function added(client: LiteClient, ...liteTopics: readonly string[]): Promise<void> {
  const { code, remark } = await client.add(liteTopics);
  assert.is(code, 0, remark);
}

export async function acked(client: LiteClient, ...messages: readonly LiteMessage[]): Promise<void> {
  const answers = await Promise.all(messages.map((message) => client.ack(message)));
  for (const { code, remark } of answers) assert.is(code, 0, remark);
}

export function bodiesOf({ messages }: { readonly messages: readonly LiteMessage[] }): string[] {
  return messages.map(({ body }) => body.toString());
}

/** The bodies of an answer by lite topic, in their order. */
export function byLiteTopic({ messages }: LiteAnswer): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { liteTopic, body } of messages) {
    const those = found[liteTopic] ?? [];
    found[liteTopic] = [...those, body.toString()];
  }
  return found;
}

/** Pops and acknowledges until so many messages have come; their bodies. */
export async function consumed(client: LiteClient, count: number): Promise<string[]> {
  const bodies: string[] = [];
  for (const end = Date.now() + 30_000; bodies.length < count; ) {
    const answer = await client.next();
    await acked(client, ...answer.messages);
    bodies.push(...bodiesOf(answer));
    if (Date.now() > end) throw new Error(`${bodies.length} of ${count} came: ${bodies}`);
  }
  return bodies;
}

/** Nothing comes, also not soon. */
export async function nothingComes(client: LiteClient, pollTime = 500): Promise<void> {
  const answer = await client.pop({ pollTime });
  assert.equal([answer.code, bodiesOf(answer)], [POLLING_TIMEOUT, []], answer.remark);
}

export interface LitePlace {
  readonly body: string;
  readonly queue: string | undefined;
  readonly place: number;
}

/** What lies in the queues of the parent topic, and where it stands in the queues of its lite topics. */
export async function placesIn(
  connection: RawConnection,
  topic: string,
  queues = 2,
): Promise<Map<string, LitePlace[]>> {
  const places = new Map<string, LitePlace[]>();
  for (let queueId = 0; queueId < queues; queueId++) {
    for (const { body, properties } of await readQueue(connection, topic, queueId)) {
      const { __LITE_TOPIC = '', INNER_MULTI_DISPATCH: queue, INNER_MULTI_QUEUE_OFFSET } = properties;
      // RingMQ writes it with zeroes in front, as its place is not known before its length must be.
      const one = { body: body.toString(), queue, place: Number(INNER_MULTI_QUEUE_OFFSET) };
      places.set(__LITE_TOPIC, [...(places.get(__LITE_TOPIC) ?? []), one]);
    }
  }
  for (const those of places.values()) those.sort((a, b) => a.place - b.place);
  return places;
}
