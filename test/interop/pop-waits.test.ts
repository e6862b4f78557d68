// Pops and notifications that wait: what wakes them, what does not, how they end, and how many there are.

import * as assert from 'uvu/assert';
import { bodies, makeGroup, makeTopic, numbered, put, REVIVED_WITHIN } from './scenarios/popping.ts';
import { type PoppedMessage, Popper } from './support/pops.ts';
import type { RawResponse } from './support/raw.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('pops that wait', {
  conf: { enablePropertyFilter: true, popPollingSize: 8 },
  networkThreads: 2,
});

const SUCCESS = 0;
const NO_PERMISSION = 16;
const TOPIC_NOT_EXIST = 17;
const SUBSCRIPTION_PARSE_FAILED = 23;
const INVALID_PARAMETER = 29;
const POLLING_FULL = 209;
const POLLING_TIMEOUT = 210;
/** Longer than anything here takes, shorter than what is waited for an answer. */
const LONG = 12_000;

let serial = 0;

async function fresh(queues = 1): Promise<{ topic: string; popper: Popper; sender: Popper }> {
  serial += 1;
  const topic = `awaited-${serial}`;
  const popper = await Popper.open(cluster().broker, `waiters-${serial}`);
  const sender = await Popper.open(cluster().broker, 'senders');
  await makeTopic(popper.connection, topic, queues);
  await makeGroup(popper.connection, popper.group);
  return { topic, popper, sender };
}

async function waiting(popper: Popper, topic: string, queueId = -1): Promise<number> {
  const { code, extFields } = await popper.pollingInfo(topic, { queueId });
  assert.is(code, SUCCESS);
  return Number(extFields?.['pollingNum']);
}

