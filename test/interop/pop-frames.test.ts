// Pops frame by frame: what an answer tells, which messages it brings, when they come again, and which request gets
// which answer. The codes are those of the real broker.

import * as assert from 'uvu/assert';
import {
  bodies,
  committed,
  makeGroup,
  makeTopic,
  numbered,
  popUntil,
  put,
  REVIVED_WITHIN,
} from './scenarios/popping.ts';
import { type Fields, type PoppedMessage, Popper } from './support/pops.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('pop frames', {
  conf: { enablePropertyFilter: true },
  networkThreads: 2,
});

const SUCCESS = 0;
const SYSTEM_ERROR = 1;
const MESSAGE_ILLEGAL = 13;
const NO_PERMISSION = 16;
const TOPIC_NOT_EXIST = 17;
const PULL_NOT_FOUND = 19;
const SUBSCRIPTION_PARSE_FAILED = 23;
const INVALID_PARAMETER = 29;
const NO_MESSAGE = 208;
const POLLING_TIMEOUT = 210;

let serial = 0;

/** A topic with a group of its own. */
async function fresh(queues = 1): Promise<{ topic: string; popper: Popper }> {
  serial += 1;
  const topic = `popped-${serial}`;
  const popper = await Popper.open(cluster().broker, `poppers-${serial}`);
  await makeTopic(popper.connection, topic, queues);
  await makeGroup(popper.connection, popper.group);
  return { topic, popper };
}

test('a pop tells where its messages lie and how long they are invisible', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 5));
  const began = Date.now();
  const { code, remark, fields, messages } = await popper.pop(topic, {
    maxMsgNums: 3,
    invisibleTime: 30_000,
  });
  assert.equal([code, remark], [SUCCESS, 'FOUND']);
  const { popTime, reviveQid, restNum, ...rest } = fields;
  assert.ok(Number(popTime) >= began && Number(popTime) <= Date.now());
  assert.ok(Number(reviveQid) >= 0 && Number(reviveQid) < 8);
  assert.is(Number(restNum), 2);
  assert.equal(rest, { invisibleTime: '30000', startOffsetInfo: '0 0 0', msgOffsetInfo: '0 0 0,1,2' });
  assert.equal(bodies(messages), numbered('m', 3));
  for (const message of messages) {
    assert.equal([message.topic, message.reconsumeTimes], [topic, 0]);
    assert.equal(message.properties['POP_CK'], undefined, 'the client makes it');
  }
  const next = await popper.pop(topic);
  assert.equal(bodies(next.messages), ['m-3', 'm-4']);
  assert.is(next.fields['startOffsetInfo'], '0 0 3');
  assert.is(next.fields['msgOffsetInfo'], '0 0 3,4');
  assert.is(next.fields['orderCountInfo'], undefined);
  popper.close();
});

test('nothing there: 210, with all that a pop tells', async () => {
  const { topic, popper } = await fresh();
  const { code, remark, fields, messages } = await popper.pop(topic);
  assert.equal([code, remark, messages.length], [POLLING_TIMEOUT, 'NO_MESSAGE_IN_QUEUE', 0]);
  const { popTime, reviveQid, ...rest } = fields;
  assert.ok(Number(popTime) > 0 && Number(reviveQid) >= 0);
  assert.equal(rest, { invisibleTime: '60000', restNum: '0', startOffsetInfo: '', msgOffsetInfo: '' });
  popper.close();
});

test('revive queues take turns', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 8));
  const seen = new Set<string>();
  for (let i = 0; i < 8; i++)
    seen.add((await popper.pop(topic, { maxMsgNums: 1 })).fields['reviveQid'] ?? '');
  assert.equal([...seen].sort(), ['0', '1', '2', '3', '4', '5', '6', '7']);
  popper.close();
});

test('one pop reads all queues, or the one that it names', async () => {
  const { topic, popper } = await fresh(3);
  for (const queue of [0, 1, 2]) await put(popper.connection, topic, numbered(`q${queue}`, 2), queue);
  const one = await popper.pop(topic, { queueId: 1, maxMsgNums: 1 });
  assert.equal([bodies(one.messages), one.fields['msgOffsetInfo']], [['q1-0'], '0 1 0']);
  const all = await popper.pop(topic);
  assert.equal(bodies(all.messages).sort(), ['q0-0', 'q0-1', 'q1-1', 'q2-0', 'q2-1']);
  const entries = (name: string) => (all.fields[name] ?? '').split(';').sort();
  assert.equal(entries('startOffsetInfo'), ['0 0 0', '0 1 1', '0 2 0']);
  assert.equal(entries('msgOffsetInfo'), ['0 0 0,1', '0 1 1', '0 2 0,1']);
  assert.is(Number(all.fields['restNum']), 0);
  const places = all.messages.map(({ handle }) => handle.split(' '));
  for (const [start, , , , retry, broker, queue, offset] of places) {
    assert.equal([retry, broker], ['0', cluster().broker.name]);
    assert.ok(Number(offset) >= Number(start) && Number(queue) < 3);
  }
  popper.close();
});

