// What clients of lite topics are subscribed to, frame by frame: adding and removing, where a group begins,
// groups whose lite topics have one client each, and every refusal. The codes are those of the real broker.

import * as assert from 'uvu/assert';
import {
  acked,
  added,
  bodiesOf,
  byLiteTopic,
  consumed,
  dispatched,
  LITE_CONF,
  liteClient,
  liteFellow,
  makeLiteGroup,
  makeParent,
  nothingComes,
  putLite,
} from './scenarios/lite.ts';
import { makeGroup, makeTopic, numbered } from './scenarios/popping.ts';
import {
  LAST,
  type LiteAction,
  type LiteClient,
  type LiteMessage,
  MAX,
  MIN,
  type OffsetOption,
} from './support/lite.ts';
import type { Fields } from './support/pops.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('lite topic subscriptions', { conf: LITE_CONF, networkThreads: 2 });

const SUCCESS = 0;
const SYSTEM_ERROR = 1;
const MESSAGE_ILLEGAL = 13;
const NO_PERMISSION = 16;
const TOPIC_NOT_EXIST = 17;
const INVALID_PARAMETER = 29;
const NO_MESSAGE = 208;
const POLLING_TIMEOUT = 210;
const ILLEGAL_OPERATION = 604;

const fresh = (attributes: Readonly<Record<string, string>> = {}): Promise<LiteClient> =>
  liteClient(cluster().broker, [], attributes);
const another = (client: LiteClient): Promise<LiteClient> => liteFellow(client, cluster().broker);

/**
 * Nothing is there. The real broker notes for a client which of its lite topics to look at next, after an
 * acknowledgement too, and looks there even if the client has removed that lite topic in between.
 */
async function settled(client: LiteClient): Promise<void> {
  assert.is((await client.pop()).code, POLLING_TIMEOUT);
}

test('lite topics are added one after the other, and what they hold comes', async () => {
  const client = await fresh();
  await putLite(client, 'a', ['a-0']);
  await putLite(client, 'b', ['b-0']);
  await nothingComes(client);
  await added(client, 'a');
  assert.equal(await consumed(client, 1), ['a-0']);
  await nothingComes(client);
  await added(client, 'b', 'c');
  assert.equal(await consumed(client, 1), ['b-0']);
  await putLite(client, 'c', ['c-0']);
  await putLite(client, 'a', ['a-1']);
  assert.equal((await consumed(client, 2)).sort(), ['a-1', 'c-0']);
  client.close();
});

test('a lite topic that is removed brings nothing more, and goes on where it was when it is added', async () => {
  const client = await fresh();
  await added(client, 'a', 'b');
  await putLite(client, 'a', ['a-0']);
  assert.equal(await consumed(client, 1), ['a-0']);
  await settled(client);
  assert.is((await client.remove(['a'])).code, SUCCESS);
  assert.is((await client.remove(['a', 'never-added'])).code, SUCCESS, 'twice does no harm');
  await putLite(client, 'a', ['a-1']);
  await putLite(client, 'b', ['b-0']);
  assert.equal(await consumed(client, 1), ['b-0']);
  await nothingComes(client);
  await added(client, 'a');
  assert.equal(await consumed(client, 1), ['a-1']);
  client.close();
});

test('a complete list takes the place of what was subscribed', async () => {
  const client = await fresh();
  await added(client, 'a', 'b');
  assert.is((await client.subscribe('COMPLETE_ADD', ['b', 'c'])).code, SUCCESS);
  for (const lite of ['a', 'b', 'c']) await putLite(client, lite, [`${lite}-0`]);
  assert.equal((await consumed(client, 2)).sort(), ['b-0', 'c-0']);
  await nothingComes(client);
  assert.is((await client.subscribe('COMPLETE_ADD', ['b', 'c'])).code, SUCCESS, 'again does no harm');
  await nothingComes(client);
  await putLite(client, 'b', ['b-1']);
  assert.equal(await consumed(client, 1), ['b-1']);
  await settled(client);
  assert.is((await client.subscribe('COMPLETE_ADD', [])).code, SUCCESS);
  await putLite(client, 'b', ['b-2']);
  await nothingComes(client);
  client.close();
});

