/**
 * Every field of every request that control serves, filled with what nobody should send: an answer comes each time, of
 * a sensible size, and no table holds a name or a number that there cannot be.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isGroupName, isTopicName } from '../../../src/lib/names.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode, requestName } from '../../../src/protocol/codes.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { writeRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { bodyText, join, message, request, type Setup, setUp } from './support.ts';

const test = suite('odd requests');

/** A sound value for every field that some handler reads. */
const SOUND: Readonly<Record<string, string>> = {
  topic: 't',
  consumerGroup: 'g',
  producerGroup: 'p',
  group: 'g',
  groupName: 'other',
  srcGroup: 'g',
  destGroup: 'other',
  compareGroup: 'g',
  filterGroups: 'a,b',
  clientId: 'id',
  clientAddr: 'id',
  queueId: '0',
  commitOffset: '1',
  offset: '0',
  timestamp: '1',
  index: '0',
  count: '3',
  maxNum: '3',
  key: 'k',
  indexType: 'K',
  beginTimestamp: '0',
  endTimestamp: '9223372036854775807',
  delayLevel: '3',
  maxReconsumeTimes: '16',
  originTopic: 't',
  unitMode: 'false',
  msgId: '0A01010100002A9F0000000000000000',
  statsName: 'TOPIC_PUT_NUMS',
  statsKey: 't',
  readQueueNums: '4',
  writeQueueNums: '4',
  perm: '6',
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: '0',
  order: 'false',
  attributes: '',
  defaultTopic: 'TBW102',
  readable: 'true',
  topicSeq: '0',
  maxTopicNum: '5',
  groupSeq: '0',
  maxGroupNum: '5',
  dataVersion: '{"counter":1,"stateVersion":0,"timestamp":1}',
  setZeroIfNotFound: 'true',
  isForce: 'false',
  topicList: 't',
  defaultTopicQueueNums: '4',
  sysFlag: '0',
  flag: '0',
  bornTimestamp: '1',
  reconsumeTimes: '0',
  properties: 'DELAY\x011\x02',
};

const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\x01\x02',
  '\n',
  '../x',
  '\u{1f600}',
  '%00',
  'x'.repeat(300),
  'x'.repeat(70_000),
];
const ODD_NUMBERS = [
  '-1',
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '9'.repeat(400),
  '1e9',
  '0x10',
  'NaN',
  '1.5',
];

function prepared(): Setup {
  const setup = setUp();
  setup.context.topics.createIfAbsent(newTopicConfig('t', 4));
  join(setup);
  setup.store.append(message(), 1);
  return setup;
}

/** Names and numbers in all tables are such as there can be. */
function checkTables({ context }: Setup): void {
  for (const { topicName, readQueueNums, writeQueueNums } of context.topics.all()) {
    assert.ok(isTopicName(topicName), topicName);
    assert.ok(Math.max(readQueueNums, writeQueueNums) <= 4_096, topicName);
  }
  for (const { groupName } of context.groups.all()) assert.ok(isGroupName(groupName), groupName);
  for (const [group] of context.clients.producers.groups()) assert.ok(isGroupName(group), group);
  for (const { name, subscriptions } of context.clients.consumers.all()) {
    assert.ok(isGroupName(name), name);
    for (const topic of subscriptions.keys()) assert.ok(isTopicName(topic), topic);
  }
  for (const [key, queues] of context.offsets.toJson().offsetTable) {
    const [topic = '', group = ''] = key.split('@');
    assert.ok(isTopicName(topic) && isGroupName(group), key);
    for (const [queueId, offset] of queues.value as Map<number, number>) {
      assert.ok(
        queueId >= 0 && queueId < 4 && Number.isSafeInteger(offset) && offset >= 0,
        `${queueId}: ${offset}`,
      );
    }
  }
  for (const [group, topics] of context.groups.toJson().forbiddenTable) {
    assert.ok(isGroupName(group), group);
    for (const topic of topics.keys()) assert.ok(isTopicName(topic), topic);
  }
}

async function checkAnswer(setup: Setup, code: number, fields: Record<string, string>, what: string) {
  setup.context.topics.createIfAbsent(newTopicConfig('t', 4));
  setup.connection.answer = async () => ({ ...request(code), code: 0 });
  const reply = await setup.ask(request(code, fields));
  assert.ok(reply !== undefined, `${requestName(code)} with ${what} was not answered`);
  const frame = encodeCommand(reply);
  assert.ok((reply.remark ?? '').length < 2_000, `${requestName(code)} with ${what}: long remark`);
  assert.ok(frame.length < 400_000, `${requestName(code)} with ${what}: ${frame.length} bytes`);
}

