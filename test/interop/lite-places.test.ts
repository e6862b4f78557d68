// Where messages of lite topics lie, frame by frame: their places in the queues of their lite topics, and
// what else reads or settles them: pulls, offsets by time, pops of the parent topic, batches.

import * as assert from 'uvu/assert';
import {
  acked,
  bodiesOf,
  consumed,
  LITE_CONF,
  liteClient,
  nothingComes,
  placesIn,
  putLite,
} from './scenarios/lite.ts';
import { makeTopic, numbered, put } from './scenarios/popping.ts';
import type { LiteClient, LiteMessage } from './support/lite.ts';
import { Popper } from './support/pops.ts';
import { pull } from './support/raw.ts';
import { decodeRecords } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('places of lite topics', { conf: LITE_CONF, networkThreads: 2 });

const SUCCESS = 0;
const PULL_NOT_FOUND = 19;
const SEARCH_OFFSET = 29;

const fresh = (...liteTopics: readonly string[]): Promise<LiteClient> =>
  liteClient(cluster().broker, liteTopics);

test('each message is stored with its place in the queue of its lite topic', async () => {
  const client = await fresh();
  await putLite(client, 'a', ['a-0']);
  await putLite(client, 'b', ['b-0'], 1);
  await putLite(client, 'a', ['a-1'], 1);
  await putLite(client, 'a', ['a-2']);
  await putLite(client, 'b', ['b-1']);
  await put(client.connection, client.topic, ['plain']);
  const places = await placesIn(client.connection, client.topic);
  assert.equal([...places.keys()].sort(), ['', 'a', 'b']);
  const queue = (lite: string): string => `%LMQ%$${client.topic}$${lite}`;
  assert.equal(places.get('a'), [
    { body: 'a-0', queue: queue('a'), place: 0 },
    { body: 'a-1', queue: queue('a'), place: 1 },
    { body: 'a-2', queue: queue('a'), place: 2 },
  ]);
  assert.equal(places.get('b'), [
    { body: 'b-0', queue: queue('b'), place: 0 },
    { body: 'b-1', queue: queue('b'), place: 1 },
  ]);
  assert.equal(
    places.get('')?.map(({ body, queue }) => [body, queue]),
    [['plain', undefined]],
  );
  client.close();
});

test('a queue that the sender names itself gives way to that of the lite topic', async () => {
  const client = await fresh();
  const own = { __LITE_TOPIC: 'a', INNER_MULTI_DISPATCH: '%LMQ%other', INNER_MULTI_QUEUE_OFFSET: '7' };
  await put(client.connection, client.topic, ['m'], 0, own);
  const places = await placesIn(client.connection, client.topic);
  assert.equal(places.get('a'), [{ body: 'm', queue: `%LMQ%$${client.topic}$a`, place: 0 }]);
  client.close();
});

test('parent topics with lite topics of one name have nothing in common', async () => {
  const one = await fresh('same');
  const two = await fresh('same');
  await putLite(one, 'same', ['one-0', 'one-1']);
  await putLite(two, 'same', ['two-0']);
  assert.equal((await placesIn(two.connection, two.topic)).get('same')?.[0]?.place, 0);
  assert.equal([bodiesOf(await one.next()), bodiesOf(await two.next())], [['one-0', 'one-1'], ['two-0']]);
  one.close();
  two.close();
});

test('groups that pop the parent topic itself get what lies there, of all lite topics', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', ['a-0']);
  await putLite(client, 'b', ['b-0']);
  const popper = await Popper.open(cluster().broker, 'pops-the-parent');
  const messages = await popper.popAll(client.topic, 2);
  assert.equal(messages.map(({ body }) => body.toString()).sort(), ['a-0', 'b-0']);
  for (const message of messages) assert.is((await popper.ack(message)).code, SUCCESS);
  assert.equal(bodiesOf(await client.next()), ['a-0']);
  popper.close();
  client.close();
});

test('a batch acknowledges nothing of a lite topic, nor does an acknowledgement without its name', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 2));
  const { messages } = await client.next({ maxMsgNum: 1 });
  const [message] = messages as [LiteMessage];
  const popper = await Popper.open(cluster().broker, client.group);
  await popper.batchAck({ messages: [{ ...message, queueOffset: 0, source: client.topic }] });
  await client.ack(message, { liteTopic: undefined });
  await nothingComes(client);
  await acked(client, message);
  assert.equal(await consumed(client, 1), ['m-1']);
  popper.close();
  client.close();
});

test('pulls read a lite topic where they name it', async () => {
  const client = await fresh();
  await putLite(client, 'a', ['a-0', 'a-1']);
  await putLite(client, 'b', ['b-0']);
  await putLite(client, 'a', ['a-2']);
  const read = (fields: Readonly<Record<string, string | number>>) =>
    client.connection.request(pull(client.topic, { liteTopic: 'a', ...fields }));
  const all = await read({ queueOffset: 0 });
  assert.is(all.code, SUCCESS, all.remark);
  assert.equal(
    decodeRecords(all.body).map(({ body }) => body.toString()),
    ['a-0', 'a-1', 'a-2'],
  );
  const { nextBeginOffset, minOffset, maxOffset } = all.extFields ?? {};
  assert.equal([nextBeginOffset, minOffset, maxOffset], ['3', '0', '3']);
  const rest = decodeRecords((await read({ queueOffset: 2 })).body);
  assert.equal(
    rest.map(({ body }) => body.toString()),
    ['a-2'],
  );
  assert.is((await read({ queueOffset: 3 })).code, PULL_NOT_FOUND);
  client.close();
});

test('offsets of a lite topic by time', async () => {
  const client = await fresh();
  await putLite(client, 'a', ['a-0', 'a-1']);
  await putLite(client, 'b', ['b-0']);
  const offsetAt = async (liteTopic: string, timestamp: number, queueId = 0): Promise<string> => {
    const ext = { topic: client.topic, queueId, timestamp, boundaryType: 'LOWER', liteTopic };
    const { code, remark, extFields } = await client.connection.request({ code: SEARCH_OFFSET, ext });
    assert.is(code, SUCCESS, remark);
    return String(extFields?.['offset']);
  };
  assert.is(await offsetAt('a', 0), '0');
  assert.is(await offsetAt('a', Date.now() + 60_000), '2');
  assert.is(await offsetAt('nothing-there', Date.now() + 60_000), '0');
  assert.is(await offsetAt('a', Date.now() + 60_000, 1), '0');
  client.close();
});

test('names of lite topics on topics of another type', async () => {
  const client = await fresh();
  const topic = `${client.topic}-normal`;
  await makeTopic(client.connection, topic);
  await put(client.connection, topic, ['m'], 0, { __LITE_TOPIC: 'a' });
  const places = await placesIn(client.connection, topic, 1);
  const [place] = places.get('a') ?? [];
  // Nobody can pop it there: ours has no lite topics below such a topic.
  assert.is(place?.queue, target === 'rocketmq' ? `%LMQ%$${topic}$a` : undefined);
  client.close();
});

test.run();
