/** Figures of lite topics for operators: what is refused, summed up and named; and where a lite topic belongs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { brokerOfLiteTopic, consistentHash } from '../../../src/broker/lite/lite-sharding.ts';
import { TopLags } from '../../../src/broker/lite/top-lags.ts';
import { unsupportedRemark } from '../../../src/broker/unsupported-requests.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { asObject } from '../../../src/protocol/json-fields.ts';
import { bodyJson, request, setUp } from './support.ts';

const test = suite('figures of lite topics');

async function withParent() {
  const setup = setUp();
  const attributes = { attributes: '+message.type=LITE' };
  const topic = {
    defaultTopic: 'TBW102',
    readQueueNums: '1',
    writeQueueNums: '1',
    perm: '6',
    topicSysFlag: '0',
  };
  for (const [name, more] of [
    ['parent', attributes],
    ['plain', {}],
  ] as const) {
    const fields = { ...topic, topic: name, topicFilterType: 'SINGLE_TAG', order: 'false', ...more };
    await setup.ask(request(RequestCode.UPDATE_AND_CREATE_TOPIC, fields));
  }
  for (const [groupName, added] of [
    ['lite', { '+lite.bind.topic': 'parent' }],
    ['other', {}],
  ] as const) {
    const config = { groupName, retryQueueNums: 1, retryMaxTimes: 16, attributes: added };
    await setup.ask(request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, config));
  }
  return setup;
}

test('the broker names parent topics and their groups', async () => {
  const { ask, context } = await withParent();
  context.lites.ensure('%LMQ%$parent$one');
  const shown = bodyJson(await ask(request(RequestCode.GET_BROKER_LITE_INFO)));
  assert.is(JSON.stringify(shown['topicMeta']), '{"parent":-1}');
  assert.is(JSON.stringify(shown['groupMeta']), '{"parent":["lite"]}');
  assert.is(shown['currentLmqNum'], 1);
  const parent = bodyJson(await ask(request(RequestCode.GET_PARENT_TOPIC_INFO, { topic: 'parent' })));
  assert.equal([parent['liteTopicCount'], parent['groups']], [1, ['lite']]);
});

test('topics and groups that have no lite topics are refused', async () => {
  const { ask } = await withParent();
  const code = async (what: number, fields: Record<string, string>) =>
    (await ask(request(what, fields)))?.code;
  const { GET_PARENT_TOPIC_INFO, GET_LITE_TOPIC_INFO, GET_LITE_CLIENT_INFO } = RequestCode;
  const { GET_LITE_GROUP_INFO, TRIGGER_LITE_DISPATCH } = RequestCode;
  assert.is(await code(GET_PARENT_TOPIC_INFO, { topic: 'none' }), ResponseCode.TOPIC_NOT_EXIST);
  assert.is(await code(GET_PARENT_TOPIC_INFO, { topic: 'plain' }), ResponseCode.INVALID_PARAMETER);
  const lite = { parentTopic: 'plain', liteTopic: 'one' };
  assert.is(await code(GET_LITE_TOPIC_INFO, lite), ResponseCode.INVALID_PARAMETER);
  const client = { parentTopic: 'parent', group: 'other', clientId: 'c' };
  assert.is(await code(GET_LITE_CLIENT_INFO, client), ResponseCode.INVALID_PARAMETER);
  assert.is(await code(GET_LITE_GROUP_INFO, { group: 'other' }), ResponseCode.INVALID_PARAMETER);
  const none = ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST;
  assert.is(await code(GET_LITE_GROUP_INFO, { group: 'none' }), none);
  assert.is(await code(TRIGGER_LITE_DISPATCH, { group: 'none' }), none);
  assert.is(await code(TRIGGER_LITE_DISPATCH, { group: 'lite' }), ResponseCode.SUCCESS);
});

test('a client that is not known has no lite topics', async () => {
  const { ask } = await withParent();
  const fields = { parentTopic: 'parent', group: 'lite', clientId: 'nobody', maxCount: '10' };
  const shown = bodyJson(await ask(request(RequestCode.GET_LITE_CLIENT_INFO, fields)));
  assert.equal([shown['liteTopicCount'], shown['lastAccessTime']], [-1, -1]);
});

test('the farthest behind are kept, in their order', () => {
  const lags = [3, 9, 1, 7, 5, 8].map((n) => ({
    liteTopic: `lite-${n}`,
    lagCount: n,
    earliestUnconsumedTimestamp: 100 - n,
  }));
  const [byCount, byTime] = [new TopLags(3, 'count'), new TopLags(2, 'time')];
  for (const lag of lags) {
    byCount.add(lag);
    byTime.add(lag);
  }
  assert.equal(
    byCount.list().map(({ lagCount }) => lagCount),
    [9, 8, 7],
  );
  assert.equal(
    byTime.list().map(({ earliestUnconsumedTimestamp }) => earliestUnconsumedTimestamp),
    [91, 92],
  );
  assert.equal(new TopLags(0, 'count').list(), []);
});

test('a lite topic belongs to one broker, and moves only to a new one', () => {
  for (let input = -50; input < 50; input++) {
    for (let buckets = 1; buckets < 20; buckets++) {
      const [before, after] = [consistentHash(input, buckets), consistentHash(input, buckets + 1)];
      assert.ok(before >= 0 && before < buckets);
      assert.ok(after === before || after === buckets, `${input}: ${before} of ${buckets}, then ${after}`);
    }
  }
  const routed = [
    { brokerName: 'a', readQueues: 4 },
    { brokerName: 'b', readQueues: 4 },
  ];
  const homes = new Set(Array.from({ length: 32 }, (_, n) => brokerOfLiteTopic(routed, `lite-${n}`)));
  assert.equal([...homes].sort(), ['a', 'b']);
  assert.is(brokerOfLiteTopic(undefined, 'lite'), undefined);
  assert.is(brokerOfLiteTopic('unknown', 'lite'), undefined);
});

test('requests about features that are missing say so', () => {
  assert.is(unsupportedRemark(4711), ' request type 4711 not supported');
  assert.match(unsupportedRemark(RequestCode.AUTH_LIST_ACL), /3010 not supported: .*no users/);
});

test('a slave keeps and shows how far its master is said to be flushed; a master passes it over', async () => {
  const { ask, role, context } = setUp();
  const reset = async (fields: Record<string, string>) =>
    (await ask(request(RequestCode.RESET_MASTER_FLUSH_OFFSET, fields)))?.code;
  const shown = async () => {
    const status = bodyJson(await ask(request(RequestCode.GET_BROKER_HA_STATUS)));
    return asObject(status['haClientRuntimeInfo'])?.['masterFlushOffset'];
  };
  assert.is(await reset({ masterFlushOffset: '7' }), ResponseCode.SUCCESS);
  assert.equal([context.masterFlushed.masterFlushedOffset, await shown()], [0, 0]);
  role.status = { master: { address: 'm:1', isConnected: true, lastReadAt: 0, lastWriteAt: 0 } };
  assert.is(await reset({ masterFlushOffset: '7' }), ResponseCode.SUCCESS);
  assert.is(await shown(), 7);
  assert.is(await reset({}), ResponseCode.SYSTEM_ERROR);
  assert.is(await shown(), 7);
});

test('a master without slaves tells of none; the one timer engine stays', async () => {
  const { ask } = setUp();
  const status = bodyJson(await ask(request(RequestCode.GET_BROKER_HA_STATUS)));
  assert.equal([status['master'], status['haConnectionInfo']], [true, []]);
  const engine = async (type: string) =>
    (await ask(request(RequestCode.SWITCH_TIMER_ENGINE, { E_T: type })))?.code;
  assert.is(await engine('F'), ResponseCode.SUCCESS);
  assert.is(await engine('R'), ResponseCode.INVALID_PARAMETER);
  assert.is(await engine('x'), ResponseCode.INVALID_PARAMETER);
});

test.run();
