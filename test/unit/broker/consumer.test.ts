import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { FakeConnection } from '../metadata/support.ts';
import { bodyJson, bodyText, join, message, oneway, request, setUp } from './support.ts';

const test = suite('consumer requests');

const heartbeat = (changes: object = {}) => ({
  clientID: 'id',
  consumerDataSet: [
    {
      groupName: 'g',
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [{ topic: 't', subString: '*', subVersion: 1 }],
    },
  ],
  producerDataSet: [{ groupName: 'p' }],
  ...changes,
});

test('a heartbeat registers, and creates the group and its retry topic', async () => {
  const { ask, context } = setUp();
  const reply = await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()));
  assert.is(reply?.code, ResponseCode.SUCCESS);
  assert.is(reply?.version, 513);
  assert.equal({ ...reply?.fields }, { IS_SUPPORT_HEART_BEAT_V2: 'true', IS_SUB_CHANGE: 'true' });
  assert.is(context.topics.get('%RETRY%g')?.writeQueueNums, 1);
  assert.ok(context.groups.has('g'));
  assert.is(context.clients.producers.members('p')?.length, 1);
  const list = await ask(request(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: 'g' }));
  assert.is(bodyText(list), '{"consumerIdList":["id"]}');
});

test('two connections with one client id are one consumer to those who share the queues', async () => {
  const { ask, context } = setUp();
  const other = new FakeConnection('other');
  await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()));
  await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()), other);
  const list = () => ask(request(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: 'g' }));
  assert.is(bodyText(await list()), '{"consumerIdList":["id"]}');
  context.clients.connectionClosed('other');
  assert.is(bodyText(await list()), '{"consumerIdList":["id"]}');
});

test('a heartbeat of the second version', async () => {
  const { ask } = setUp();
  const beat = async (changes: object) =>
    (await ask(request(RequestCode.HEART_BEAT, {}, heartbeat(changes))))?.fields['IS_SUB_CHANGE'];
  assert.is(await beat({ heartbeatFingerprint: 5, withoutSub: true }), 'true');
  assert.is(await beat({ heartbeatFingerprint: 5 }), 'false');
  assert.is(await beat({ heartbeatFingerprint: 5, withoutSub: true }), 'false');
});

test('a heartbeat of references that would unfold to millions of subscriptions is refused by the limit', async () => {
  const { ask, context } = setUp();
  const subscriptions = Array.from({ length: 2000 }, (_, i) => ({ topic: `t${i}`, subString: '*' }));
  const first = JSON.stringify({ groupName: 'g1', subscriptionDataSet: subscriptions });
  const again = ',{"$ref":"$.consumerDataSet[0]"}'.repeat(5000);
  const reply = await ask(
    request(RequestCode.HEART_BEAT, {}, `{"clientID":"c","consumerDataSet":[${first}${again}]}`),
  );
  assert.is(reply?.code, ResponseCode.SYSTEM_ERROR);
  assert.match(reply?.remark ?? '', /limit MAX_JSON_VALUES/);
  assert.is(context.clients.consumers.get('g1'), undefined);
});

test('a heartbeat of fastjson 1, where two groups share their subscriptions, is understood', async () => {
  const { ask, context } = setUp();
  const body =
    '{"clientID":"c","consumerDataSet":[{"groupName":"g1","subscriptionDataSet":[{"topic":"t","subString":"a"}]},' +
    '{"groupName":"g2","subscriptionDataSet":{"$ref":"$.consumerDataSet[0].subscriptionDataSet"}}]}';
  await ask(request(RequestCode.HEART_BEAT, {}, body));
  assert.is(context.clients.consumers.get('g2')?.subscriptions.get('t')?.subString, 'a');
});

test('the retry topic is ordered when an ordered topic is subscribed', async () => {
  const { ask, context } = setUp();
  context.topics.createIfAbsent({ ...newTopicConfig('t'), order: true });
  await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()));
  assert.ok(context.topics.isOrderTopic('%RETRY%g'));
});

test('a group that may not be created is passed over', async () => {
  const { ask, context } = setUp({ autoCreateSubscriptionGroup: false });
  const reply = await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()));
  assert.is(reply?.code, ResponseCode.SUCCESS);
  assert.is(context.clients.consumers.get('g'), undefined);
  const list = await ask(request(RequestCode.GET_CONSUMER_LIST_BY_GROUP, { consumerGroup: 'g' }));
  assert.is(list?.code, ResponseCode.SYSTEM_ERROR);
  assert.is(list?.remark, 'no consumer for this group, g');
});

test('a broken heartbeat is answered, not thrown', async () => {
  const { ask } = setUp();
  assert.is((await ask(request(RequestCode.HEART_BEAT, {}, 'no json')))?.code, ResponseCode.SYSTEM_ERROR);
});

test('unregistering leaves both groups', async () => {
  const { ask, context } = setUp();
  await ask(request(RequestCode.HEART_BEAT, {}, heartbeat()));
  const fields = { clientID: 'id', producerGroup: 'p', consumerGroup: 'g' };
  assert.is((await ask(request(RequestCode.UNREGISTER_CLIENT, fields)))?.code, ResponseCode.SUCCESS);
  assert.is(context.clients.producers.members('p'), undefined);
  assert.is(context.clients.consumers.get('g'), undefined);
});

