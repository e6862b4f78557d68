// Pops of lite topics frame by frame: what a pop of a client brings, who waits for whom, what comes again and
// with which count. Where messages lie is in lite-places, what a client is subscribed to in lite-
// subscriptions.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import {
  acked,
  bodiesOf,
  byLiteTopic,
  consumed,
  LITE_CONF,
  liteClient,
  liteFellow,
  nothingComes,
  putLite,
} from './scenarios/lite.ts';
import { numbered } from './scenarios/popping.ts';
import type { LiteClient, LiteMessage } from './support/lite.ts';
import { ORDERED } from './support/pops.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('lite topic frames', { conf: LITE_CONF, networkThreads: 2 });

const SUCCESS = 0;
const POLLING_TIMEOUT = 210;

const fresh = (...liteTopics: readonly string[]): Promise<LiteClient> =>
  liteClient(cluster().broker, liteTopics);
const another = (client: LiteClient, liteTopics: readonly string[], group = client.group) =>
  liteFellow(client, cluster().broker, liteTopics, group);

test('a pop brings what lies in the lite topics of its client, each in order', async () => {
  const client = await fresh('a', 'c');
  await putLite(client, 'a', ['a-0', 'a-1']);
  await putLite(client, 'b', ['b-0']);
  await putLite(client, 'c', ['c-0']);
  await putLite(client, 'a', ['a-2'], 1);
  const began = Date.now();
  const answer = await client.next({ invisibleTime: 30_000 });
  assert.equal([answer.code, answer.remark], [SUCCESS, 'FOUND']);
  const { popTime, orderCountInfo, ...rest } = answer.fields;
  assert.ok(Number(popTime) >= began - 1_000 && Number(popTime) <= Date.now());
  assert.is(orderCountInfo, '0;0;0;0');
  assert.equal(rest, { invisibleTime: '30000', reviveQid: String(ORDERED) });
  assert.equal(byLiteTopic(answer), { a: ['a-0', 'a-1', 'a-2'], c: ['c-0'] });
  const places = answer.messages.filter(({ liteTopic }) => liteTopic === 'a').map(({ place }) => place);
  assert.equal(places, [0, 1, 2]);
  for (const message of answer.messages) {
    assert.equal([message.topic, message.reconsumeTimes], [client.topic, 0]);
    assert.equal(message.properties['POP_CK'], undefined, 'the client makes it');
  }
  assert.equal((await client.pop()).code, POLLING_TIMEOUT, 'b is not its own');
  client.close();
});

test('nothing there: 210, with all that a pop tells', async () => {
  const client = await fresh('a');
  const { code, remark, fields, messages } = await client.pop();
  assert.equal([code, remark, messages.length], [POLLING_TIMEOUT, 'NO_MESSAGE_IN_QUEUE', 0]);
  const { popTime, ...rest } = fields;
  assert.ok(Number(popTime) > 0);
  assert.equal(rest, { invisibleTime: '60000', reviveQid: String(ORDERED), orderCountInfo: '' });
  client.close();
});

test('at most so many messages over all lite topics', async () => {
  const client = await fresh('a', 'b');
  await putLite(client, 'a', numbered('a', 3));
  await putLite(client, 'b', numbered('b', 3));
  const first = await client.next({ maxMsgNum: 4 });
  assert.is(first.messages.length, 4);
  await nothingComes(client);
  await acked(client, ...first.messages);
  assert.equal([...bodiesOf(first), ...(await consumed(client, 2))].sort(), [
    ...numbered('a', 3),
    ...numbered('b', 3),
  ]);
  client.close();
});

test('a lite topic waits until all that was popped of it is acknowledged', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 5));
  const { messages } = await client.next({ maxMsgNum: 3 });
  const [m0, m1, m2] = messages as [LiteMessage, LiteMessage, LiteMessage];
  await nothingComes(client);
  await acked(client, m1, m2);
  await putLite(client, 'a', ['m-5']);
  await nothingComes(client);
  await acked(client, m0);
  const next = await client.next();
  assert.equal(
    [bodiesOf(next), next.counts],
    [
      ['m-3', 'm-4', 'm-5'],
      [0, 0, 0],
    ],
  );
  await acked(client, m0); // has been settled before: no harm
  await acked(client, ...next.messages);
  await nothingComes(client);
  client.close();
});

