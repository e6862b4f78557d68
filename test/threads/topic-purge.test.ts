// A topic that is purged while others work with it: pulls, pops and what they have out, delays, retries, queries.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { decodeMessageId } from '../../src/record/message-id.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  pullRequest,
  recordsIn,
  sendRequest,
  temporaryStore,
  untilQueueHolds,
} from '../support/broker-process.ts';
import { PopClient } from '../support/pop-client.ts';

const test = suite('purge');
const WAIT_MS = 20_000;

async function withBroker(store: string, run: (address: string, client: CommandClient) => Promise<void>) {
  const broker = await startBroker({ store, topics: ['T', 'C'] });
  const client = new CommandClient({ address: broker.broker });
  try {
    await run(broker.broker, client);
  } finally {
    client.close();
    await broker.close();
  }
}

/** In a store that goes afterwards. */
async function inStore(...lives: ((address: string, client: CommandClient) => Promise<void>)[]) {
  const { directory, remove } = temporaryStore();
  try {
    for (const life of lives) await withBroker(directory, life);
  } finally {
    remove();
  }
}

async function send(client: CommandClient, topic: string, body: string, properties: [string, string][] = []) {
  const answer = await client.request(sendRequest(topic, 0, body, Buffer.from(body), properties), WAIT_MS);
  assert.is(answer.code, 0, answer.remark);
  return answer;
}

async function purge(client: CommandClient, topic: string, messages: number): Promise<void> {
  const answer = await client.request(requestCommand(RequestCode.PURGE_TOPIC, { topic }), WAIT_MS);
  assert.is(answer.code, 0, answer.remark);
  const { queues } = JSON.parse(Buffer.from(answer.body ?? []).toString());
  assert.is(queues[0].messages, messages);
}

async function rangeOf(client: CommandClient, topic: string): Promise<[number, number]> {
  const asked = [RequestCode.GET_MIN_OFFSET, RequestCode.GET_MAX_OFFSET].map(async (code) => {
    const answer = await client.request(requestCommand(code, { topic, queueId: '0' }), WAIT_MS);
    return Number(answer.fields['offset']);
  });
  return (await Promise.all(asked)) as [number, number];
}

/** Keys of what the queue has, from its first message on. */
async function keysIn(client: CommandClient, topic: string): Promise<string[]> {
  const [minimum] = await rangeOf(client, topic);
  const { code, body } = await client.request(pullRequest(topic, 0, minimum), WAIT_MS);
  if (code !== 0 || body === undefined) return [];
  return recordsIn(body).map((record) => record?.properties.get('UNIQ_KEY') ?? '');
}

const found = async (client: CommandClient, key: string) =>
  (
    await client.request(
      requestCommand(RequestCode.QUERY_MESSAGE, {
        ...{ topic: 'T', key, maxNum: '32', beginTimestamp: '0', endTimestamp: '9999999999999' },
      }),
      WAIT_MS,
    )
  ).code;

test('purged messages are found in no way; what comes later counts on', () =>
  inStore(
    async (_, client) => {
      const ids: string[] = [];
      for (let i = 0; i < 100; i++) ids.push((await send(client, 'T', `old${i}`)).fields['msgId'] ?? '');
      await send(client, 'C', 'other');
      await untilQueueHolds(client, 'T', 0, 100);
      assert.is(await found(client, 'old7'), 0);
      const viewed = async () => {
        const offset = String(decodeMessageId(ids[7] as string)?.physicalOffset);
        return (await client.request(requestCommand(RequestCode.VIEW_MESSAGE_BY_ID, { offset }), WAIT_MS))
          .code;
      };
      assert.is(await viewed(), 0);
      const preview = requestCommand(RequestCode.PURGE_TOPIC, { topic: 'T', dryRun: 'true' });
      assert.is((await client.request(preview, WAIT_MS)).code, 0);
      assert.equal(await rangeOf(client, 'T'), [0, 100]);
      await purge(client, 'T', 100);
      assert.equal(await rangeOf(client, 'T'), [100, 100]);
      const moved = await client.request(pullRequest('T', 0, 50), WAIT_MS);
      assert.equal([moved.code, moved.fields['nextBeginOffset']], [ResponseCode.PULL_OFFSET_MOVED, '100']);
      assert.is(await found(client, 'old7'), ResponseCode.QUERY_NOT_FOUND);
      assert.is(await viewed(), ResponseCode.SYSTEM_ERROR);
      const search = { topic: 'T', queueId: '0', timestamp: '0' };
      const { fields } = await client.request(
        requestCommand(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, search),
        WAIT_MS,
      );
      assert.is(fields['offset'], '100');
      assert.is((await send(client, 'T', 'new0')).fields['queueOffset'], '100');
      await untilQueueHolds(client, 'T', 0, 101);
      assert.equal(await keysIn(client, 'T'), ['new0']);
      assert.is(await found(client, 'new0'), 0);
      assert.equal(await keysIn(client, 'C'), ['other']);
    },
    async (_, client) => {
      assert.equal([await rangeOf(client, 'T'), await keysIn(client, 'T')], [[100, 101], ['new0']]);
      assert.is(await found(client, 'old7'), ResponseCode.QUERY_NOT_FOUND);
    },
  ));

