/** Tables that clients fill: the entry past the limit is refused by the limit's name, and changes nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StatsTable } from '../../../src/broker/stats/stats.ts';
import { ClientTable } from '../../../src/clients/clients.ts';
import { parseHeartbeat } from '../../../src/clients/heartbeat.ts';
import { QueueLocks } from '../../../src/clients/queue-locks.ts';
import { newSubscription } from '../../../src/clients/subscription.ts';
import {
  MAX_CONSUMERS,
  MAX_COUNTERS,
  MAX_FORBIDDEN,
  MAX_GROUP_MEMBERS,
  MAX_GROUPS,
  MAX_LOCKS,
  MAX_OFFLINE_SUBSCRIPTIONS,
  MAX_OFFSETS,
  MAX_PRODUCER_GROUPS,
  MAX_PRODUCERS,
  MAX_QUEUES,
  MAX_SUBSCRIPTION_BYTES,
  MAX_TOPICS,
} from '../../../src/lib/limits.ts';
import { GroupTable } from '../../../src/metadata/groups.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { ProtocolError } from '../../../src/protocol/errors.ts';
import { RequestError } from '../../../src/protocol/request-fields.ts';
import { QueueIds } from '../../../src/store/queue/queue-ids.ts';
import {
  FakeConnection,
  FakeTime,
  silentLog,
  temporaryDirectory,
  testSettings,
} from '../metadata/support.ts';

const test = suite('table limits');

/** The call is refused, and the remark names the limit and its number. */
function refuses(call: () => unknown, limit: string, count: number): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof RequestError || error instanceof ProtocolError);
    assert.match((error as Error).message, new RegExp(`more than ${count} \\(limit ${limit}\\)$`));
    return true;
  });
}

const tables = () => ({ directory: temporaryDirectory(), settings: testSettings(), time: new FakeTime() });

test('topics', async () => {
  const { directory, settings, time } = tables();
  const topics = new TopicTable(directory, settings, time);
  topics.load();
  for (let i = topics.size; i < MAX_TOPICS; i++) topics.createIfAbsent(newTopicConfig(`t${i}`, 1));
  refuses(() => topics.createInternal('%RETRY%g', 1), 'MAX_TOPICS', MAX_TOPICS);
  const send = { topic: 'more', defaultTopic: 'TBW102', queueNums: 4 };
  refuses(() => topics.createForSend(send), 'MAX_TOPICS', MAX_TOPICS);
  refuses(() => topics.checkRoom([newTopicConfig('more')]), 'MAX_TOPICS', MAX_TOPICS);
  assert.is(topics.size, MAX_TOPICS);
  topics.checkRoom([newTopicConfig('t999', 4)]);
  assert.is(topics.update(newTopicConfig('t999', 4)).writeQueueNums, 4);
  topics.delete('t1000');
  assert.is(topics.createForSend(send)?.topicName, 'more');
  await topics.saved();
});

test('queues: those of deleted topics count, those that are promised too', () => {
  const { directory, settings, time } = tables();
  const ids = new QueueIds();
  const topics = new TopicTable(directory, settings, time, ids);
  topics.load();
  const take = (topic: string, queues: number) => {
    topics.createIfAbsent(newTopicConfig(topic, queues));
    for (let i = 0; i < queues; i++) ids.idOf(topic, i);
  };
  for (let i = 0; ids.left >= 16_384; i++) take(`t${i}`, 16_384);
  const { left } = ids;
  topics.createIfAbsent(newTopicConfig('promised', left));
  assert.is(ids.left, 0);
  refuses(() => topics.createIfAbsent(newTopicConfig('more', 1)), 'MAX_QUEUES', MAX_QUEUES);
  refuses(() => topics.checkRoom([newTopicConfig('more', 1)]), 'MAX_QUEUES', MAX_QUEUES);
  refuses(() => topics.update(newTopicConfig('promised', left + 1)), 'MAX_QUEUES', MAX_QUEUES);
  assert.not.ok(topics.has('more'));
  assert.is(topics.get('promised')?.writeQueueNums, left);
  for (let i = 0; i < left; i++) ids.idOf('promised', i);
  assert.is(ids.left, 0);
  ids.forget('t0');
  topics.delete('t0');
  refuses(() => topics.createIfAbsent(newTopicConfig('more', 1)), 'MAX_QUEUES', MAX_QUEUES);
  assert.is(topics.update(newTopicConfig('t1', 8)).writeQueueNums, 8);
});

