/** Requests for static topics: which mappings are taken, and who is shown them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { bodyJson, request, type Setup, setUp } from './support.ts';

const test = suite('static topics');

const FIELDS = {
  topic: 'st',
  defaultTopic: 'TBW102',
  readQueueNums: 2,
  writeQueueNums: 2,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
};
const item = (queueId: number, more: object = {}) => ({
  ...{ gen: 0, queueId, bname: 'broker-a', logicOffset: 0, startOffset: 0, endOffset: -1 },
  ...{ timeOfStart: -1, timeOfEnd: -1 },
  ...more,
});

function detail(more: object = {}, queues = [0, 1]): object {
  const hostedQueues = Object.fromEntries(queues.map((queueId) => [queueId, [item(queueId)]]));
  const all = { topic: 'st', totalQueues: 2, bname: 'broker-a', epoch: 7, scope: '__global__', dirty: false };
  return { ...all, hostedQueues, ...more };
}

function set(setup: Setup, mapping: object, fields: object = {}) {
  return setup.ask(request(RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC, { ...FIELDS, ...fields }, mapping));
}

test('a topic by the numbers of its queues is made, shown and kept', async () => {
  const setup = setUp();
  const { context, directory } = setup;
  assert.is((await set(setup, detail()))?.code, ResponseCode.SUCCESS);
  assert.is(context.topics.get('st')?.writeQueueNums, 2);
  const shown = bodyJson(await setup.ask(request(RequestCode.GET_TOPIC_CONFIG, { topic: 'st' })));
  const mapping = JSON.parse(JSON.stringify(shown['mappingDetail']));
  assert.equal([mapping.epoch, mapping.totalQueues, mapping.scope], [7, 2, '__global__']);
  assert.equal(Object.fromEntries(context.topics.mappings.infos()), {
    st: {
      ...{ bname: 'broker-a', dirty: false, epoch: 7, scope: '__global__', topic: 'st', totalQueues: 2 },
      currIdMap: new Map([
        [0, 0],
        [1, 1],
      ]),
    },
  });
  const text = readFileSync(join(directory, 'topicQueueMapping.json'), 'utf8');
  assert.match(text, /"hostedQueues":\s*\{\s*0:/, 'numbers are names without quotes, as RocketMQ reads them');
  const again = new TopicTable(directory, setup.settings, setup.time);
  again.load();
  assert.equal(again.mappings.get('st'), context.topics.mappings.get('st'));
  const plain = bodyJson(
    await setup.ask(request(RequestCode.GET_TOPIC_CONFIG, { topic: 'SELF_TEST_TOPIC' })),
  );
  assert.not.ok('mappingDetail' in plain);
});

test('the whole list and its pages have the mappings of what they show', async () => {
  const setup = setUp();
  await set(setup, detail());
  const mappingsIn = async (fields: object) => {
    const all = bodyJson(await setup.ask(request(RequestCode.GET_ALL_TOPIC_CONFIG, { ...fields })));
    return Object.keys(all['topicQueueMappingDetailMap'] as object);
  };
  assert.equal(await mappingsIn({}), ['st']);
  const dataVersion = JSON.stringify(setup.context.topics.version);
  const pages = await Promise.all(
    [...Array(40).keys()].map((i) => mappingsIn({ topicSeq: i, maxTopicNum: 1, dataVersion })),
  );
  assert.equal(pages.flat(), ['st']);
});

test('what would need queues to be moved is refused, and so is what is no successor', async () => {
  const setup = setUp();
  const refused = async (mapping: object, why: RegExp, fields: object = {}) => {
    const answer = await set(setup, mapping, fields);
    assert.is(answer?.code, ResponseCode.SYSTEM_ERROR);
    assert.match(answer?.remark ?? '', why);
  };
  for (const moved of [
    [item(1)],
    [item(0, { bname: 'broker-b' })],
    [item(0, { logicOffset: 5 })],
    [item(0), item(0, { gen: 1, logicOffset: 5 })],
    [],
  ]) {
    await refused(detail({ hostedQueues: { 0: moved } }), /RingMQ moves no queues/);
  }
  await refused(detail({ topic: 'other' }), /that of another topic/);
  assert.not.ok(setup.context.topics.has('st'));
  await set(setup, detail());
  await refused(detail({ epoch: 6 }), /small epoch 6 < 7/);
  await refused(detail({ scope: 'mine' }), /unmatched scope/);
  await refused(detail({}, [0]), /cannot be taken away/);
  assert.is((await set(setup, detail({ epoch: 6 }), { force: true }))?.code, 0);
  assert.is(
    (await set(setup, detail({ totalQueues: 3 }, [0, 1, 2]), { readQueueNums: 3, writeQueueNums: 3 }))?.code,
    0,
  );
  assert.equal(setup.context.topics.mappings.get('st')?.queues, [0, 1, 2]);
  assert.is((await set(setup, detail(), { topic: 'TBW102' }))?.code, ResponseCode.INVALID_PARAMETER);
});

test('a deleted topic takes its mapping along', async () => {
  const setup = setUp();
  await set(setup, detail());
  assert.is((await setup.ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'st' })))?.code, 0);
  assert.is(setup.context.topics.mappings.get('st'), undefined);
  assert.not.match(readFileSync(join(setup.directory, 'topicQueueMapping.json'), 'utf8'), /"st"/);
});

test.run();