test('what a pop has out may be acknowledged, and comes back no more; the group goes on behind', () =>
  inStore(async (address, client) => {
    const [topic, clock] = ['T', 'C'].map((name) => new PopClient(address, name, 'G')) as [
      PopClient,
      PopClient,
    ];
    try {
      for (let i = 0; i < 6; i++) await topic.send(`old${i}`);
      await clock.send('clock');
      const popped = await topic.pop({ maxMsgNums: '4', invisibleTime: '3000' });
      assert.is(popped.length, 4);
      assert.is((await clock.pop({ invisibleTime: '3000' })).length, 1);
      await purge(client, 'T', 6);
      // As of messages that have expired: there is nothing to be done any more.
      assert.is(await topic.ack(popped[0] as (typeof popped)[0]), ResponseCode.NO_MESSAGE);
      await topic.send('new0');
      // The clock's message was popped behind these: when it comes back they would have.
      while ((await clock.pop({ pollTime: '10000' })).length === 0);
      await topic.send('new1');
      const bodies = [];
      while (bodies.length < 2)
        bodies.push(...(await topic.pop({ pollTime: '5000' })).map(({ body }) => body));
      assert.equal(bodies, ['new0', 'new1']);
      assert.is(await topic.ack(popped[1] as (typeof popped)[0]), ResponseCode.NO_MESSAGE);
      assert.equal(await topic.pop(), []);
    } finally {
      topic.close();
      clock.close();
    }
  }));

test('an ordered group that has purged messages out gets what comes behind them', () =>
  inStore(async (address, client) => {
    const topic = new PopClient(address, 'T', 'G');
    const ordered = {
      order: 'true',
      queueId: '0',
      attemptId: 'a',
      invisibleTime: '600000',
      pollTime: '10000',
    };
    try {
      for (let i = 0; i < 3; i++) await topic.send(`old${i}`);
      assert.is((await topic.pop({ ...ordered, maxMsgNums: '2' })).length, 2);
      await purge(client, 'T', 3);
      await topic.send('new0');
      const popped = await topic.pop({ ...ordered, attemptId: 'b' });
      assert.equal(
        popped.map(({ body }) => body),
        ['new0'],
      );
    } finally {
      topic.close();
    }
  }));

test('a delayed message that is not due yet comes, one that has come is purged', () =>
  inStore(async (_, client) => {
    await send(client, 'T', 'old0');
    await send(client, 'T', 'later', [['DELAY', '2']]);
    await untilQueueHolds(client, 'T', 0, 1);
    await purge(client, 'T', 1);
    await untilQueueHolds(client, 'T', 0, 2);
    assert.equal([await rangeOf(client, 'T'), await keysIn(client, 'T')], [[1, 2], ['later']]);
    await purge(client, 'T', 1);
    assert.equal([await rangeOf(client, 'T'), await keysIn(client, 'T')], [[2, 2], []]);
  }));

test('a group goes on at the minimum where it had committed less, also one that waits for messages', () =>
  inStore(async (_, client) => {
    for (let i = 0; i < 5; i++) await send(client, 'T', `old${i}`);
    await untilQueueHolds(client, 'T', 0, 5);
    const waiting = client.request(pullRequest('T', 0, 5, 15_000), WAIT_MS);
    await purge(client, 'T', 5);
    await send(client, 'T', 'new0');
    assert.is((await waiting).code, 0);
    const place = { topic: 'T', queueId: '0' };
    const commit = { ...place, consumerGroup: 'test-consumers', commitOffset: '2' };
    assert.is(
      (await client.request(requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, commit), WAIT_MS)).code,
      0,
    );
    const asked = await client.request(
      requestCommand(RequestCode.QUERY_CONSUMER_OFFSET, { ...place, consumerGroup: 'test-consumers' }),
      WAIT_MS,
    );
    const pulled = await client.request(pullRequest('T', 0, Number(asked.fields['offset'])), WAIT_MS);
    assert.equal([pulled.code, pulled.fields['nextBeginOffset']], [ResponseCode.PULL_OFFSET_MOVED, '5']);
  }));

test.run();