test('at most so many messages over all queues', async () => {
  const { topic, popper } = await fresh(2);
  for (const queue of [0, 1]) await put(popper.connection, topic, numbered(`q${queue}`, 4), queue);
  const { messages, fields } = await popper.pop(topic, { maxMsgNums: 6 });
  assert.is(messages.length, 6);
  assert.is(Number(fields['restNum']), 2);
  assert.is((await popper.pop(topic, { maxMsgNums: 6 })).messages.length, 2);
  popper.close();
});

test('a new group begins with the first message of a short queue, whatever it asks for', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 3));
  // initMode 1 begins at 0 as well while the queue has lost nothing and its first message is in memory.
  const last = await popper.pop(topic, { initMode: 1 });
  assert.equal(bodies(last.messages), numbered('m', 3));
  const other = await Popper.open(cluster().broker, 'from-first');
  assert.equal(bodies((await other.pop(topic, { initMode: 0 })).messages), numbered('m', 3));
  other.close();
  popper.close();
});

test('tags are filtered; what is left out does not come again', async () => {
  const { topic, popper } = await fresh();
  for (const tag of ['a', 'b', 'a', 'c']) await put(popper.connection, topic, [`m-${tag}`], 0, { TAGS: tag });
  const a = await popper.pop(topic, { exp: 'a || b' });
  assert.equal(bodies(a.messages), ['m-a', 'm-b', 'm-a']);
  assert.is(a.fields['startOffsetInfo'], '0 0 0');
  assert.is(a.fields['msgOffsetInfo'], '0 0 0,1,2');
  const rest = await popper.pop(topic, { exp: 'a || b' });
  assert.equal([rest.code, rest.messages.length], [POLLING_TIMEOUT, 0]);
  popper.close();
});

test('offsets of messages between those that are filtered out', async () => {
  const { topic, popper } = await fresh();
  for (const tag of ['b', 'a', 'b', 'a']) await put(popper.connection, topic, [`m-${tag}`], 0, { TAGS: tag });
  const answer = await popper.pop(topic, { exp: 'a' });
  assert.equal([answer.fields['startOffsetInfo'], answer.fields['msgOffsetInfo']], ['0 0 0', '0 0 1,3']);
  for (const message of answer.messages) assert.is((await popper.ack(message)).code, SUCCESS);
  popper.close();
});

test('SQL92 filters', async () => {
  const { topic, popper } = await fresh();
  for (const n of [1, 2, 3]) await put(popper.connection, topic, [`n-${n}`], 0, { n });
  const sql = { expType: 'SQL92', exp: 'n > 1' };
  const { messages, fields } = await popper.pop(topic, sql);
  assert.equal([bodies(messages), fields['msgOffsetInfo']], [['n-2', 'n-3'], '0 0 1,2']);
  popper.close();
});

test('acknowledged messages do not come again, others do, one more time consumed', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 4), 0, { TAGS: 't', own: 'yes' });
  const { messages, fields } = await popper.pop(topic, { invisibleTime: 2_000 });
  const [m0, m1, m2, m3] = messages as [PoppedMessage, PoppedMessage, PoppedMessage, PoppedMessage];
  assert.is((await popper.ack(m0)).code, SUCCESS);
  assert.is((await popper.batchAck({ messages: [m2, m3] })).code, SUCCESS);
  assert.is((await popper.ack(m0)).code, SUCCESS, 'twice does no harm');
  const again = await popUntil(popper, topic, 'm-1', { invisibleTime: 2_000 });
  assert.equal([again.reconsumeTimes, again.topic, again.queueId], [1, topic, 0]);
  const { POP_CK, ORIGIN_GROUP, ...properties } = again.properties;
  assert.is(ORIGIN_GROUP, popper.group);
  assert.is(properties['1ST_POP_TIME'], fields['popTime']);
  assert.equal([properties['KEYS'], properties['TAGS'], properties['own']], ['m-1', 't', 'yes']);
  const [start, , hidden, , retry, broker, queue, offset] = (POP_CK ?? '').split(' ');
  assert.equal(
    [start, hidden, retry, broker, queue, offset],
    ['0', '2000', '1', cluster().broker.name, '0', '0'],
  );
  assert.equal(again.body.toString(), m1.body.toString());
  // And once more, as nobody has acknowledged that.
  const third = await popUntil(popper, topic, 'm-1', { invisibleTime: 60_000 });
  assert.is(third.reconsumeTimes, 2);
  assert.is(third.properties['1ST_POP_TIME'], fields['popTime']);
  assert.is((await popper.ack(third)).code, SUCCESS);
  const nothing = await popper.pop(topic, { pollTime: 3_000 });
  assert.equal(bodies(nothing.messages), []);
  popper.close();
});

