import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { bodyJson, bodyText, message, request, setUp } from './support.ts';

const test = suite('admin: topics and groups');

const topicFields = {
  topic: 't',
  defaultTopic: 'TBW102',
  readQueueNums: 4,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  order: false,
};

test('creates a topic and shows it', async () => {
  const { ask, context } = setUp();
  const create = (more: object = {}) =>
    ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...topicFields, ...more }));
  assert.is((await create({ attributes: '+message.type=FIFO' }))?.code, ResponseCode.SUCCESS);
  const shown = await ask(request(RequestCode.GET_TOPIC_CONFIG, { topic: 't' }));
  assert.is(
    bodyText(shown),
    '{"attributes":{"message.type":"FIFO"},"order":false,"perm":6,"readQueueNums":4,' +
      '"topicFilterType":"SINGLE_TAG","topicName":"t","topicSysFlag":0,"writeQueueNums":4}',
  );
  const { counter } = context.topics.version;
  context.topics.createIfAbsent(newTopicConfig('plain', 4));
  await create({ topic: 'plain' });
  assert.is(context.topics.version.counter, counter + 1);
  const missing = await ask(request(RequestCode.GET_TOPIC_CONFIG, { topic: 'x' }));
  assert.equal([missing?.code, missing?.remark], [17, 'No topic in this broker. topic: x']);
});

test('queue counts and permissions that no topic can have are refused by what is allowed', async () => {
  const { ask, context } = setUp();
  const create = async (more: object) => {
    const reply = await ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...topicFields, ...more }));
    return [reply?.code, reply?.remark ?? ''] as const;
  };
  for (const name of ['readQueueNums', 'writeQueueNums']) {
    for (const count of [4_097, 2_000_000_000, -1]) {
      assert.equal(await create({ [name]: count }), [
        ResponseCode.INVALID_PARAMETER,
        `${name} is ${count}; whole numbers from 0 to 4096 (limit MAX_QUEUES_PER_TOPIC) are allowed`,
      ]);
    }
    assert.equal(await create({ [name]: 4_000_000_000 }), [
      1,
      `the custom field <${name}> is no int32: 4000000000`,
    ]);
  }
  assert.match((await create({ perm: 8 }))[1], /^perm is 8; whole numbers from 0 to 7 are allowed$/);
  assert.not.ok(context.topics.has('t'));
  assert.is((await create({ readQueueNums: 4_096 }))[0], ResponseCode.SUCCESS);
});

test('a list with one impossible topic makes none', async () => {
  const { ask, context } = setUp();
  const list = (last: object) =>
    ask(
      request(
        RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
        {},
        {
          topicConfigList: [{ topicName: 'a' }, { topicName: 'b', ...last }],
        },
      ),
    );
  const many = await list({ readQueueNums: 'many' });
  assert.is(
    many?.remark,
    'readQueueNums is many; whole numbers from 0 to 4096 (limit MAX_QUEUES_PER_TOPIC) are allowed',
  );
  assert.match((await list({ writeQueueNums: 1e10 }))?.remark ?? '', /limit MAX_QUEUES_PER_TOPIC/);
  assert.match((await list({ perm: 'rw' }))?.remark ?? '', /^perm is rw;/);
  assert.not.ok(context.topics.has('a'));
  assert.is((await list({ readQueueNums: '3' }))?.code, ResponseCode.SUCCESS);
  assert.is(context.topics.get('b')?.readQueueNums, 3);
});

test('groups: numbers, and what is kept as it came', async () => {
  const { ask, context } = setUp();
  const create = async (more: object) =>
    (await ask(request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, { groupName: 'h', ...more })))
      ?.remark;
  assert.match(
    (await create({ retryQueueNums: 2e9 })) ?? '',
    /^retryQueueNums is 2000000000; .*limit MAX_QUEUES_PER_TOPIC/,
  );
  assert.match(
    (await create({ retryMaxTimes: 'often' })) ?? '',
    /^retryMaxTimes is often; whole numbers from/,
  );
  const policy = { type: 'CUSTOMIZED', customizedRetryPolicy: { next: Array(10_000).fill(1000) } };
  assert.match((await create({ groupRetryPolicy: policy })) ?? '', /limit MAX_GROUP_EXTRAS/);
  assert.match((await create({ subscriptionDataSet: ['x'.repeat(20_000)] })) ?? '', /limit MAX_GROUP_EXTRAS/);
  const power = { type: 'EXPONENTIAL', exponentialRetryPolicy: { initial: -1 } };
  assert.match(
    (await create({ groupRetryPolicy: power })) ?? '',
    /^groupRetryPolicy\.exponentialRetryPolicy\.initial is -1; whole numbers from 0 to/,
  );
  assert.not.ok(context.groups.has('h'));
  assert.is(
    await create({ attributes: { '+lite.bind.topic': 'x'.repeat(256) } }),
    'characters in an attribute: more than 255 (limit MAX_ATTRIBUTE)',
  );
});

