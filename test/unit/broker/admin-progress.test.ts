import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { timingByTopic } from '../../../src/delivery/timing-by-topic.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { FakeConnection } from '../metadata/support.ts';
import { bodyJson, bodyText, join, message, request, setUp } from './support.ts';

const test = suite('admin: progress');

function withTopic(queues = 1) {
  const setup = setUp();
  setup.context.topics.createIfAbsent(newTopicConfig('t', queues));
  setup.context.groups.findOrCreate('g');
  return setup;
}

const MQ0 = '{"brokerName":"broker-a","queueId":0,"topic":"t"}';

test('consume stats of a group, keys raw objects', async () => {
  const { ask, context, store } = withTopic();
  for (const time of [100, 200, 300]) store.append(message(), time);
  context.offsets.commit('g', 't', 0, 2);
  context.offsets.commitPull('g', 't', 0, 3);
  const expected =
    `{"consumeTps":0,"offsetTable":{${MQ0}:` +
    '{"brokerOffset":3,"consumerOffset":2,"lastTimestamp":200,"pullOffset":3}}}';
  const stats = (more: object) =>
    ask(request(RequestCode.GET_CONSUME_STATS, { consumerGroup: 'g', ...more }));
  assert.is(bodyText(await stats({})), expected);
  assert.is(bodyText(await stats({ topic: 't' })), expected);
  assert.is(bodyText(await stats({ topicList: 't;missing;' })), expected);
  const all = bodyText(await ask(request(RequestCode.GET_BROKER_CONSUME_STATS, { isOrder: false })));
  assert.ok(all.includes(`{"g":[${expected}]}`), all);
  assert.match(all, /"brokerAddr":"10.1.1.1:10911"/);
  assert.match(all, /"totalDiff":1,"totalInflightDiff":1\}$/);
});

test('an online group counts only what it subscribes to', async () => {
  const setup = withTopic();
  setup.context.topics.createIfAbsent(newTopicConfig('old', 1));
  setup.context.offsets.commit('g', 't', 0, 0);
  setup.context.offsets.commit('g', 'old', 0, 0);
  const keys = async () => {
    const reply = await setup.ask(request(RequestCode.GET_CONSUME_STATS, { consumerGroup: 'g' }));
    return (bodyJson(reply)['offsetTable'] as unknown as Map<unknown, unknown>).size;
  };
  assert.is(await keys(), 2);
  join(setup);
  assert.is(await keys(), 1);
});

test('time span', async () => {
  const { ask, context, store, time } = withTopic();
  const now = time.now();
  for (const age of [300, 200, 100]) store.append(message(), now - age);
  context.offsets.commit('g', 't', 0, 1);
  const reply = await ask(request(RequestCode.QUERY_CONSUME_TIME_SPAN, { topic: 't', group: 'g' }));
  assert.is(
    bodyText(reply),
    `{"consumeTimeSpanSet":[{"consumeTimeStamp":${now - 300},"delayTime":200,"maxTimeStamp":${now - 100},` +
      `"messageQueue":${MQ0},"minTimeStamp":${now - 300}}]}`,
  );
});

test('offset tables with bare integer keys', async () => {
  const { ask, context } = withTopic();
  context.offsets.commit('g', 't', 0, 5);
  context.offsets.commitPull('g', 't', 0, 6);
  context.delayOffsets.set(2, 9);
  assert.match(
    bodyText(await ask(request(RequestCode.GET_ALL_CONSUMER_OFFSET))),
    /"groupTopicMap":\{"g":\["t"\]\},"offsetTable":\{"t@g":\{0:5\}\}\}$/,
  );
  assert.match(bodyText(await ask(request(RequestCode.GET_ALL_DELAY_OFFSET))), /"offsetTable":\{2:9\}\}$/);
});

test('timed messages that wait, by topic, as slaves of RocketMQ read it', async () => {
  const { ask, context } = withTopic();
  const known = [{ topicName: 't' }, { topicName: 'none' }];
  const totals = () => new Map([[String(javaHashCode('t')), 3]]);
  context.timing = () => timingByTopic({ totals }, known);
  const now = context.clock.now();
  assert.is(
    bodyText(await ask(request(RequestCode.GET_TIMER_METRICS))),
    `{"dataVersion":{"counter":${now},"stateVersion":0,"timestamp":${now}},` +
      `"timingCount":{"t":{"count":3,"timeStamp":${now}}}}`,
  );
});

test('correction offsets', async () => {
  const { ask, context } = withTopic(2);
  context.offsets.commit('g', 't', 0, 5);
  context.offsets.commit('g', 't', 1, 5);
  context.offsets.commit('h', 't', 0, 9);
  const correct = async (more: object) =>
    bodyText(
      await ask(request(RequestCode.QUERY_CORRECTION_OFFSET, { topic: 't', compareGroup: 'h', ...more })),
    );
  assert.is(await correct({}), '{"correctionOffsets":{0:5,1:5}}');
  assert.is(
    await correct({ compareGroup: 'g', filterGroups: 'g' }),
    '{"correctionOffsets":{0:9223372036854775807,1:9223372036854775807}}',
  );
});

test('cloning offsets', async () => {
  const { ask, context } = withTopic();
  context.offsets.commit('g', 't', 0, 5);
  context.offsets.commit('g', 'missing', 0, 5);
  const clone = (more: object) =>
    ask(request(RequestCode.CLONE_GROUP_OFFSET, { srcGroup: 'g', destGroup: 'h', ...more }));
  await clone({});
  assert.equal(context.offsets.topicsOf('h'), ['t']);
});