test('what was promised to a topic that went is free again', () => {
  const ids = new QueueIds();
  const { left } = ids;
  assert.ok(ids.reserve('a', 10));
  assert.ok(ids.reserve('a', 20));
  assert.is(ids.left, left - 20);
  ids.idOf('a', 0);
  assert.is(ids.left, left - 20);
  ids.forget('a');
  assert.is(ids.left, left - 1);
  assert.not.ok(ids.reserve('b', left));
  assert.is(ids.left, left - 1);
});

test('groups, and what they may not read', async () => {
  const { directory, settings, time } = tables();
  const groups = new GroupTable(directory, settings, time);
  groups.load();
  for (let i = groups.size; i < MAX_GROUPS; i++) groups.findOrCreate(`g${i}`);
  refuses(() => groups.findOrCreate('more'), 'MAX_GROUPS', MAX_GROUPS);
  assert.ok(groups.findOrCreate('g100'));
  for (let i = 0; i < MAX_FORBIDDEN; i++) groups.setMayRead('g100', `t${i}`, false);
  refuses(() => groups.setMayRead('g101', 't', false), 'MAX_FORBIDDEN', MAX_FORBIDDEN);
  groups.setMayRead('g100', 't1', true);
  groups.setMayRead('g101', 't', false);
  refuses(() => groups.setMayRead('g101', 'u', false), 'MAX_FORBIDDEN', MAX_FORBIDDEN);
  groups.delete('g100');
  groups.setMayRead('g101', 'u', false);
  await groups.saved();
});

const client = (connection: FakeConnection) => ({
  connection,
  clientId: connection.id,
  language: 'JAVA',
  version: 400,
});

test('members of a group, producer groups of a connection', () => {
  const { settings, time } = tables();
  const clients = new ClientTable(
    { ...settings, notifyConsumerIdsChangedEnable: false },
    time,
    silentLog,
    time,
  );
  const consumer = {
    groupName: 'g',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    unitMode: false,
    subscriptions: [],
  };
  const join = (connection: FakeConnection, groupName = 'g') =>
    clients.consumers.register({
      client: client(connection),
      consumer: { ...consumer, groupName },
      notify: false,
      fingerprint: 0,
      withoutSubscriptions: true,
    });
  const connections = Array.from({ length: 300 }, (_, i) => new FakeConnection(`c${i}`));
  // Joining looks for the client id among all members, so a full group is made of the last ones to join.
  const group = clients.consumers;
  for (const connection of connections) join(connection);
  const view = group.get('g');
  assert.is(view?.members().length, 300);
  Object.defineProperty(view, 'size', { value: MAX_GROUP_MEMBERS });
  refuses(() => join(new FakeConnection('more')), 'MAX_GROUP_MEMBERS', MAX_GROUP_MEMBERS);
  assert.is(view?.members().length, 300);
  join(connections[7] as FakeConnection);

  const one = new FakeConnection('one');
  for (let i = 0; i < MAX_PRODUCER_GROUPS; i++) clients.producers.register(`p${i}`, client(one), 1);
  refuses(
    () => clients.producers.register('more', client(one), 1),
    'MAX_PRODUCER_GROUPS',
    MAX_PRODUCER_GROUPS,
  );
  clients.producers.register('p5', client(one), 2);
  clients.producers.register('more', client(new FakeConnection('two')), 1);
  clients.producers.unregister('p5', 'one');
  clients.producers.register('more', client(one), 1);
  clients.producers.removeConnection('one');
  assert.equal(
    clients.producers.groups().map(([name]) => name),
    ['more'],
  );
});

