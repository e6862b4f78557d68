import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_CONFIG_BODY } from '../../../src/lib/limits.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { responseTo } from '../../../src/protocol/command.ts';
import type { RocketJsonObject } from '../../../src/protocol/rocketmq-json.ts';
import { RemotingError } from '../../../src/remoting/errors.ts';
import { bodyJson, bodyText, join, message, request, setUp } from './support.ts';

const test = suite('admin: broker and clients');

test('connections', async () => {
  const setup = setUp();
  const { ask, context, connection, time } = setup;
  const consumers = () => ask(request(RequestCode.GET_CONSUMER_CONNECTION_LIST, { consumerGroup: 'g' }));
  assert.equal(
    [(await consumers())?.code, (await consumers())?.remark],
    [206, 'the consumer group[g] not online'],
  );
  join(setup);
  const member = `{"clientAddr":"${connection.remoteAddress}","clientId":"id","language":"JAVA","version":513}`;
  assert.is(
    bodyText(await consumers()),
    `{"connectionSet":[${member}],"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",` +
      '"consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","subscriptionTable":{"t":' +
      '{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,' +
      '"tagsSet":[],"topic":"t"}}}',
  );
  const producers = () => ask(request(RequestCode.GET_PRODUCER_CONNECTION_LIST, { producerGroup: 'p' }));
  assert.is((await producers())?.remark, 'the producer group[p] not exist');
  const client = { connection, clientId: 'id', language: 'JAVA', version: 513 };
  context.clients.producers.register('p', client, time.monotonic());
  assert.is(bodyText(await producers()), `{"connectionSet":[${member}]}`);
  assert.is(
    bodyText(await ask(request(RequestCode.GET_ALL_PRODUCER_INFO))),
    `{"data":{"p":[{"clientId":"id","language":"JAVA","lastUpdateTimestamp":${time.now()},` +
      `"remoteIP":"/${connection.remoteAddress}","version":513}]}}`,
  );
});

test('who reads what', async () => {
  const setup = setUp();
  join(setup);
  setup.context.offsets.commit('h', 't', 0, 1);
  const text = async (code: number, fields: Record<string, string>) =>
    bodyText(await setup.ask(request(code, fields)));
  assert.is(await text(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, { topic: 't' }), '{"groupList":["g","h"]}');
  assert.is(
    await text(RequestCode.QUERY_TOPICS_BY_CONSUMER, { group: 'h' }),
    '{"brokerAddr":"10.1.1.1:10911","topicList":["t"]}',
  );
  assert.match(
    await text(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, { group: 'g', topic: 't' }),
    /^\{"group":"g","subscriptionData":\{"classFilterMode":false,.*\},"topic":"t"\}$/,
  );
  assert.is(
    await text(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, { group: 'x', topic: 't' }),
    '{"group":"x","topic":"t"}',
  );
});

test('requests are handed on to the client and its answer goes back as it is', async () => {
  const setup = setUp();
  const call = (more: object = {}) =>
    setup.ask({
      ...request(RequestCode.GET_CONSUMER_RUNNING_INFO, { consumerGroup: 'g', clientId: 'id', ...more }),
      opaque: 42,
    });
  assert.is((await call())?.remark, 'The Consumer <g> <id> not online');
  join(setup, 'old', undefined, 61);
  assert.match((await call({ clientId: 'old' }))?.remark ?? '', /too low to finish/);
  join(setup);
  setup.connection.answer = (command) =>
    Promise.resolve(responseTo(command, 0, 'fine', { x: '1' }, Buffer.from('{{"a":1}:2}')));
  const reply = await call();
  assert.equal([reply?.opaque, reply?.code, reply?.remark, bodyText(reply)], [42, 0, 'fine', '{{"a":1}:2}']);
  assert.is(setup.connection.asked[0]?.fields['clientId'], 'id');
  setup.connection.answer = () => Promise.reject(new RemotingError('TIMEOUT', 'slow'));
  assert.is((await call())?.code, 207);
  setup.connection.answer = () => Promise.reject(new RemotingError('CLOSED', 'gone'));
  assert.is((await call())?.code, 1);
});

test('consuming directly takes the message along', async () => {
  const setup = setUp();
  join(setup);
  const { record } = setup.store.append(message(), 1);
  setup.connection.answer = (command) => Promise.resolve(responseTo(command, 0));
  const call = (msgId: string) =>
    setup.ask(
      request(RequestCode.CONSUME_MESSAGE_DIRECTLY, {
        consumerGroup: 'g',
        clientId: 'id',
        msgId,
        topic: 'TBW102',
      }),
    );
  assert.is((await call('0A01010100002A9F0000000000000000'))?.code, 0);
  const [asked] = setup.connection.asked;
  assert.is(asked?.body, record);
  assert.equal(
    ['brokerName', 'topicSysFlag', 'groupSysFlag'].map((name) => asked?.fields[name]),
    ['broker-a', '0', '0'],
  );
  assert.is((await call('nonsense'))?.code, 1);
});