test('lite topics wait for themselves alone', async () => {
  const client = await fresh('a', 'b');
  await putLite(client, 'a', ['a-0', 'a-1']);
  const a0 = await client.next({ maxMsgNum: 1 });
  assert.equal(bodiesOf(a0), ['a-0']);
  await putLite(client, 'b', ['b-0', 'b-1']);
  const b0 = await client.next({ maxMsgNum: 1 });
  assert.equal(bodiesOf(b0), ['b-0']);
  await acked(client, ...b0.messages);
  assert.equal(bodiesOf(await client.next()), ['b-1']);
  await nothingComes(client);
  await acked(client, ...a0.messages);
  assert.equal(bodiesOf(await client.next()), ['a-1']);
  client.close();
});

test('what is not acknowledged in time comes again in order, with a count', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 4));
  const first = await client.next({ maxMsgNum: 3, invisibleTime: 1_500 });
  await acked(client, first.messages[0] as LiteMessage);
  const again = await client.next({ maxMsgNum: 2, invisibleTime: 1_500 });
  const since = Number(again.fields['popTime']) - Number(first.fields['popTime']);
  assert.ok(since >= 1_500, `${since} ms later`);
  assert.equal(
    [bodiesOf(again), again.counts],
    [
      ['m-1', 'm-2'],
      [1, 1],
    ],
  );
  const third = await client.next({ maxMsgNum: 2, invisibleTime: 60_000 });
  assert.equal(
    [bodiesOf(third), third.counts],
    [
      ['m-1', 'm-2'],
      [2, 2],
    ],
  );
  await acked(client, ...again.messages); // handles of the pop before settle nothing
  await nothingComes(client);
  await acked(client, ...third.messages);
  const last = await client.next();
  assert.equal([bodiesOf(last), last.counts], [['m-3'], [0]]);
  client.close();
});

test('a message that fails comes again at the time that is asked for, with a count', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 2));
  const first = await client.next({ maxMsgNum: 1 });
  const failed = first.messages[0] as LiteMessage;
  const before = Date.now();
  const changed = await client.change(failed, 2_000);
  const after = Date.now();
  assert.is(changed.code, SUCCESS, changed.remark);
  const { popTime, invisibleTime, ...rest } = changed.fields;
  assert.equal([popTime, rest], [first.fields['popTime'], { reviveQid: String(ORDERED) }]);
  const until = Number(popTime) + Number(invisibleTime);
  assert.ok(until >= before + 2_000 && until <= after + 2_000, `${until}`);
  assert.is((await client.pop()).code, POLLING_TIMEOUT);
  const again = await client.next({ maxMsgNum: 1 });
  assert.ok(Date.now() >= until);
  assert.equal([bodiesOf(again), again.counts], [['m-0'], [1]]);
  await acked(client, { ...failed, handle: changed.handle }); // of the pop before: settles nothing
  await nothingComes(client);
  await acked(client, ...again.messages);
  assert.equal(await consumed(client, 1), ['m-1']);
  client.close();
});

test('one that fails in the middle: it and what follows it come again', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 3));
  const { messages } = await client.next();
  const [m0, m1, m2] = messages as [LiteMessage, LiteMessage, LiteMessage];
  await acked(client, m0, m2);
  assert.is((await client.change(m1, 1_000)).code, SUCCESS);
  const again = await client.next();
  assert.is(bodiesOf(again)[0], 'm-1');
  await acked(client, ...again.messages);
  await nothingComes(client);
  client.close();
});

test('a message that is suspended comes again and keeps its count', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', ['m']);
  const first = (await client.next()).messages[0] as LiteMessage;
  assert.is((await client.change(first, 500)).code, SUCCESS);
  for (let times = 0; times < 3; times++) {
    const { messages, counts } = await client.next();
    assert.equal(counts, [1]);
    const suspended = await client.change(messages[0] as LiteMessage, 500, { suspend: 'true' });
    assert.is(suspended.code, SUCCESS);
    assert.is(suspended.fields['reviveQid'], String(ORDERED));
  }
  const { messages } = await client.next();
  assert.is((await client.change(messages[0] as LiteMessage, 500)).code, SUCCESS);
  assert.equal((await client.next()).counts, [2]);
  client.close();
});

test('a longer time for what is out', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 2));
  const { messages } = await client.next({ maxMsgNum: 1, invisibleTime: 1_000 });
  const longer = await client.change(messages[0] as LiteMessage, 60_000);
  assert.is(longer.code, SUCCESS);
  await sleep(1_500);
  await nothingComes(client);
  await acked(client, { ...(messages[0] as LiteMessage), handle: longer.handle });
  assert.equal(await consumed(client, 1), ['m-1']);
  client.close();
});

