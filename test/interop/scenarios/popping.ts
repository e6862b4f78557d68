// Topics, groups and messages for what is popped.

import * as assert from 'uvu/assert';
import type { PoppedMessage, Popper } from '../support/pops.ts';
import { type RawConnection, send } from '../support/raw.ts';
import { encodeProperties } from '../support/records.ts';
import { dispatched } from './transacting.ts';

const UPDATE_TOPIC = 17;
const UPDATE_GROUP = 200;
const QUERY_OFFSET = 14;

/** The real broker looks once a second for what is visible again, and waits seconds for what may still come. */
export const REVIVED_WITHIN = 25_000;

export async function makeTopic(
  connection: RawConnection,
  topic: string,
  queues = 1,
  perm = 6,
  attributes?: string,
): Promise<void> {
  const numbers = { readQueueNums: queues, writeQueueNums: queues, perm, topicSysFlag: 0 };
  const fixed = { topic, defaultTopic: 'TBW102', topicFilterType: 'SINGLE_TAG', order: 'false', ...numbers };
  const ext = attributes === undefined ? fixed : { ...fixed, attributes };
  const { code, remark } = await connection.request({ code: UPDATE_TOPIC, ext });
  assert.is(code, 0, remark);
}

export async function makeGroup(
  connection: RawConnection,
  groupName: string,
  more: object = {},
): Promise<void> {
  const group = { groupName, retryQueueNums: 1, retryMaxTimes: 16, consumeEnable: true, ...more };
  const { code, remark } = await connection.request({
    code: UPDATE_GROUP,
    body: Buffer.from(JSON.stringify(group)),
  });
  assert.is(code, 0, remark);
}

/** Sends messages with these bodies; they can be read when this resolves. */
export async function put(
  connection: RawConnection,
  topic: string,
  bodies: readonly string[],
  queueId = 0,
  properties: Readonly<Record<string, string | number>> = {},
): Promise<void> {
  for (const body of bodies) {
    const fields = { queueId, properties: encodeProperties({ KEYS: body, ...properties }) };
    const answer = await connection.request(send(topic, fields, body));
    assert.is(answer.code, 0, answer.remark);
  }
  await dispatched(connection);
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}

export function bodies(messages: readonly PoppedMessage[]): string[] {
  return messages.map(({ body }) => body.toString());
}

/** The group's committed offset; undefined when there is none. */
export async function committed(popper: Popper, topic: string, queueId = 0): Promise<number | undefined> {
  const ext = { consumerGroup: popper.group, topic, queueId, setZeroIfNotFound: 'false' };
  const { code, extFields } = await popper.connection.request({ code: QUERY_OFFSET, ext });
  return code === 0 ? Number(extFields?.['offset']) : undefined;
}

/** Pops until a message with this body comes, and what came before it with it. */
export async function popUntil(
  popper: Popper,
  topic: string,
  body: string,
  fields = {},
  within = REVIVED_WITHIN,
): Promise<PoppedMessage> {
  const until = Date.now() + within;
  while (Date.now() < until) {
    const answer = await popper.pop(topic, { pollTime: 1_000, ...fields });
    const found = answer.messages.find((message) => message.body.toString() === body);
    if (found !== undefined) return found;
  }
  throw new Error(`${body} has not become visible again`);
}