test('any field of any request, odd', async () => {
  for (const code of prepared().codes) {
    const setup = prepared();
    for (const name of Object.keys(SOUND)) {
      const missing = { ...SOUND };
      delete missing[name];
      await checkAnswer(setup, code, missing, `no ${name}`);
      for (const odd of [...ODD_TEXTS, ...ODD_NUMBERS]) {
        await checkAnswer(
          setup,
          code,
          { ...SOUND, [name]: odd },
          `${name}=${JSON.stringify(odd.slice(0, 20))}`,
        );
      }
    }
    checkTables(setup);
  }
});

test('a text that is too long is refused by the name of its field and limit', async () => {
  const { ask } = prepared();
  const refused = async (fields: Record<string, string>) => {
    const reply = await ask(request(RequestCode.GET_TOPIC_CONFIG, { topic: 't', ...fields }));
    assert.is(reply?.code, ResponseCode.INVALID_PARAMETER);
    return reply?.remark ?? '';
  };
  assert.is(
    await refused({ topic: 'x'.repeat(256) }),
    'characters in the field topic: more than 255 (limit MAX_NAME)',
  );
  assert.match(
    await refused({ clientId: 'x'.repeat(1025) }),
    /field clientId: more than 1024 \(limit MAX_CLIENT_ID\)/,
  );
  assert.match(
    await refused({ any: 'x'.repeat(32_769) }),
    /field any: more than 32768 \(limit MAX_FIELD_TEXT\)/,
  );
  assert.match(await refused({ ['y'.repeat(9_000)]: 'x'.repeat(32_769) }), /^.{1,200}$/);
});

/** Bodies of requests with JSON, whose members are made odd one by one. */
const BODIES: readonly [code: number, body: Record<string, unknown>][] = [
  [
    RequestCode.HEART_BEAT,
    {
      clientID: 'c',
      heartbeatFingerprint: 0,
      producerDataSet: [{ groupName: 'p' }],
      consumerDataSet: [
        {
          groupName: 'g',
          consumeType: 'CONSUME_PASSIVELY',
          messageModel: 'CLUSTERING',
          subscriptionDataSet: [{ topic: 't', subString: '*', subVersion: 1, expressionType: 'TAG' }],
        },
      ],
    },
  ],
  [
    RequestCode.LOCK_BATCH_MQ,
    { clientId: 'c', consumerGroup: 'g', mqSet: [{ brokerName: 'b', topic: 't', queueId: 0 }] },
  ],
  [
    RequestCode.UNLOCK_BATCH_MQ,
    { clientId: 'c', consumerGroup: 'g', mqSet: [{ brokerName: 'b', topic: 't', queueId: 0 }] },
  ],
  [
    RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
    { topicConfigList: [{ topicName: 'u', readQueueNums: 3, writeQueueNums: 3, perm: 6, attributes: {} }] },
  ],
  [
    RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
    { groupName: 'h', retryQueueNums: 1, retryMaxTimes: 3, attributes: {} },
  ],
  [
    RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
    { groupConfigList: [{ groupName: 'h', retryQueueNums: 1 }] },
  ],
  [
    RequestCode.CHECK_CLIENT_CONFIG,
    { subscriptionData: { topic: 't', subString: '*', expressionType: 'TAG' } },
  ],
];

const ODD_VALUES: readonly unknown[] = [
  ...ODD_TEXTS,
  ...ODD_NUMBERS,
  null,
  true,
  -1,
  1e300,
  2_000_000_000,
  {},
  [],
  [[]],
  [null, 1, 'x', {}],
  { $ref: '$' },
];

/** The value with one of its members, at any depth, replaced by `odd`. */
function* variants(value: unknown, odd: unknown): Generator<unknown> {
  yield odd;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) for (const v of variants(item, odd)) yield value.with(i, v);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      for (const v of variants(member, odd)) yield { ...value, [name]: v };
    }
  }
}

test('any member of any JSON body, odd', async () => {
  const setup = prepared();
  for (const [code, body] of BODIES) {
    for (const odd of ODD_VALUES) {
      for (const variant of variants(body, odd)) {
        const reply = await setup.ask(request(code, {}, writeRocketJson(variant)));
        assert.ok(reply !== undefined && (reply.remark ?? '').length < 2_000, requestName(code));
      }
    }
  }
  checkTables(setup);
  assert.ok(bodyText(await setup.ask(request(RequestCode.GET_ALL_TOPIC_CONFIG))).length < 100_000);
});

test.run();