test('configuration', async () => {
  const { ask, context } = setUp();
  const { counter } = context.topics.version;
  const update = (text: string) => ask(request(RequestCode.UPDATE_BROKER_CONFIG, {}, text));
  assert.is((await update('brokerPermission=4\n# no\nx = a\\u0041\n'))?.code, 0);
  assert.is(context.topics.version.counter, counter + 1);
  const refused = await update('configBlackList=');
  assert.equal([refused?.code, refused?.remark], [16, 'Can not update config in black list.']);
  const long = await update('x'.repeat(MAX_CONFIG_BODY + 1));
  assert.match(long?.remark ?? '', /limit MAX_CONFIG_BODY/);
  const shown = await ask(request(RequestCode.GET_BROKER_CONFIG));
  const [own, ofAll] = bodyText(shown).split('clientCallbackExecutorThreads=');
  assert.is(own, 'brokerName=broker-a\nbrokerPermission=4\nx=aA\n');
  assert.match(ofAll ?? '', /^\d+\n$/, 'what tools read of every broker');
  assert.is(shown?.fields['version'], '{"counter":1,"stateVersion":0,"timestamp":2}');
});

test('runtime figures: everything tools read is there', async () => {
  const { ask, context } = setUp();
  context.delayOffsets.set(3, 7);
  const table = bodyJson(await ask(request(RequestCode.GET_BROKER_RUNTIME_INFO)))[
    'table'
  ] as RocketJsonObject;
  assert.is(table['commitLogDiskRatio'], '0.25');
  assert.is(table['scheduleMessageOffset_3'], '7,0');
  assert.is(table['brokerVersionDesc'], 'V5_5_0');
  for (const name of [
    'putTps',
    'getTransferredTps',
    'getTotalTps',
    'sendThreadPoolQueueSize',
    'sendThreadPoolQueueHeadWaitTimeMills',
    'pullThreadPoolQueueSize',
    'pullThreadPoolQueueHeadWaitTimeMills',
    'pageCacheLockTimeMills',
    'msgPutTotalTodayNow',
  ]) {
    assert.type(table[name], 'string', name);
  }
  assert.is(String(table['putTps']).split(' ').length, 3);
});

test('statistics', async () => {
  const { ask, context } = setUp();
  const view = () =>
    ask(request(RequestCode.VIEW_BROKER_STATS_DATA, { statsName: 'TOPIC_PUT_NUMS', statsKey: 't' }));
  assert.is((await view())?.remark, 'The stats <TOPIC_PUT_NUMS> <t> not exist');
  context.stats.add('TOPIC_PUT_NUMS', 't', 1);
  assert.is(
    bodyText(await view()),
    '{"statsDay":{"avgpt":0,"sum":0,"tps":0},"statsHour":{"avgpt":0,"sum":0,"tps":0},' +
      '"statsMinute":{"avgpt":0,"sum":0,"tps":0}}',
  );
});

test('cleaning', async () => {
  const { ask, cleaned, context } = setUp();
  await ask(request(RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE));
  await ask(request(RequestCode.CLEAN_UNUSED_TOPIC));
  await ask(request(RequestCode.DELETE_EXPIRED_COMMITLOG));
  assert.equal(cleaned, ['queues', `topics but ${context.topics.size}`, 'files']);
});

test('the read mode is a setting: 0 reads ahead, 1 does not, anything else is refused', async () => {
  const setup = setUp();
  const { ask } = setup;
  const set = (fields: Record<string, string>) => ask(request(RequestCode.SET_COMMITLOG_READ_MODE, fields));
  const shown = async () => bodyText(await ask(request(RequestCode.GET_BROKER_CONFIG)));
  for (const [mode, ahead] of [
    ['1', 'false'],
    ['0', 'true'],
  ] as const) {
    const answer = await set({ READ_AHEAD_MODE: mode });
    assert.equal([answer?.code, answer?.remark], [0, `set commitlog readahead mode success, mode: ${mode}`]);
    assert.match(await shown(), new RegExp(`dataReadAheadEnable=${ahead}`));
  }
  assert.is((await set({ READ_AHEAD_MODE: '2' }))?.code, ResponseCode.INVALID_PARAMETER);
  assert.is((await set({ READ_AHEAD_MODE: 'x' }))?.code, ResponseCode.SYSTEM_ERROR);
  assert.is((await set({}))?.code, ResponseCode.SYSTEM_ERROR);
  setup.settings.configBlackList = 'configBlackList;dataReadAheadEnable';
  assert.is((await set({ READ_AHEAD_MODE: '1' }))?.code, ResponseCode.NO_PERMISSION);
  assert.match(await shown(), /dataReadAheadEnable=true/);
});

test.run();