/** Resolves when so many pops wait. */
async function parked(popper: Popper, topic: string, count: number, queueId = -1): Promise<void> {
  const until = Date.now() + 10_000;
  while ((await waiting(popper, topic, queueId)) !== count) {
    assert.ok(Date.now() < until, `${await waiting(popper, topic, queueId)} of ${count} wait`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a pop waits for a message in any queue, or in its own', async () => {
  const { topic, popper, sender } = await fresh(2);
  const any = popper.begin(topic, { pollTime: LONG });
  await parked(popper, topic, 1);
  await put(sender.connection, topic, ['first'], 1);
  assert.equal(bodies((await popper.answered(topic, any)).messages), ['first']);
  assert.is(await waiting(popper, topic), 0);
  const own = popper.begin(topic, { pollTime: LONG, queueId: 0 });
  await parked(popper, topic, 1, 0);
  await put(sender.connection, topic, ['other'], 1);
  assert.is(await waiting(popper, topic, 0), 1, 'that was another queue');
  await put(sender.connection, topic, ['own'], 0);
  assert.equal(bodies((await popper.answered(topic, own)).messages), ['own']);
  popper.close();
  sender.close();
});

test('nothing comes: it ends with its time', async () => {
  const { topic, popper, sender } = await fresh();
  const began = Date.now();
  const { code, remark, messages } = await popper.pop(topic, { pollTime: 1_500 });
  assert.equal([code, remark, messages.length], [POLLING_TIMEOUT, 'NO_MESSAGE_IN_QUEUE', 0]);
  assert.ok(Date.now() - began >= 1_000, 'it has waited');
  assert.is(await waiting(popper, topic), 0);
  popper.close();
  sender.close();
});

test('a message goes to one of those that wait, each message wakes another', async () => {
  const { topic, popper, sender } = await fresh();
  const opaques = [0, 1, 2].map(() => popper.begin(topic, { pollTime: LONG, maxMsgNums: 1 }));
  await parked(popper, topic, 3);
  await put(sender.connection, topic, numbered('m', 3));
  const answers = await Promise.all(opaques.map((opaque) => popper.answered(topic, opaque)));
  assert.equal(answers.flatMap(({ messages }) => bodies(messages)).sort(), numbered('m', 3));
  popper.close();
  sender.close();
});

test('a message wakes one of each group', async () => {
  const { topic, popper, sender } = await fresh();
  const others = [];
  for (const name of ['a', 'b']) others.push(await Popper.open(cluster().broker, `${popper.group}-${name}`));
  const all = [popper, ...others];
  const opaques = all.map((one) => one.begin(topic, { pollTime: LONG }));
  for (const one of all) await parked(one, topic, 1);
  await put(sender.connection, topic, ['m']);
  const answers = await Promise.all(all.map((one, i) => one.answered(topic, opaques[i] as number)));
  assert.equal(
    answers.map(({ messages }) => bodies(messages)),
    [['m'], ['m'], ['m']],
  );
  for (const one of [sender, ...all]) one.close();
});

test('what a filter leaves out wakes nobody', async () => {
  const { topic, popper, sender } = await fresh();
  const tagged = popper.begin(topic, { pollTime: LONG, exp: 'a' });
  await parked(popper, topic, 1);
  await put(sender.connection, topic, ['left-out'], 0, { TAGS: 'b' });
  await put(sender.connection, topic, ['wanted'], 0, { TAGS: 'a' });
  assert.equal(bodies((await popper.answered(topic, tagged)).messages), ['wanted']);
  popper.close();
  sender.close();
});

test('what has become visible again wakes who waits', async () => {
  const { topic, popper, sender } = await fresh();
  await put(sender.connection, topic, ['again']);
  const { messages } = await popper.pop(topic, { invisibleTime: 60_000 });
  // The retry topic exists from the first retry on.
  await popper.change(messages[0] as PoppedMessage, 1_000);
  const until = Date.now() + REVIVED_WITHIN;
  let found: readonly PoppedMessage[] = [];
  while (found.length === 0 && Date.now() < until)
    found = (await popper.pop(topic, { pollTime: LONG })).messages;
  assert.equal(bodies(found), ['again']);
  await popper.change(found[0] as PoppedMessage, 2_000);
  const again = await popper.pop(topic, { pollTime: LONG });
  assert.equal(bodies(again.messages), ['again']);
  popper.close();
  sender.close();
});

test('a connection that ends takes its pops with it, and no message', async () => {
  const { topic, popper, sender } = await fresh();
  const leaver = await Popper.open(cluster().broker, popper.group);
  leaver.begin(topic, { pollTime: LONG });
  await parked(popper, topic, 1);
  leaver.close();
  const stays = popper.begin(topic, { pollTime: LONG });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await put(sender.connection, topic, numbered('m', 2));
  const first = await popper.answered(topic, stays);
  const rest = await popper.pop(topic, { pollTime: 1_000 });
  assert.equal([...bodies(first.messages), ...bodies(rest.messages)], numbered('m', 2));
  popper.close();
  sender.close();
});

test('so many may wait for a queue, those above are told at once', async () => {
  const { topic, popper, sender } = await fresh();
  const opaques = Array.from({ length: 12 }, () => popper.begin(topic, { pollTime: 3_000 }));
  const answers = await Promise.all(opaques.map((opaque) => popper.answered(topic, opaque)));
  const count = (wanted: number) => answers.filter(({ code }) => code === wanted).length;
  // The real broker lets one more wait than it says.
  assert.ok([3, 4].includes(count(POLLING_FULL)), `${count(POLLING_FULL)} are told`);
  assert.is(count(POLLING_FULL) + count(POLLING_TIMEOUT), 12);
  await put(sender.connection, topic, ['after']);
  assert.equal(bodies((await popper.pop(topic)).messages), ['after']);
  popper.close();
  sender.close();
});

const told = ({ code, extFields = {} }: RawResponse) => [code, extFields['hasMsg'], extFields['pollingFull']];

test('a notification tells whether there is something, and takes nothing', async () => {
  const { topic, popper, sender } = await fresh(2);
  assert.equal(told(await popper.notification(topic)), [SUCCESS, 'false', 'false']);
  await put(sender.connection, topic, ['m'], 1);
  for (let i = 0; i < 2; i++)
    assert.equal(told(await popper.notification(topic)), [SUCCESS, 'true', 'false']);
  assert.equal(told(await popper.notification(topic, { queueId: 0 })), [SUCCESS, 'false', 'false']);
  assert.equal(told(await popper.notification(topic, { queueId: 1 })), [SUCCESS, 'true', 'false']);
  const { messages } = await popper.pop(topic);
  assert.equal(bodies(messages), ['m']);
  assert.equal(told(await popper.notification(topic)), [SUCCESS, 'false', 'false']);
  await popper.ack(messages[0] as PoppedMessage);
  popper.close();
  sender.close();
});

test('a notification waits for an arrival', async () => {
  const { topic, popper, sender } = await fresh();
  const opaque = popper.connection.send(popper.notificationRequest(topic, { pollTime: LONG }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.is(popper.connection.answers, 2, 'topic and group');
  await put(sender.connection, topic, ['m']);
  assert.equal(told(await popper.connection.response(opaque)), [SUCCESS, 'true', 'false']);
  const nothing = await fresh();
  const began = Date.now();
  assert.equal(told(await nothing.popper.notification(nothing.topic, { pollTime: 1_500 })), [
    SUCCESS,
    'false',
    'false',
  ]);
  assert.ok(Date.now() - began >= 1_000);
  for (const one of [popper, sender, nothing.popper, nothing.sender]) one.close();
});

test('a notification with a filter looks at the tags', async () => {
  const { topic, popper, sender } = await fresh();
  await put(sender.connection, topic, ['m'], 0, { TAGS: 'a' });
  const ask = async (exp: string) => told(await popper.notification(topic, { expType: 'TAG', exp }))[1];
  assert.equal([await ask('a'), await ask('b'), await ask('*')], ['true', 'false', 'true']);
  popper.close();
  sender.close();
});

test('a notification of an ordered pop is of no use while the queue waits', async () => {
  const { topic, popper, sender } = await fresh();
  await put(sender.connection, topic, numbered('m', 2));
  const ask = async () => told(await popper.notification(topic, { order: 'true' }))[1];
  assert.is(await ask(), 'true');
  const { messages } = await popper.pop(topic, { order: 'true', maxMsgNums: 1 });
  assert.is(await ask(), 'false');
  await popper.ack(messages[0] as PoppedMessage);
  assert.is(await ask(), 'true');
  popper.close();
  sender.close();
});

test('what is refused', async () => {
  const { topic, popper, sender } = await fresh();
  await makeTopic(popper.connection, 'unreadable-waits', 1, 2);
  await makeGroup(popper.connection, 'forbidden-waits', { consumeEnable: false });
  const refusals = [
    [{ topic: 'nowhere' }, TOPIC_NOT_EXIST],
    [{ topic: 'unreadable-waits' }, NO_PERMISSION],
    [{ consumerGroup: 'forbidden-waits' }, NO_PERMISSION],
    [{ queueId: 1 }, INVALID_PARAMETER],
    [{ topic: undefined }, 1],
    [{ consumerGroup: undefined }, 1],
  ] as const;
  for (const [fields, code] of refusals) {
    const what = JSON.stringify(fields);
    assert.is((await popper.notification(topic, fields)).code, code, `notification ${what}`);
    assert.is((await popper.pollingInfo(topic, fields)).code, code, `polling info ${what}`);
    assert.is((await popper.peek(topic, fields)).code, code, `peek ${what}`);
  }
  const sql = { expType: 'SQL92', exp: 'a >' };
  assert.is((await popper.notification(topic, sql)).code, SUBSCRIPTION_PARSE_FAILED);
  popper.close();
  sender.close();
});

test.run();