test('an attempt that is made again gets the same messages when something has come', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 3));
  const first = await client.next({ maxMsgNum: 2, attemptId: 'one' });
  assert.equal(bodiesOf(first), numbered('m', 2));
  await nothingComes(client);
  // The real broker looks at a lite topic only when a message or its end of waiting has called for it.
  await putLite(client, 'a', ['m-3']);
  const repeated = await client.next({ maxMsgNum: 2, attemptId: 'one' });
  assert.equal([bodiesOf(repeated), repeated.counts], [numbered('m', 2), [0, 0]]);
  await putLite(client, 'a', ['m-4']);
  assert.is((await client.pop({ attemptId: 'two' })).code, POLLING_TIMEOUT);
  await acked(client, ...repeated.messages);
  assert.equal(bodiesOf(await client.next({ attemptId: 'two' })), ['m-2', 'm-3', 'm-4']);
  client.close();
});

test('a pop that waits is woken by a message of one of its lite topics', async () => {
  const client = await fresh('a', 'b');
  const sender = await another(client, []);
  const waiting = client.begin({ pollTime: 12_000 });
  await putLite(sender, 'c', ['c-0']);
  await putLite(sender, 'b', ['b-0']);
  const { code, messages } = await client.answered(waiting);
  assert.equal([code, messages.map(({ body }) => body.toString())], [SUCCESS, ['b-0']]);
  sender.close();
  client.close();
});

test('a pop that waits is woken by the last acknowledgement', async () => {
  const client = await fresh('a');
  await putLite(client, 'a', numbered('m', 3));
  const { messages } = await client.next({ maxMsgNum: 2 });
  const waiting = client.begin({ pollTime: 12_000 });
  await acked(client, ...messages);
  assert.equal(bodiesOf(await client.answered(waiting)), ['m-2']);
  client.close();
});

test('nothing comes: a pop that waits ends with its time', async () => {
  const client = await fresh('a');
  const began = Date.now();
  const { code, remark } = await client.pop({ pollTime: 1_500 });
  assert.equal([code, remark], [POLLING_TIMEOUT, 'NO_MESSAGE_IN_QUEUE']);
  assert.ok(Date.now() - began >= 1_000, 'it has waited');
  client.close();
});

test('clients of one group share lite topics, and have none of them at the same time', async () => {
  const lites = numbered('lite', 16);
  const one = await fresh(...lites);
  const two = await another(one, lites);
  for (const lite of lites) await putLite(one, lite, [`${lite}.0`, `${lite}.1`]);
  const had = { one: [] as string[], two: [] as string[] };
  const seen = new Map<string, string[]>();
  for (const end = Date.now() + 30_000; had.one.length + had.two.length < 32; ) {
    const answers = [await one.pop({ maxMsgNum: 1 }), await two.pop({ maxMsgNum: 1 })];
    const messages = answers.flatMap((answer) => answer.messages);
    assert.is(new Set(messages.map(({ liteTopic }) => liteTopic)).size, messages.length);
    for (const [index, name] of (['one', 'two'] as const).entries()) {
      for (const message of answers[index]?.messages ?? []) {
        const body = message.body.toString();
        had[name].push(body);
        seen.set(message.liteTopic, [...(seen.get(message.liteTopic) ?? []), body]);
        await acked(name === 'one' ? one : two, message);
      }
    }
    if (Date.now() > end) throw new Error(`${had.one.length} + ${had.two.length} of 32 came`);
  }
  for (const lite of lites) assert.equal(seen.get(lite), [`${lite}.0`, `${lite}.1`]);
  assert.ok(had.one.length > 0 && had.two.length > 0, `${had.one.length} and ${had.two.length}`);
  two.close();
  one.close();
});

test('what a client does not acknowledge goes to any of its group', async () => {
  const one = await fresh('a');
  await putLite(one, 'a', ['m']);
  assert.equal(bodiesOf(await one.next({ invisibleTime: 1_000 })), ['m']);
  const two = await another(one, ['a']);
  assert.is((await two.pop()).code, POLLING_TIMEOUT, 'it is still out');
  assert.is((await one.subscribe('COMPLETE_REMOVE')).code, SUCCESS);
  const again = await two.next();
  assert.equal([bodiesOf(again), again.counts], [['m'], [1]]);
  one.close();
  two.close();
});

test('each group gets every message', async () => {
  const one = await fresh('a');
  const two = await another(one, ['a'], `${one.group}-too`);
  await putLite(one, 'a', numbered('m', 3));
  const first = await one.next({ maxMsgNum: 1 });
  assert.equal(bodiesOf(first), ['m-0']);
  assert.equal(await consumed(two, 3), numbered('m', 3));
  await acked(one, ...first.messages);
  assert.equal(await consumed(one, 2), ['m-1', 'm-2']);
  two.close();
  one.close();
});

test.run();