test('the fields of a retried message stand in the answer as those of the retry topic', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['again']);
  await popper.pop(topic, { invisibleTime: 1_000 });
  const until = Date.now() + REVIVED_WITHIN;
  let answer = await popper.pop(topic, { pollTime: 1_000 });
  while (answer.messages.length === 0 && Date.now() < until)
    answer = await popper.pop(topic, { pollTime: 1_000 });
  assert.equal([answer.fields['startOffsetInfo'], answer.fields['msgOffsetInfo']], ['1 0 0', '1 0 0']);
  const [message] = answer.messages as [PoppedMessage];
  const { popTime, invisibleTime, reviveQid } = answer.fields;
  const own = ['0', popTime, invisibleTime, reviveQid, '1', cluster().broker.name, '0', '0'];
  assert.is(message.properties['POP_CK'], own.join(' '));
  assert.is((await popper.ack(message)).code, SUCCESS);
  popper.close();
});

test('the committed offset follows what was popped and is settled', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 3));
  const { messages } = await popper.pop(topic);
  for (const message of messages) await popper.ack(message);
  const until = Date.now() + REVIVED_WITHIN;
  while ((await committed(popper, topic)) !== 3) {
    assert.ok(Date.now() < until, `committed: ${await committed(popper, topic)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  popper.close();
});

test('the invisible time is changed: sooner, later, with a new handle', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['sooner', 'suspended', 'later']);
  const { messages, fields } = await popper.pop(topic, { invisibleTime: 60_000 });
  const [sooner, suspended, later] = messages as [PoppedMessage, PoppedMessage, PoppedMessage];
  const changed = await popper.change(sooner, 1_000);
  assert.is(changed.code, SUCCESS, changed.remark);
  const { popTime, ...rest } = changed.fields;
  assert.ok(Number(popTime) >= Number(fields['popTime']));
  assert.equal(rest, { invisibleTime: '1000', reviveQid: fields['reviveQid'] });
  assert.is((await popper.change(suspended, 1_000, { suspend: 'true' })).code, SUCCESS);
  const long = await popper.change(later, 120_000);
  assert.equal([long.code, long.fields['invisibleTime']], [SUCCESS, '120000']);
  // With the handle of before it is no longer to be acknowledged, with the new one it is.
  assert.is((await popper.ack({ ...later, handle: long.handle })).code, SUCCESS);
  const found = new Map<string, number>();
  const until = Date.now() + REVIVED_WITHIN;
  while (found.size < 2 && Date.now() < until) {
    const answer = await popper.pop(topic, { pollTime: 1_000 });
    for (const message of answer.messages) found.set(message.body.toString(), message.reconsumeTimes);
  }
  assert.equal([...found].sort(), [
    ['sooner', 1],
    ['suspended', 0],
  ]);
  popper.close();
});

test('a handle that was replaced acknowledges nothing', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['replaced']);
  const { messages } = await popper.pop(topic, { invisibleTime: 60_000 });
  const [old] = messages as [PoppedMessage];
  assert.is((await popper.change(old, 2_000)).code, SUCCESS);
  assert.is((await popper.ack(old)).code, SUCCESS, 'the answer does not tell');
  assert.is((await popUntil(popper, topic, 'replaced')).reconsumeTimes, 1);
  popper.close();
});

test('a retried message can be changed and comes again from the retry topic', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['m']);
  const { messages } = await popper.pop(topic, { invisibleTime: 60_000 });
  await popper.change(messages[0] as PoppedMessage, 1_000);
  const again = await popUntil(popper, topic, 'm', { invisibleTime: 60_000 });
  const { code, handle } = await popper.change(again, 1_000);
  assert.is(code, SUCCESS);
  assert.is(handle.split(' ')[4], '1');
  assert.is((await popUntil(popper, topic, 'm')).reconsumeTimes, 2);
  popper.close();
});

test('groups have their own', async () => {
  const { topic, popper } = await fresh();
  const other = await Popper.open(cluster().broker, 'another-group');
  await put(popper.connection, topic, numbered('m', 2));
  assert.equal(bodies((await popper.pop(topic)).messages), numbered('m', 2));
  assert.equal(bodies((await other.pop(topic)).messages), numbered('m', 2));
  other.close();
  popper.close();
});

test('peeks bring messages without taking them', async () => {
  const { topic, popper } = await fresh();
  const empty = await popper.peek(topic);
  assert.equal([empty.code, empty.remark], [PULL_NOT_FOUND, 'NO_MESSAGE_IN_QUEUE']);
  await put(popper.connection, topic, numbered('m', 3));
  for (let i = 0; i < 2; i++) {
    const { code, remark, messages, fields } = await popper.peek(topic, { maxMsgNums: 2 });
    assert.equal([code, remark, bodies(messages)], [SUCCESS, 'FOUND', numbered('m', 2)]);
    assert.is(Number(fields['restNum']), 3);
  }
  await popper.pop(topic, { maxMsgNums: 2 });
  assert.equal(bodies((await popper.peek(topic, { queueId: 0 })).messages), ['m-2']);
  popper.close();
});

interface Refused {
  readonly what: string;
  readonly fields: Fields;
  readonly code: number;
  readonly remark?: RegExp;
}

test('pops that are refused', async () => {
  const { topic, popper } = await fresh();
  const { connection } = popper;
  await makeTopic(connection, 'write-only', 1, 2);
  await makeGroup(connection, 'forbidden', { consumeEnable: false });
  await put(connection, topic, ['untouched']);
  const refusals: Refused[] = [
    { what: 'no such topic', fields: { topic: 'nowhere' }, code: TOPIC_NOT_EXIST, remark: /nowhere/ },
    { what: 'a topic that nobody may read', fields: { topic: 'write-only' }, code: NO_PERMISSION },
    { what: 'a group that may not consume', fields: { consumerGroup: 'forbidden' }, code: NO_PERMISSION },
    { what: 'too many', fields: { maxMsgNums: 33 }, code: INVALID_PARAMETER, remark: /32/ },
    { what: 'no such queue', fields: { queueId: 1 }, code: INVALID_PARAMETER, remark: /queueId\[1\]/ },
    { what: 'SQL that is none', fields: { expType: 'SQL92', exp: 'a >' }, code: SUBSCRIPTION_PARSE_FAILED },
    { what: 'an unknown type', fields: { expType: 'XPATH', exp: '/a' }, code: SUBSCRIPTION_PARSE_FAILED },
  ];
  // A client whose clock is behind gets nothing of the real broker; ours does not look at its clock.
  const old = { what: 'too old', fields: { bornTime: Date.now() - 5_000 }, remark: /timeout/ };
  if (target === 'rocketmq') refusals.push({ ...old, code: POLLING_TIMEOUT });
  for (const { what, fields, code, remark } of refusals) {
    const answer = await popper.pop(topic, fields);
    assert.is(answer.code, code, `${what}: ${answer.code} ${answer.remark}`);
    if (remark !== undefined) assert.match(answer.remark ?? '', remark, what);
  }
  for (const missing of ['topic', 'consumerGroup']) {
    assert.is((await popper.pop(topic, { [missing]: undefined })).code, SYSTEM_ERROR, missing);
  }
  assert.equal(
    bodies((await popper.pop(topic, { bornTime: 0 })).messages),
    ['untouched'],
    'nothing was taken',
  );
  popper.close();
});

test('acknowledgements and changes that are refused', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, numbered('m', 2));
  const { messages } = await popper.pop(topic);
  const [message] = messages as [PoppedMessage];
  const refusals: Refused[] = [
    { what: 'no such topic', fields: { topic: 'nowhere' }, code: TOPIC_NOT_EXIST, remark: /nowhere/ },
    { what: 'no such queue', fields: { queueId: 1 }, code: MESSAGE_ILLEGAL, remark: /queueId\[1\]/ },
    { what: 'a negative queue', fields: { queueId: -1 }, code: MESSAGE_ILLEGAL },
    { what: 'before the queue', fields: { offset: -1 }, code: NO_MESSAGE },
    { what: 'behind the queue', fields: { offset: 3 }, code: NO_MESSAGE },
  ];
  for (const { what, fields, code, remark } of refusals) {
    const answer = await popper.ack(message, fields);
    assert.is(answer.code, code, `ack, ${what}: ${answer.remark}`);
    if (remark !== undefined) assert.match(answer.remark ?? '', remark, what);
    const changed = await popper.change(message, 1_000, fields);
    assert.is(changed.code, code, `change, ${what}: ${changed.remark}`);
  }
  assert.is((await popper.change(message, 1_000, { offset: 2 })).code, NO_MESSAGE, 'the end of the queue');
  for (const missing of ['topic', 'consumerGroup', 'queueId', 'offset', 'extraInfo']) {
    // The real broker takes what no group acknowledges.
    if (target === 'rocketmq' && missing === 'consumerGroup') continue;
    const acked = await popper.ack(message, { [missing]: undefined });
    const changed = await popper.change(message, 1_000, { [missing]: undefined });
    assert.equal([acked.code, changed.code], [SYSTEM_ERROR, SYSTEM_ERROR], `without ${missing}`);
  }
  assert.is((await popper.batchAck()).code, NO_MESSAGE, 'a batch of nothing');
  assert.is((await popper.connection.request({ code: 200_151 })).code, NO_MESSAGE);
  popper.close();
});

const MALFORMED = ['', ' ', 'x', '0 1', '0 x 1 1 0 b 0 0', 'a b c d e f g h', '9'.repeat(30)];

test('handles that are malformed', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['m']);
  const { messages } = await popper.pop(topic);
  const [message] = messages as [PoppedMessage];
  for (const handle of MALFORMED) {
    const malformed = { ...message, handle };
    const codes = [(await popper.ack(malformed)).code, (await popper.change(malformed, 1_000)).code];
    assert.equal(codes, [SYSTEM_ERROR, SYSTEM_ERROR], handle);
  }
  assert.is((await popper.ack(message)).code, SUCCESS, 'the true one still holds');
  popper.close();
});

test('handles that are forged or of a message that has come again do no harm', async () => {
  const { topic, popper } = await fresh();
  await put(popper.connection, topic, ['m']);
  const { messages } = await popper.pop(topic, { invisibleTime: 3_000 });
  const [message] = messages as [PoppedMessage];
  const [start, popTime, hidden, revive, ...rest] = message.handle.split(' ');
  const forged = [
    [start, Number(popTime) - 1, hidden, revive, ...rest],
    [Number(start) + 1, popTime, hidden, revive, ...rest],
    [start, popTime, hidden, (Number(revive) + 1) % 8, ...rest],
  ];
  for (const fields of forged) {
    const { code } = await popper.ack({ ...message, handle: fields.join(' ') });
    assert.ok([SUCCESS, MESSAGE_ILLEGAL].includes(code), `${code}`);
  }
  const again = await popUntil(popper, topic, 'm');
  assert.is(again.reconsumeTimes, 1, 'none of them was its handle');
  assert.is((await popper.ack(message)).code, SUCCESS, 'too late');
  assert.is((await popper.ack(again)).code, SUCCESS);
  popper.close();
});

test('batches: several queues and groups of offsets, offsets outside, retried messages', async () => {
  const { topic, popper } = await fresh(2);
  await put(popper.connection, topic, numbered('a', 3), 0);
  await put(popper.connection, topic, numbered('b', 3), 1);
  const { messages } = await popper.pop(topic, { invisibleTime: 2_000 });
  const of = (queue: number) => messages.filter(({ queueId }) => queueId === queue);
  const [b0, b1, b2] = of(1) as [PoppedMessage, PoppedMessage, PoppedMessage];
  const far = { messages: [{ ...b1, queueOffset: 1_000 }] };
  assert.is((await popper.batchAck({ messages: of(0) }, { messages: [b0, b2] }, far)).code, SUCCESS);
  const again = await popUntil(popper, topic, 'b-1', { invisibleTime: 2_000 });
  assert.is(again.source, popper.retryTopic(topic));
  assert.is((await popper.batchAck({ messages: [again] })).code, SUCCESS);
  const unknown = { messages: [b1], fields: { t: 'nowhere' } };
  const bad = (await popper.batchAck(unknown)).code;
  // The real broker makes a queue of it; ours says what is wrong or skips it.
  if (target === 'ringmq') assert.ok([SUCCESS, TOPIC_NOT_EXIST].includes(bad), `${bad}`);
  const rest = await popper.pop(topic, { pollTime: 8_000 });
  assert.equal(bodies(rest.messages), []);
  popper.close();
});

test.run();