test('a client that goes has nothing any more, and what comes goes to the others', async () => {
  const one = await fresh();
  const two = await another(one);
  await added(one, 'a', 'b');
  await added(two, 'a');
  assert.is((await one.subscribe('COMPLETE_REMOVE')).code, SUCCESS);
  assert.is((await one.subscribe('COMPLETE_REMOVE')).code, SUCCESS, 'twice does no harm');
  await putLite(one, 'a', numbered('a', 2));
  await putLite(one, 'b', ['b-0']);
  assert.equal(await consumed(two, 2), numbered('a', 2));
  await nothingComes(one);
  await added(one, 'b');
  assert.equal(await consumed(one, 1), ['b-0']);
  one.close();
  two.close();
});

test('one request may change the subscriptions of several clients', async () => {
  const one = await fresh();
  const two = await another(one);
  const { topic, group } = one;
  const entry = (clientId: string, lite: string) => ({
    action: 'PARTIAL_ADD',
    clientId,
    group,
    topic,
    liteTopicSet: [lite],
    version: 1,
  });
  const subscriptionSet = [entry(one.clientId, 'a'), entry(two.clientId, 'b')];
  assert.is((await one.control(JSON.stringify({ subscriptionSet }))).code, SUCCESS);
  await putLite(one, 'a', ['a-0']);
  await putLite(one, 'b', ['b-0']);
  assert.equal([await consumed(one, 1), await consumed(two, 1)], [['a-0'], ['b-0']]);
  one.close();
  two.close();
});

/** What a group gets that has consumed so many of five messages, popped the rest and begins anew; one more comes. */
async function begun(option: OffsetOption | undefined, before = 3): Promise<string[]> {
  const client = await fresh();
  await putLite(client, 'a', numbered('m', 5));
  if (before > 0) {
    await added(client, 'a');
    const { messages } = await client.next({ maxMsgNum: before });
    assert.is(messages.length, before);
    await acked(client, ...messages);
    // What comes next is out: an offset that is chosen anew sets it free.
    assert.equal(bodiesOf(await client.next()), numbered('m', 5).slice(before));
    assert.is((await client.remove(['a'])).code, SUCCESS);
  }
  const { code, remark } = await client.add(['a'], option);
  assert.is(code, SUCCESS, remark);
  await putLite(client, 'a', ['m-5']);
  await dispatched(client, 6);
  const answer = await client.pop({ pollTime: 1_000 });
  client.close();
  return bodiesOf(answer);
}

const ALL = numbered('m', 6);

const BEGINNINGS: readonly (readonly [what: string, option: OffsetOption, expected: readonly string[]])[] = [
  ['the first message', MIN, ALL],
  ['the end', MAX, ALL.slice(5)],
  ['an offset', { type: 'OFFSET', value: 2 }, ALL.slice(2)],
  ['so many before where the group is', { type: 'TAIL_N', value: 2 }, ALL.slice(1)],
  ['more before than there are', { type: 'TAIL_N', value: 10 }, ALL],
  ['where the group is: it is out', LAST, []],
  ['where it is, for an offset that cannot be', { type: 'OFFSET', value: -1 }, ALL.slice(3)],
  ['a time, which is not looked at', { type: 'TIMESTAMP', value: 0 }, []],
];

for (const [what, option, expected] of BEGINNINGS) {
  test(`a group that has consumed goes on with ${what}`, async () => {
    assert.equal(await begun(option), expected);
  });
}

test('a group that has consumed nothing begins with the first message of a short lite topic', async () => {
  assert.equal(await begun(undefined, 0), ALL);
  assert.equal(await begun(LAST, 0), ALL);
  assert.equal(await begun({ type: 'TAIL_N', value: 2 }, 0), ALL, 'there is no offset to count from');
  assert.equal(await begun(MIN, 0), ALL);
  assert.equal(await begun(MAX, 0), ALL.slice(5));
  assert.equal(await begun({ type: 'OFFSET', value: 4 }, 0), ALL.slice(4));
});