test('members of all groups, and bytes of all subscriptions', () => {
  const { settings, time } = tables();
  const clients = new ClientTable(settings, time, silentLog, time);
  const { consumers, producers } = clients;
  const join = (groupName: string, connection: FakeConnection, topics?: readonly string[], version = 1n) =>
    consumers.register({
      client: client(connection),
      consumer: {
        groupName,
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        unitMode: false,
        subscriptions: (topics ?? []).map((topic) => newSubscription(topic, '*', 'TAG', version)),
      },
      notify: false,
      fingerprint: 0,
      withoutSubscriptions: topics === undefined,
    });
  const [one, two] = [new FakeConnection('one'), new FakeConnection('two')];
  for (let i = 0; i < MAX_CONSUMERS - 1; i++) join(`g${i}`, one);
  join('g0', two);
  refuses(() => join('g1', two), 'MAX_CONSUMERS', MAX_CONSUMERS);
  assert.is(consumers.get('g1')?.members().length, 1);
  join('g0', two);
  consumers.unregister('g5', 'one', false);
  join('g1', two);
  refuses(() => join('g2', two), 'MAX_CONSUMERS', MAX_CONSUMERS);
  consumers.removeConnection('one');

  const topics = Array.from({ length: 10_000 }, (_, i) => `${'t'.repeat(100)}${i}`);
  let groups = 0;
  try {
    for (;;) join(`s${groups}`, one, topics, BigInt(++groups));
  } catch (error) {
    assert.match((error as Error).message, /limit MAX_SUBSCRIPTION_BYTES/);
    groups--;
  }
  assert.ok(groups > 5 && groups < 20, `${groups} groups of 10,000 topics`);
  assert.is(consumers.get(`s${groups}`), undefined);
  // A new version of what is there takes no more room, and less of it makes room.
  join('s0', one, topics, 1000n);
  join('s0', one, topics.slice(0, 10), 1001n);
  join('more', one, topics.slice(0, 9_000));
  refuses(() => join('s0', one, topics, 1002n), 'MAX_SUBSCRIPTION_BYTES', MAX_SUBSCRIPTION_BYTES);
  consumers.removeConnection('one');
  for (let i = 0; i < groups; i++) join(`again${i}`, one, topics);

  for (let i = 0; i < MAX_PRODUCERS; i++) {
    producers.register(`p${i % MAX_PRODUCER_GROUPS}`, client(new FakeConnection(`c${i}`)), 1);
  }
  refuses(() => producers.register('p', client(one), 1), 'MAX_PRODUCERS', MAX_PRODUCERS);
  producers.register('p7', client(new FakeConnection('c7')), 2);
  producers.removeConnection('c7');
  producers.register('p', client(one), 1);
});

test('offsets: refused to requests, dropped from pulls', async () => {
  const { directory, settings, time } = tables();
  const offsets = new OffsetTable(directory, settings, time);
  const fill = (put: (topic: string, queueId: number) => void) => {
    for (let i = 0; i < MAX_OFFSETS; i++) put(`t${i >> 10}`, i & 1023);
  };
  fill((topic, queueId) => assert.ok(offsets.commit('g', topic, queueId, 1)));
  assert.not.ok(offsets.commit('g', 't', 0, 1));
  assert.is(offsets.query('g', 't', 0), -1);
  assert.ok(offsets.commit('g', 't0', 5, 9));
  refuses(() => offsets.assignReset('g', 't', 0, 1), 'MAX_OFFSETS', MAX_OFFSETS);
  assert.not.ok(offsets.hasReset('g', 't', 0));
  refuses(() => offsets.clone('g', 'h', 't0'), 'MAX_OFFSETS', MAX_OFFSETS);
  assert.is(offsets.queuesOf('h', 't0'), undefined);
  offsets.removeTopic('t1');
  offsets.clone('g', 'h', 't0');
  assert.is(offsets.query('h', 't0', 5), 9);
  assert.not.ok(offsets.commit('g', 't', 0, 1));
  offsets.removeGroup('h');
  assert.ok(offsets.commit('g', 't', 0, 1));
});