test('refuses bad topics in RocketMQ words', async () => {
  const { ask } = setUp();
  const refusal = async (more: object) => {
    const reply = await ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...topicFields, ...more }));
    return [reply?.code, reply?.remark];
  };
  assert.equal(await refusal({ topic: ' ' }), [29, 'The specified topic is blank.']);
  assert.equal(await refusal({ topic: 'a b' }), [
    29,
    'The specified topic: a b, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$',
  ]);
  assert.is((await refusal({ topic: 'x'.repeat(128) }))[0], 29);
  assert.equal(await refusal({ topic: 'TBW102' }), [29, 'The topic[TBW102] is conflict with system topic.']);
  assert.equal(await refusal({ attributes: '+message.type=MIXED' }), [
    29,
    'MIXED message type is not supported.',
  ]);
  assert.equal(await refusal({ attributes: 'a=b' }), [1, 'add/alter attribute format is wrong: a']);
  assert.equal(await refusal({ topicFilterType: 'X' }), [1, 'topicFilterType = [X] value invalid']);
});

test('topics in a list', async () => {
  const { ask, context } = setUp();
  const body = {
    topicConfigList: [
      { topicName: 'a', readQueueNums: 1 },
      { topicName: 'b', perm: 4 },
    ],
  };
  assert.is((await ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {}, body)))?.code, 0);
  assert.equal([context.topics.get('a')?.readQueueNums, context.topics.get('b')?.perm], [1, 4]);
  const wide = Array.from({ length: 17 }, (_, i) => ({ topicName: `w${i}`, writeQueueNums: 4096 }));
  const asked = (topicConfigList: object[]) =>
    ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {}, { topicConfigList }));
  assert.match((await asked(wide))?.remark ?? '', /more than 65536 \(limit MAX_QUEUES_ASKED\)/);
  assert.not.ok(context.topics.has('w0'));
  assert.is((await asked(wide.slice(1)))?.code, ResponseCode.SUCCESS);
  assert.is(context.topics.get('w16')?.writeQueueNums, 4096);
});

test('deletes a topic with its offsets and pop retry topics', async () => {
  const { ask, context } = setUp();
  const { topics, offsets } = context;
  for (const name of ['t', '%RETRY%g_t', '%RETRY%g+t', '%RETRY%g']) topics.createInternal(name, 1);
  offsets.commit('g', 't', 0, 1);
  const remove = async (topic: string) =>
    (await ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, { topic })))?.remark;
  assert.is(await remove(''), 'The specified topic is blank.');
  assert.is(await remove('SELF_TEST_TOPIC'), 'The topic[SELF_TEST_TOPIC] is conflict with system topic.');
  assert.is(await remove('t'), undefined);
  assert.equal(
    ['t', '%RETRY%g_t', '%RETRY%g+t', '%RETRY%g'].map((name) => topics.has(name)),
    [false, false, false, true],
  );
  assert.is(offsets.query('g', 't', 0), -1);
});

test('all topics at once, or in pages', async () => {
  const { ask, context } = setUp();
  const all = await ask(request(RequestCode.GET_ALL_TOPIC_CONFIG));
  assert.is(all?.fields['totalTopicNum'], String(context.topics.size));
  const body = bodyJson(all);
  assert.equal(Object.keys(body), [
    'dataVersion',
    'mappingDataVersion',
    'topicConfigTable',
    'topicQueueMappingDetailMap',
    'topicQueueMappingInfoMap',
  ]);
  assert.is(Object.keys(body['topicConfigTable'] as object).length, context.topics.size);
  const page = await ask(request(RequestCode.GET_ALL_TOPIC_CONFIG, { topicSeq: 0, maxTopicNum: 3 }));
  assert.is(Object.keys(bodyJson(page)['topicConfigTable'] as object).length, 3);
  assert.is(page?.fields['totalTopicNum'], String(context.topics.size));
  const system = bodyJson(await ask(request(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER)))['topicList'];
  assert.ok(Array.isArray(system) && system.includes('RMQ_SYS_TRACE_TOPIC') && system.includes('broker-a'));
});

test('the range of each queue, keys raw objects', async () => {
  const { ask, context, store } = setUp();
  context.topics.createIfAbsent(newTopicConfig('t', 2));
  store.append(message(), 100);
  const reply = await ask(request(RequestCode.GET_TOPIC_STATS_INFO, { topic: 't' }));
  assert.is(
    bodyText(reply),
    '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"t"}:' +
      '{"lastUpdateTimestamp":100,"maxOffset":1,"minOffset":0},' +
      '{"brokerName":"broker-a","queueId":1,"topic":"t"}:' +
      '{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0}},"topicPutTps":0}',
  );
  const missing = await ask(request(RequestCode.GET_TOPIC_STATS_INFO, { topic: 'x' }));
  assert.equal([missing?.code, missing?.remark], [17, 'topic[x] not exist']);
});