test('a group whose offset a client takes back to the beginning when it removes a lite topic', async () => {
  const client = await fresh({ 'lite.sub.reset.offset.unsubscribe': 'true' });
  await putLite(client, 'a', numbered('m', 2));
  await added(client, 'a');
  assert.equal(await consumed(client, 2), numbered('m', 2));
  assert.is((await client.remove(['a'])).code, SUCCESS);
  await added(client, 'a');
  assert.equal(await consumed(client, 2), numbered('m', 2));
  client.close();
});

test('an exclusive group: a lite topic goes to the last client that adds it, and the other is told', async () => {
  const one = await fresh({ 'lite.sub.model': 'Exclusive' });
  const two = await another(one);
  await added(one, 'a', 'b');
  await putLite(one, 'a', ['a-0']);
  assert.equal(await consumed(one, 1), ['a-0']);
  await added(two, 'a');
  const [told, ...more] = await one.dismissed();
  const { clientId, group } = one;
  assert.equal(told?.extFields, { liteTopic: 'a', consumerGroup: group, clientId });
  assert.equal([more.length, (told?.flag ?? 0) & 2, told?.body.length], [0, 2, 0], 'no answer is awaited');
  await putLite(one, 'a', ['a-1']);
  await putLite(one, 'b', ['b-0']);
  assert.equal(await consumed(two, 1), ['a-1']);
  assert.equal(await consumed(one, 1), ['b-0']);
  await added(one, 'a');
  assert.equal((await two.dismissed())[0]?.extFields?.['clientId'], two.clientId);
  await putLite(one, 'a', ['a-2']);
  assert.equal(await consumed(one, 1), ['a-2']);
  await nothingComes(two);
  one.close();
  two.close();
});

test('an exclusive group that begins again with each client', async () => {
  const attributes = { 'lite.sub.model': 'Exclusive', 'lite.sub.reset.offset.exclusive': 'true' };
  const one = await fresh(attributes);
  const two = await another(one);
  await added(one, 'a');
  await putLite(one, 'a', numbered('m', 2));
  assert.equal(await consumed(one, 2), numbered('m', 2));
  await added(two, 'a');
  await one.dismissed();
  assert.equal(await consumed(two, 2), numbered('m', 2));
  one.close();
  two.close();
});

test('shared groups tell nobody', async () => {
  const one = await fresh({ 'lite.sub.model': 'Shared' });
  const two = await another(one);
  await added(one, 'a');
  await added(two, 'a');
  await nothingComes(one);
  assert.equal([one.dismissals.length, two.dismissals.length], [0, 0]);
  one.close();
  two.close();
});

test('a group of all lite topics of its parent', async () => {
  const client = await fresh({ 'lite.sub.wildcard': 'true' });
  const refused = await client.add(['a']);
  assert.equal([refused.code, /not supported/.test(refused.remark ?? '')], [ILLEGAL_OPERATION, true]);
  assert.is((await client.subscribe('COMPLETE_ADD')).code, SUCCESS);
  for (const lite of ['a', 'b']) await putLite(client, lite, [`${lite}-0`, `${lite}-1`]);
  const answers = [await client.next()];
  if (answers[0]?.messages.length !== 4) answers.push(await client.next());
  const found = Object.assign({}, ...answers.map(byLiteTopic));
  assert.equal(found, { a: ['a-0', 'a-1'], b: ['b-0', 'b-1'] });
  client.close();
});