test('reset on the broker', async () => {
  const { ask, context, store } = withTopic(2);
  for (const time of [100, 200]) store.append(message(), time);
  const reset = (more: object) =>
    ask(
      request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, {
        group: 'g',
        topic: 't',
        timestamp: 150,
        isForce: true,
        ...more,
      }),
    );
  const reply = await reset({});
  assert.is(
    bodyText(reply),
    `{"offsetTable":{${MQ0}:1,{"brokerName":"broker-a","queueId":1,"topic":"t"}:0}}`,
  );
  assert.ok(context.offsets.hasReset('g', 't', 0));
  assert.is(bodyText(await reset({ timestamp: -1, queueId: 0 })), `{"offsetTable":{${MQ0}:2}}`);
  assert.is(bodyText(await reset({ queueId: 0, offset: 3 })), `{"offsetTable":{${MQ0}:3}}`);
  assert.is(
    (await reset({ queueId: 0, offset: 4 }))?.remark,
    'Target offset 4 not in consume queue range [0-2]',
  );
  assert.is((await reset({ topic: 'x' }))?.code, 17);
  assert.is((await reset({ group: 'x' }))?.code, 26);
});

test('reset through the clients', async () => {
  const setup = withTopic();
  const { ask, context, store, connection } = setup;
  context.settings.useServerSideResetOffset = false;
  for (const time of [100, 200]) store.append(message(), time);
  const fields = { group: 'g', topic: 't', timestamp: 150, isForce: false };
  const reset = (language = 'JAVA', more: object = {}) =>
    ask({ ...request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, { ...fields, ...more }), language });
  assert.is((await reset())?.remark, 'THe consumer group <g> not exist');
  context.offsets.commit('g', 't', 0, 0);
  assert.is((await reset())?.code, 206);
  join(setup);
  connection.sent.length = 0;
  assert.is(bodyText(await reset()), `{"offsetTable":{${MQ0}:0}}`);
  assert.is(bodyText(await reset('CPP', { isForce: true })), `{"offsetTable":{${MQ0}:1}}`);
  assert.equal(
    connection.sent.map((sent) => [sent.code, bodyText(sent)]),
    [
      [220, `{"offsetTable":{${MQ0}:0}}`],
      [220, '{"offsetTable":[{"brokerName":"broker-a","offset":1,"queueId":0,"topic":"t"}]}'],
    ],
  );
});

test('a request that would turn to too many clients is refused by the limit', async () => {
  const setup = withTopic();
  setup.context.groups.findOrCreate('g');
  setup.context.offsets.commit('g', 't', 0, 0);
  const connections = Array.from({ length: 1025 }, (_, i) => new FakeConnection(`c${i}`));
  for (const [i, connection] of connections.entries()) {
    join(setup, `id${i}`, connection);
    connection.sent.length = 0;
  }
  const fields = { group: 'g', topic: 't' };
  const status = await setup.ask(request(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, fields));
  assert.match(status?.remark ?? '', /more than 1024 \(limit MAX_ASKED_CLIENTS\); name one with clientAddr$/);
  setup.context.settings.useServerSideResetOffset = false;
  const reset = await setup.ask(
    request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, { ...fields, timestamp: 1 }),
  );
  assert.match(reset?.remark ?? '', /limit MAX_ASKED_CLIENTS/);
  assert.ok(connections.every(({ asked }) => asked.length === 0));
  assert.ok(connections.at(-1)?.sent.every(({ code }) => code !== RequestCode.RESET_CONSUMER_CLIENT_OFFSET));
  for (const connection of connections) connection.answer = async () => requestCommand(0);
  const one = await setup.ask(
    request(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, { ...fields, clientAddr: 'id7' }),
  );
  assert.is(one?.code, ResponseCode.SUCCESS);
});

test('consumer status is collected from the clients, object keys pass through', async () => {
  const setup = withTopic();
  const ask = () =>
    setup.ask(request(RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS, { topic: 't', group: 'g' }));
  assert.is((await ask())?.remark, 'No Any Consumer online in the consumer group: [g]');
  const broken = new FakeConnection('broken');
  join(setup);
  join(setup, 'id-2', broken);
  broken.answer = () => Promise.reject(new Error('closed'));
  setup.connection.answer = (command) =>
    Promise.resolve(responseTo(command, 0, undefined, {}, Buffer.from(`{"messageQueueTable":{${MQ0}:7}}`)));
  assert.is(bodyText(await ask()), `{"consumerTable":{"id":{${MQ0}:7}}}`);
});

test('ConsumeQueue entries', async () => {
  const setup = withTopic();
  setup.store.append(message(), 100, -5n);
  const query = (more: object) =>
    setup.ask(
      request(RequestCode.QUERY_CONSUME_QUEUE, { topic: 't', queueId: 0, index: 0, count: 5, ...more }),
    );
  const { size } = setup.store.readQueue('t', 0, 0, 1)[0] ?? { size: 0 };
  assert.is(
    bodyText(await query({})),
    `{"maxQueueIndex":1,"minQueueIndex":0,"queueData":[{"eval":false,"physicOffset":0,"physicSize":${size},"tagsCode":-5}]}`,
  );
  assert.is(bodyJson(await query({ consumerGroup: 'g' }))['filterData'], 'g@t is not online!');
  assert.is((await query({ queueId: 1 }))?.remark, '1@t is not exist!');
});

test.run();