test('expressions are checked before a consumer starts', async () => {
  const check = async (subscriptionData: object, enablePropertyFilter: boolean) => {
    const { ask } = setUp({ enablePropertyFilter });
    return ask(
      request(RequestCode.CHECK_CLIENT_CONFIG, {}, { clientId: 'id', group: 'g', subscriptionData }),
    );
  };
  const sql = (subString: string) => ({ topic: 't', expressionType: 'SQL92', subString });
  assert.is((await check({ topic: 't', subString: '*' }, false))?.code, ResponseCode.SUCCESS);
  const off = await check(sql('a > 1'), false);
  assert.match(
    off?.remark ?? '',
    /not support consumer to filter message by SQL92: set enablePropertyFilter=true/,
  );
  assert.is((await check(sql('a > 1'), true))?.code, ResponseCode.SUCCESS);
  assert.is((await check(sql('a >'), true))?.code, ResponseCode.SUBSCRIPTION_PARSE_FAILED);
});

test('offsets: stored, from the beginning of a whole queue, or not found', async () => {
  const { ask, context, store } = setUp();
  const query = async (more: object = {}) =>
    ask(request(RequestCode.QUERY_CONSUMER_OFFSET, { consumerGroup: 'g', topic: 't', queueId: 0, ...more }));
  assert.is((await query())?.code, ResponseCode.QUERY_NOT_FOUND, 'unknown topic');
  context.topics.createIfAbsent(newTopicConfig('t'));
  assert.is((await query())?.fields['offset'], '0', 'an empty queue still has its beginning');
  assert.is((await query({ queueId: 99 }))?.code, ResponseCode.QUERY_NOT_FOUND, 'unknown queue');
  store.append(message(), 100);
  assert.is((await query())?.fields['offset'], '0');
  const strict = await query({ setZeroIfNotFound: false });
  assert.is(strict?.code, ResponseCode.QUERY_NOT_FOUND);
  assert.is(strict?.remark, 'Not found, do not set to zero, maybe this group boot first');
  store.minimum.set('t/0', 1);
  assert.is((await query())?.remark, 'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first');
  context.offsets.commit('g', 't', 0, 7);
  assert.is((await query())?.fields['offset'], '7');
});

test('commits: group, topic, numbers, resets, in this order', async () => {
  const { ask, context } = setUp();
  const commit = (more: object = {}) =>
    request(RequestCode.UPDATE_CONSUMER_OFFSET, {
      consumerGroup: 'g',
      topic: 't',
      queueId: 0,
      commitOffset: 5,
      ...more,
    });
  assert.is((await ask(commit()))?.code, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST);
  context.groups.findOrCreate('g');
  assert.is((await ask(commit()))?.remark, 'Topic t not exist!');
  context.topics.createIfAbsent(newTopicConfig('t'));
  assert.is((await ask(commit({ queueId: '' })))?.remark, 'QueueId is null, topic is t');
  for (const queueId of ['x', '16', '-1', '2147483648', '1000000', '9'.repeat(400)]) {
    assert.is((await ask(commit({ queueId })))?.code, ResponseCode.INVALID_PARAMETER, queueId);
  }
  for (const commitOffset of ['x', '-1', '9007199254740993', '9'.repeat(400), '1.5', 'NaN', 'Infinity']) {
    assert.is((await ask(commit({ commitOffset })))?.code, ResponseCode.INVALID_PARAMETER, commitOffset);
  }
  assert.equal([...context.offsets.toJson().offsetTable], []);
  assert.is((await ask(commit({ commitOffset: '' })))?.code, ResponseCode.INVALID_PARAMETER);
  assert.is((await ask(commit()))?.code, ResponseCode.SUCCESS);
  assert.is(context.offsets.query('g', 't', 0), 5);
  context.offsets.assignReset('g', 't', 0, 1);
  assert.is((await ask(commit({ commitOffset: 9 })))?.remark, 'Offset has been previously reset');
  assert.is(context.offsets.query('g', 't', 0), 1);
});

test('an offset that is told one-way is kept', async () => {
  const { ask, context } = setUp();
  context.groups.findOrCreate('g');
  context.topics.createIfAbsent(newTopicConfig('t'));
  const fields = { consumerGroup: 'g', topic: 't', queueId: 0, commitOffset: 5 };
  await ask(oneway(request(RequestCode.UPDATE_CONSUMER_OFFSET, fields)));
  assert.is(context.offsets.query('g', 't', 0), 5);
});

test('orderly locks', async () => {
  const { ask, context } = setUp();
  context.topics.createIfAbsent(newTopicConfig('t'));
  const queues = [{ brokerName: 'broker-a', queueId: 0, topic: 't' }];
  const body = (clientId: string) => ({ clientId, consumerGroup: 'g', mqSet: queues, onlyThisBroker: false });
  const lock = async (clientId: string) =>
    bodyText(await ask(request(RequestCode.LOCK_BATCH_MQ, {}, body(clientId))));
  assert.is(await lock('x'), '{"lockOKMQSet":[{"brokerName":"broker-a","queueId":0,"topic":"t"}]}');
  assert.is(await lock('y'), '{"lockOKMQSet":[]}');
  await ask(request(RequestCode.UNLOCK_BATCH_MQ, {}, body('x')));
  assert.is(
    bodyJson(await ask(request(RequestCode.LOCK_BATCH_MQ, {}, body('y'))))['lockOKMQSet'] !== undefined,
    true,
  );
  assert.is((await ask(request(RequestCode.LOCK_BATCH_MQ, {}, {})))?.code, ResponseCode.SYSTEM_ERROR);
});

test('the connection of a member closes', async () => {
  const setup = setUp();
  const other = new FakeConnection('other');
  join(setup);
  join(setup, 'id-2', other);
  await setup.time.advance(100);
  setup.connection.sent.length = 0;
  setup.context.clients.connectionClosed('other');
  await setup.time.advance(100);
  assert.is(setup.connection.sent[0]?.code, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED);
});

test.run();