test('a purge tells what each queue lets go of, and with dryRun does no more', async () => {
  const { ask, context, store } = setUp();
  context.topics.createIfAbsent(newTopicConfig('t', 2));
  for (let i = 0; i < 5; i++) store.append(message(), i);
  store.minimum.set('t/0', 2);
  const purge = async (fields: object) =>
    JSON.parse(bodyText(await ask(request(RequestCode.PURGE_TOPIC, { topic: 't', ...fields }))));
  const empty = { queueId: 1, minOffset: 0, maxOffset: 0, messages: 0 };
  const before = { queueId: 0, minOffset: 2, maxOffset: 5, messages: 3 };
  for (const dryRun of [true, 'TRUE'])
    assert.equal(await purge({ dryRun }), { topic: 't', queues: [before, empty] });
  for (const dryRun of ['yes', '1', ''])
    assert.is((await ask(request(RequestCode.PURGE_TOPIC, { topic: 't', dryRun })))?.code, 29, dryRun);
  assert.is(store.minOffset('t', 0), 2);
  assert.equal(await purge({}), { topic: 't', queues: [{ ...before, minOffset: 5 }, empty] });
  assert.is(store.minOffset('t', 0), 5);
});

test('what waits in a system topic is not purged, nor a topic that is not there', async () => {
  const { ask, context, store } = setUp();
  const purge = (topic?: string) =>
    ask(request(RequestCode.PURGE_TOPIC, topic === undefined ? {} : { topic }));
  for (const topic of ['SCHEDULE_TOPIC_XXXX', 'rmq_sys_wheel_timer', 'RMQ_SYS_TRANS_HALF_TOPIC']) {
    store.append(message({ topic }), 1);
    const { code, remark } = (await purge(topic)) ?? {};
    assert.equal([code, remark], [29, `The topic[${topic}] is conflict with system topic.`]);
    assert.is(store.minOffset(topic, 0), 0);
  }
  assert.equal((await purge('x'))?.remark, 'topic[x] not exist');
  assert.is((await purge())?.code, ResponseCode.SYSTEM_ERROR);
  for (const topic of ['%RETRY%g', '%DLQ%g']) {
    context.topics.createInternal(topic, 1);
    assert.is((await purge(topic))?.code, ResponseCode.SUCCESS, topic);
  }
});

test('groups: create, show, list, forbid, delete', async () => {
  const { ask, context } = setUp();
  const update = (config: object) =>
    ask(request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, config));
  assert.is((await update({ groupName: 'g', retryMaxTimes: 3 }))?.code, 0);
  assert.equal([(await update({}))?.code, (await update({}))?.remark], [29, 'The specified group is blank.']);
  const shown = await ask(request(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, { group: 'g' }));
  assert.is(
    bodyText(shown),
    '{"attributes":{},"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,' +
      '"consumeFromMinEnable":true,"consumeMessageOrderly":false,"consumeTimeoutMinute":15,"groupName":"g",' +
      '"groupRetryPolicy":{"type":"CUSTOMIZED"},"groupSysFlag":0,"notifyConsumerIdsChangedEnable":true,' +
      '"retryMaxTimes":3,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}',
  );
  const missing = await ask(request(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, { group: 'x' }));
  assert.equal([missing?.code, missing?.remark], [26, 'No group in this broker. group: x']);
  const list = { groupConfigList: [{ groupName: 'h' }] };
  await ask(request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, {}, list));
  const forbid = await ask(
    request(RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN, { group: 'g', topic: 't', readable: false }),
  );
  assert.is(bodyText(forbid), '{"group":"g","readable":false,"topic":"t"}');
  const all = await ask(request(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG));
  assert.is(all?.fields['totalGroupNum'], '10');
  assert.match(bodyText(all), /"forbiddenTable":\{"g":\{"t":4\}\}/);
  const page = await ask(
    request(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, { groupSeq: 0, maxGroupNum: 2 }),
  );
  assert.is(Object.keys(bodyJson(page)['subscriptionGroupTable'] as object).length, 2);
  context.offsets.commit('g', 't', 0, 1);
  await ask(request(RequestCode.DELETE_SUBSCRIPTIONGROUP, { groupName: 'g', cleanOffset: true }));
  assert.not.ok(context.groups.has('g'));
  assert.is(context.offsets.query('g', 't', 0), -1);
});

test.run();
