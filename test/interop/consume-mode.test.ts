// Whether a group pulls or pops a topic, as mqadmin sets it; which queues the broker gives to whom (requests 400 to
// 402); Java 5.5.0 push consumers that leave that to the broker.

import * as assert from 'uvu/assert';
import {
  allIntact,
  allReceived,
  Consumer,
  createTopic,
  introduceGroup,
  Producer,
} from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawConnection, type RawResponse } from './support/raw.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('consume mode', { conf: { autoCreateSubscriptionGroup: false } });

const HEARTBEAT = 34;
const UPDATE_TOPIC = 17;
const UPDATE_GROUP = 200;
const QUERY_ASSIGNMENT = 400;
const SET_MODE = 401;
const ALL_MODES = 402;

class Tool {
  readonly #dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: cluster().nameServer.address }));

  async run(command: string, ...words: string[]): Promise<string> {
    const { nameServer, broker } = cluster();
    const line = [command, '-n', nameServer.address, '-b', broker.address, ...words];
    return String(await this.#dialogue.ask(line.join('\t')));
  }

  setMode(topic: string, group: string, mode: string, share = '0'): Promise<string> {
    return this.run('setConsumeMode', '-t', topic, '-g', group, '-m', mode, '-q', share);
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

const open = () => RawConnection.open(cluster().broker.address);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

async function makeTopic(connection: RawConnection, topic: string, queues = 4): Promise<void> {
  const numbers = { readQueueNums: queues, writeQueueNums: queues, perm: 6, topicSysFlag: 0 };
  const ext = { topic, defaultTopic: 'TBW102', topicFilterType: 'SINGLE_TAG', order: 'false', ...numbers };
  assert.is((await connection.request({ code: UPDATE_TOPIC, ext })).code, 0);
}

async function makeGroup(connection: RawConnection, groupName: string): Promise<void> {
  const body = json({ groupName, retryQueueNums: 1, retryMaxTimes: 16, consumeEnable: true });
  assert.is((await connection.request({ code: UPDATE_GROUP, body })).code, 0);
}

/** A member of a group, by heartbeat alone. */
async function join(group: string, topic: string, clientID: string): Promise<RawConnection> {
  const connection = await open();
  const subscription = {
    topic,
    subString: '*',
    subVersion: 1,
    tagsSet: [],
    codeSet: [],
    expressionType: 'TAG',
  };
  const consumer = {
    groupName: group,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
  };
  const body = json({ clientID, producerDataSet: [], consumerDataSet: [consumer] });
  assert.is((await connection.request({ code: HEARTBEAT, body })).code, 0);
  return connection;
}

const QUESTION = { strategyName: 'AVG', messageModel: 'CLUSTERING' };

function ask(connection: RawConnection, question: object): Promise<RawResponse> {
  return connection.request({ code: QUERY_ASSIGNMENT, body: json({ ...QUESTION, ...question }) });
}

interface Assignment {
  readonly messageQueue: { readonly brokerName: string; readonly queueId: number; readonly topic: string };
  readonly mode: string;
}

/** Mode and queue ids; undefined for no list. */
function given(answer: RawResponse): readonly [modes: string, queueIds: number[]] | undefined {
  assert.is(answer.code, 0, answer.remark);
  const { messageQueueAssignments: all, ...rest } = JSON.parse(answer.body.toString()) as {
    messageQueueAssignments?: Assignment[];
  };
  assert.equal(rest, {});
  if (all === undefined) return undefined;
  for (const assignment of all) {
    assert.equal(Object.keys(assignment).sort(), ['messageQueue', 'mode']);
    assert.equal(Object.keys(assignment.messageQueue).sort(), ['brokerName', 'queueId', 'topic']);
  }
  const ids = all.map(({ messageQueue }) => messageQueue.queueId).sort((a, b) => a - b);
  return [[...new Set(all.map(({ mode }) => mode))].join(), ids];
}

test('mqadmin sets the mode of a topic and a group; all are shown', async () => {
  const connection = await open();
  await makeTopic(connection, 'set');
  await makeGroup(connection, 'setters');
  const tool = new Tool();
  assert.match(await tool.setMode('set', 'setters', 'POP', '3'), /success/);
  const shown = async () => (await connection.request({ code: ALL_MODES })).body.toString();
  const entry = (mode: string, popShareQueueNum: number) =>
    JSON.stringify({ consumerGroup: 'setters', mode, popShareQueueNum, topic: 'set' });
  assert.is(await shown(), `{"messageRequestModeMap":{"set":{"setters":${entry('POP', 3)}}}}`);
  assert.match(await tool.setMode('set', 'setters', 'PULL', '-1'), /success/);
  assert.is(await shown(), `{"messageRequestModeMap":{"set":{"setters":${entry('PULL', -1)}}}}`);
  // A mode outlives its topic.
  assert.is((await connection.request({ code: 215, ext: { topic: 'set' } })).code, 0);
  assert.match(await shown(), /"set"/);
  await tool.end();
  connection.destroy();
});

test('what cannot be set, by mqadmin and by frames', async () => {
  const connection = await open();
  await makeTopic(connection, 'refused');
  await makeGroup(connection, 'refusers');
  const tool = new Tool();
  assert.match(await tool.setMode('%RETRY%refusers', 'refusers', 'POP'), /CODE: 16/);
  assert.match(await tool.setMode('no-topic', 'refusers', 'POP'), /CODE: 17/);
  assert.match(await tool.setMode('refused', 'no-group', 'POP'), /CODE: 26/);
  await tool.end();
  const good = { topic: 'refused', consumerGroup: 'refusers', mode: 'POP', popShareQueueNum: 0 };
  const set = async (changes: object) =>
    (await connection.request({ code: SET_MODE, body: json({ ...good, ...changes }) })).code;
  assert.is(await set({}), 0);
  assert.is(await set({ mode: undefined, popShareQueueNum: undefined }), 0);
  for (const missing of ['topic', 'consumerGroup'])
    assert.is(await set({ [missing]: undefined }), 1, missing);
  assert.is((await connection.request({ code: SET_MODE })).code, 1, 'no body');
  assert.is((await connection.request({ code: SET_MODE, body: Buffer.from('{') })).code, 1);
  // The real broker takes a mode that there is not for none at all, and then assigns queues without one.
  if (target === 'ringmq') assert.is(await set({ mode: 'PUSH' }), 1);
  connection.destroy();
});

test('who gets which queue', async () => {
  const topic = 'shared';
  const group = 'sharers';
  const connection = await open();
  await makeTopic(connection, topic);
  await makeGroup(connection, group);
  const members = ['c1', 'c2', 'c3'];
  const connections = [];
  for (const id of members) connections.push(await join(group, topic, id));
  const of = async (clientId: string, changes: object = {}) =>
    given(await ask(connection, { topic, consumerGroup: group, clientId, ...changes }));
  const set = async (mode: string, popShareQueueNum: number) => {
    const body = json({ topic, consumerGroup: group, mode, popShareQueueNum });
    assert.is((await connection.request({ code: SET_MODE, body })).code, 0);
  };
  const all = async () => [await of('c1'), await of('c2'), await of('c3')];

  assert.equal(await all(), [
    ['PULL', [0, 1]],
    ['PULL', [2]],
    ['PULL', [3]],
  ]);
  assert.equal(await of('c1', { strategyName: 'AVG_BY_CIRCLE' }), ['PULL', [0, 3]]);
  assert.equal(await of('stranger'), ['', []]);
  assert.is(await of('c1', { strategyName: 'CONFIG' }), undefined);
  assert.is(await of('c1', { strategyName: undefined }), undefined);
  assert.is(await of(''), undefined);
  assert.is(await of('c1', { consumerGroup: 'nobody' }), undefined);
  assert.is(await of('c1', { topic: 'no-such-topic' }), undefined);
  assert.equal(await of('c1', { messageModel: 'BROADCASTING', consumerGroup: 'nobody' }), [
    'PULL',
    [0, 1, 2, 3],
  ]);

  await set('POP', 0);
  assert.equal(await all(), [
    ['POP', [-1]],
    ['POP', [-1]],
    ['POP', [-1]],
  ]);
  assert.equal(await of('stranger'), ['POP', [-1]]);
  await set('POP', 2);
  assert.equal(await of('c1'), ['POP', [-1]]);
  await set('POP', 1);
  assert.equal(await all(), [
    ['POP', [0, 1, 2]],
    ['POP', [2, 3]],
    ['POP', [0, 1, 3]],
  ]);
  assert.equal(await of('stranger'), ['', []]);
  assert.equal(await of('c1', { messageModel: 'BROADCASTING' }), ['POP', [0, 1, 2, 3]]);
  for (const id of ['c4', 'c5', 'c6']) connections.push(await join(group, topic, id));
  assert.equal(await all(), [
    ['POP', [0]],
    ['POP', [1]],
    ['POP', [2]],
  ]);
  assert.equal(await of('c6'), ['POP', [1]]);
  assert.equal(await of('c1', { topic: `%RETRY%${group}` }), ['PULL', [0]]);
  for (const one of connections) one.destroy();
  connection.destroy();
});

test('questions without what they need', async () => {
  const connection = await open();
  await makeTopic(connection, 'asked');
  const good = { topic: 'asked', consumerGroup: 'askers', clientId: 'c1' };
  for (const missing of ['topic', 'consumerGroup', 'messageModel']) {
    assert.is((await ask(connection, { ...good, [missing]: undefined })).code, 1, missing);
  }
  assert.is((await connection.request({ code: QUERY_ASSIGNMENT })).code, 1, 'no body');
  assert.is((await connection.request({ code: QUERY_ASSIGNMENT, body: Buffer.from('[') })).code, 1);
  connection.destroy();
});

test('Java consumers that leave it to the broker: shared queues, one leaves, nothing lost', async () => {
  const topic = 'assigned';
  const group = 'assigned-group';
  const connection = await open();
  await makeTopic(connection, topic);
  await makeGroup(connection, group);
  connection.destroy();
  await createTopic(java55, cluster(), topic);
  await introduceGroup(java55, cluster(), topic, group);
  const ledger = new Ledger();
  const args = { topic, group, 'broker-assigns': true, expression: 'p' };
  const one = new Consumer(java55, cluster(), { ...args, instance: 'one' }, ledger);
  await one.holds(4);
  const two = new Consumer(java55, cluster(), { ...args, instance: 'two' }, ledger);
  await Promise.all([one.holds(2), two.holds(2)]);
  assert.equal([...one.held, ...two.held].sort(), [0, 1, 2, 3]);
  const produced = { topic, tags: 'p', count: 400, prefix: 'a' };
  await new Producer(java55, cluster(), produced, ledger).finish();
  await allReceived([one, two], ledger);
  assert.ok(one.delivered.length > 0 && two.delivered.length > 0);
  await two.stop();
  await one.holds(4);
  await new Producer(java55, cluster(), { ...produced, prefix: 'b' }, ledger).finish();
  await one.receives(ledger);
  await one.stop();
  ledger.exactlyOnce();
  allIntact([...one.delivered, ...two.delivered]);
});

test.run();