test('subscriptions that are refused, and those that change nothing', async () => {
  const client = await fresh();
  await makeGroup(client.connection, 'lite-disabled', { consumeEnable: false });
  const empty = await client.connection.request({ code: 200_071 });
  assert.equal([empty.code, empty.remark], [ILLEGAL_OPERATION, 'Request body is null.']);
  for (const body of ['{}', '{"subscriptionSet":[]}']) {
    const { code, remark } = await client.control(body);
    assert.equal([code, remark], [ILLEGAL_OPERATION, 'LiteSubscriptionCtlRequestBody is empty.'], body);
  }
  for (const body of ['{', '[]', '"text"', '{"subscriptionSet":5}'])
    assert.is((await client.control(body)).code, SYSTEM_ERROR, body);
  for (const action of ['PARTIAL_ADD', 'COMPLETE_ADD'] as const) {
    const { code, remark } = await client.subscribe(action, ['a'], { group: 'lite-disabled' });
    assert.equal([code, /not allowed to consume/.test(remark ?? '')], [ILLEGAL_OPERATION, true], action);
  }
  for (const action of ['PARTIAL_REMOVE', 'COMPLETE_REMOVE'] as const)
    assert.is((await client.subscribe(action, ['a'], { group: 'lite-disabled' })).code, SUCCESS, action);
  for (const blank of ['clientId', 'group', 'topic'])
    for (const value of ['', ' ', undefined])
      assert.is((await client.subscribe('PARTIAL_ADD', ['a'], { [blank]: value })).code, SUCCESS, blank);
  assert.is((await client.subscribe('ADD' as LiteAction, ['a'])).code, SYSTEM_ERROR);
  assert.is((await client.subscribe('PARTIAL_ADD', [''])).code, SYSTEM_ERROR, 'a lite topic without name');
  assert.is((await client.add([])).code, SUCCESS);
  await putLite(client, 'a', ['a-0']);
  await nothingComes(client);
  client.close();
});

interface Refused {
  readonly what: string;
  readonly fields: Fields;
  readonly code: number;
  readonly remark?: RegExp;
}

test('pops that are refused', async () => {
  const client = await fresh();
  const { connection, topic, group } = client;
  await added(client, 'a');
  await makeTopic(connection, 'lite-write-only', 1, 2, '+message.type=LITE');
  await makeTopic(connection, 'lite-normal', 1);
  await makeParent(connection, 'lite-other');
  await makeLiteGroup(connection, 'lite-normal-group', 'lite-normal');
  await makeGroup(connection, 'lite-unbound');
  await makeGroup(connection, 'lite-forbidden', {
    consumeEnable: false,
    attributes: { '+lite.bind.topic': topic },
  });
  await putLite(client, 'a', ['untouched']);
  const refusals: Refused[] = [
    { what: 'no such topic', fields: { topic: 'nowhere' }, code: TOPIC_NOT_EXIST, remark: /nowhere/ },
    { what: 'nobody may read it', fields: { topic: 'lite-write-only' }, code: NO_PERMISSION },
    {
      what: 'a topic that is not LITE',
      fields: { topic: 'lite-normal', consumerGroup: 'lite-normal-group' },
      code: INVALID_PARAMETER,
      remark: /message type not match/,
    },
    { what: 'another topic', fields: { topic: 'lite-other' }, code: INVALID_PARAMETER, remark: /bind topic/ },
    {
      what: 'unbound',
      fields: { consumerGroup: 'lite-unbound' },
      code: INVALID_PARAMETER,
      remark: /bind topic/,
    },
    { what: 'forbidden', fields: { consumerGroup: 'lite-forbidden' }, code: NO_PERMISSION },
    // Groups are made as they are asked for.
    { what: 'no such group', fields: { consumerGroup: 'lite-new' }, code: INVALID_PARAMETER },
    { what: 'too many', fields: { maxMsgNum: 33 }, code: INVALID_PARAMETER, remark: /32/ },
  ];
  // A client whose clock is behind gets nothing of the real broker; ours does not look at its clock.
  const old = { what: 'too old', fields: { bornTime: Date.now() - 5_000 }, remark: /timeout/ };
  if (target === 'rocketmq') refusals.push({ ...old, code: POLLING_TIMEOUT });
  for (const { what, fields, code, remark } of refusals) {
    const answer = await client.pop(fields);
    assert.is(answer.code, code, `${what}: ${answer.code} ${answer.remark}`);
    if (remark !== undefined) assert.match(answer.remark ?? '', remark, what);
  }
  for (const missing of ['clientId', 'consumerGroup', 'topic'])
    assert.is((await client.pop({ [missing]: undefined })).code, SYSTEM_ERROR, missing);
  // The real broker takes a number that is missing or none for 0.
  for (const maxMsgNum of [undefined, 'x']) {
    const { code } = await client.pop({ maxMsgNum });
    assert.is(code, target === 'rocketmq' ? POLLING_TIMEOUT : SYSTEM_ERROR, `maxMsgNum ${maxMsgNum}`);
  }
  for (const maxMsgNum of [0, -1]) assert.is((await client.pop({ maxMsgNum })).code, POLLING_TIMEOUT);
  assert.is((await client.pop({ clientId: 'somebody-else' })).code, POLLING_TIMEOUT);
  assert.equal(bodiesOf(await client.pop({ bornTime: 0 })), ['untouched'], `${group}: nothing was taken`);
  client.close();
});