test('locks', async () => {
  const time = new FakeTime();
  const locks = new QueueLocks(time);
  const queues = (topic: string, count: number) =>
    Array.from({ length: count }, (_, queueId) => ({ brokerName: 'b', topic, queueId }));
  for (let i = 0; i < MAX_LOCKS / 1024; i++)
    assert.is(locks.lock('g', queues(`t${i}`, 1024), 'c').length, 1024);
  refuses(() => locks.lock('h', queues('t', 1), 'c'), 'MAX_LOCKS', MAX_LOCKS);
  locks.unlock('g', queues('t0', 1), 'c');
  assert.is(locks.lock('h', queues('t', 1), 'c').length, 1);
  await time.advance(60_001);
  assert.is(locks.lock('h', queues('u', 1024), 'c').length, 1024);
});

test('what is only counted is not counted any more', () => {
  const { settings, time } = tables();
  const { offline } = new ClientTable(settings, time, silentLog, time).consumers;
  const note = (i: number) => offline.note(`g${i}`, newSubscription('t', '*', 'TAG', 1n));
  for (let i = 0; i <= MAX_OFFLINE_SUBSCRIPTIONS; i++) note(i);
  assert.ok(offline.find('g1', 't'));
  assert.is(offline.find(`g${MAX_OFFLINE_SUBSCRIPTIONS}`, 't'), undefined);
  offline.expire(time.now() + 1);
  note(MAX_OFFLINE_SUBSCRIPTIONS);
  assert.ok(offline.find(`g${MAX_OFFLINE_SUBSCRIPTIONS}`, 't'));

  const stats = new StatsTable(time);
  for (let i = 0; i <= MAX_COUNTERS; i++) stats.add('N', `t${i}@g`, 1);
  assert.is(stats.total('N', `t${MAX_COUNTERS}@g`), 0);
  stats.add('N', 't0@g', 1);
  assert.is(stats.total('N', 't0@g'), 2);
  stats.removeTopic('t0');
  stats.add('N', 'new', 1);
  assert.is(stats.total('N', 'new'), 1);
});

test('heartbeats', () => {
  const beat = (body: object) => parseHeartbeat(Buffer.from(JSON.stringify({ clientID: 'c', ...body })), 1);
  const names = (count: number) => Array.from({ length: count }, (_, i) => ({ groupName: `g${i}` }));
  assert.is(beat({ producerDataSet: names(1024) }).producerGroups.length, 1024);
  refuses(() => beat({ producerDataSet: names(1025) }), 'MAX_HEARTBEAT_GROUPS', 1024);
  refuses(() => beat({ consumerDataSet: names(1025) }), 'MAX_HEARTBEAT_GROUPS', 1024);
  refuses(() => beat({ clientID: 'x'.repeat(1025) }), 'MAX_CLIENT_ID', 1024);
  const subscribe = (subscriptionDataSet: object[]) =>
    beat({ consumerDataSet: [{ groupName: 'g', subscriptionDataSet }] }).consumers[0]?.subscriptions;
  const topics = (count: number, subString: string) =>
    Array.from({ length: count }, (_, i) => ({ topic: `t${i}`, subString }));
  assert.is(subscribe(topics(4_096, '*'))?.length, 4_096);
  refuses(() => subscribe(topics(4_097, '*')), 'MAX_SUBSCRIPTIONS', 4_096);
  const tags = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`).join('||');
  assert.is(subscribe(topics(1, tags(512)))?.[0]?.codeSet.length, 512);
  refuses(() => subscribe(topics(1, tags(513))), 'MAX_TAGS', 512);
  refuses(() => subscribe(topics(129, tags(512))), 'MAX_CONSUMER_TAGS', 65_536);
  refuses(() => subscribe(topics(1, 'x'.repeat(8193))), 'MAX_EXPRESSION', 8192);
  const sql = (count: number) =>
    topics(count, 'x'.repeat(8192)).map((topic) => ({ ...topic, expressionType: 'SQL92' }));
  assert.is(subscribe(sql(32))?.length, 32);
  refuses(() => subscribe(sql(33)), 'MAX_CONSUMER_EXPRESSIONS', 262_144);
  assert.equal(
    subscribe([{ topic: 'a b', subString: '*' }, { topic: 't' }])?.map(({ topic }) => topic),
    ['t'],
  );
  assert.equal(beat({ producerDataSet: [{ groupName: 'a\0' }, { groupName: 'b' }] }).producerGroups, ['b']);
});

test.run();