test('acknowledgements and changes that are refused', async () => {
  const client = await fresh();
  await added(client, 'a');
  await putLite(client, 'a', numbered('m', 3));
  await makeGroup(client.connection, 'lite-unbound-acks');
  const { messages } = await client.next({ maxMsgNum: 2 });
  const [m0, m1] = messages as [LiteMessage, LiteMessage];
  const revived = m0.handle.replace(' 999 ', ' 0 ');
  const refusals: Refused[] = [
    { what: 'no such topic', fields: { topic: 'nowhere' }, code: TOPIC_NOT_EXIST, remark: /nowhere/ },
    { what: 'no such queue', fields: { queueId: 2 }, code: MESSAGE_ILLEGAL, remark: /queueId\[2\]/ },
    { what: 'a negative queue', fields: { queueId: -1 }, code: MESSAGE_ILLEGAL },
    { what: 'behind the end', fields: { offset: 4 }, code: NO_MESSAGE },
    { what: 'an unknown lite topic', fields: { liteTopic: 'nothing', offset: 1 }, code: NO_MESSAGE },
  ];
  const acksOnly: Refused[] = [
    { what: 'another queue', fields: { queueId: 1 }, code: INVALID_PARAMETER, remark: /ack queue/ },
    { what: 'not in order', fields: { extraInfo: revived }, code: INVALID_PARAMETER, remark: /ack queue/ },
    {
      what: 'a group that is not bound',
      fields: { consumerGroup: 'lite-unbound-acks' },
      code: INVALID_PARAMETER,
      remark: /bind topic/,
    },
    { what: 'not popped', fields: { offset: 2 }, code: MESSAGE_ILLEGAL, remark: /offset/ },
    { what: 'the end', fields: { offset: 3 }, code: MESSAGE_ILLEGAL, remark: /offset/ },
  ];
  for (const { what, fields, code, remark } of [...refusals, ...acksOnly]) {
    const answer = await client.ack(m0, fields);
    assert.is(answer.code, code, `ack, ${what}: ${answer.remark}`);
    if (remark !== undefined) assert.match(answer.remark ?? '', remark, what);
  }
  for (const { what, fields, code } of refusals) {
    const changed = await client.change(m0, 1_000, fields);
    assert.is(changed.code, code, `change, ${what}: ${changed.remark}`);
  }
  for (const extraInfo of ['x', '0 1', '0 x 1 999 0 b 0 0', 'a b c d e f g h']) {
    const codes = [(await client.ack(m0, { extraInfo })).code];
    codes.push((await client.change(m0, 1_000, { extraInfo })).code);
    assert.equal(codes, [SYSTEM_ERROR, SYSTEM_ERROR], extraInfo);
  }
  for (const missing of ['topic', 'queueId', 'offset', 'extraInfo']) {
    const codes = [(await client.ack(m0, { [missing]: undefined })).code];
    codes.push((await client.change(m0, 1_000, { [missing]: undefined })).code);
    assert.equal(codes, [SYSTEM_ERROR, SYSTEM_ERROR], `without ${missing}`);
  }
  assert.is((await client.change(m0, 1_000, { invisibleTime: undefined })).code, SYSTEM_ERROR);
  await acked(client, m0);
  assert.is((await client.pop()).code, POLLING_TIMEOUT);
  await acked(client, m1);
  assert.equal(await consumed(client, 1), ['m-2']);
  client.close();
});

test.run();
