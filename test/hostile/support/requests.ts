/**
 * Every request that broker and name server serve, with all fields that their handlers read and values that are in
 * order. test/hostile/tables.test.ts holds it against docs/protocol-coverage.md and against the sources.
 */
import { deflateSync } from 'node:zlib';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export interface RequestShape {
  readonly code: number;
  readonly fields: Readonly<Record<string, string>>;
  /** An object is written as JSON and varied leaf by leaf, a text is one value, bytes stay as they are. */
  readonly body?: Json | Buffer;
}

/** Good clients use other names: what happens to these is nobody's business. */
export const TOPIC = 'hostile-topic';
export const GROUP = 'hostile-group';
export const CLIENT = 'hostile-client';

const QUEUE = { topic: TOPIC, queueId: '0' };
const SUBSCRIPTION = {
  topic: TOPIC,
  subString: 'a || b',
  expressionType: 'TAG',
  subVersion: 1,
  classFilterMode: false,
  tagsSet: ['a', 'b'],
  codeSet: [97, 98],
};
const TOPIC_CONFIG = {
  topicName: TOPIC,
  readQueueNums: 4,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
  attributes: { '+message.type': 'NORMAL' },
};
const GROUP_CONFIG = {
  groupName: GROUP,
  consumeEnable: true,
  consumeFromMinEnable: true,
  consumeBroadcastEnable: true,
  consumeMessageOrderly: false,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
  notifyConsumerIdsChangedEnable: true,
  groupSysFlag: 0,
  consumeTimeoutMinute: 15,
  groupRetryPolicy: {
    type: 'CUSTOMIZED',
    customizedRetryPolicy: { next: [1_000, 2_000] },
    exponentialRetryPolicy: { initial: 1, max: 2, multiplier: 3 },
  },
  subscriptionDataSet: [{ topic: TOPIC }],
  attributes: { '+a': 'b' },
};
const HEARTBEAT = {
  clientID: CLIENT,
  heartbeatFingerprint: 0,
  withoutSub: false,
  producerDataSet: [{ groupName: GROUP }],
  consumerDataSet: [
    {
      groupName: GROUP,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      unitMode: false,
      subscriptionDataSet: [SUBSCRIPTION],
    },
  ],
};
const LOCKS = {
  consumerGroup: GROUP,
  clientId: CLIENT,
  mqSet: [{ topic: TOPIC, brokerName: 'b', queueId: 0 }],
};
/** Of a popped message: where its checkpoint begins, times, queues, and the message. */
const RECEIPT = '0 1700000000000 60000 0 0 b 0 0';
const BATCH_ACK = {
  c: GROUP,
  t: TOPIC,
  r: '0',
  so: 0,
  q: 0,
  rq: 0,
  pt: 1_700_000_000_000,
  it: 60_000,
  b: 'AQ==',
};
const ASSIGNMENT = {
  topic: TOPIC,
  consumerGroup: GROUP,
  clientId: CLIENT,
  strategyName: 'AVG',
  messageModel: 'CLUSTERING',
};
const SEND: Record<string, string> = {
  producerGroup: GROUP,
  topic: TOPIC,
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: '4',
  queueId: '0',
  sysFlag: '0',
  bornTimestamp: '1700000000000',
  flag: '0',
  properties: 'KEYS\u0001k\u0002TAGS\u0001a\u0002UNIQ_KEY\u0001u\u0002',
  reconsumeTimes: '0',
  unitMode: 'false',
  maxReconsumeTimes: '16',
  batch: 'false',
};
const LETTERS = Object.fromEntries(
  Object.values(SEND).map((value, i) => [String.fromCharCode(97 + i), value]),
);
const PULL = {
  consumerGroup: GROUP,
  ...QUEUE,
  queueOffset: '0',
  maxMsgNums: '32',
  sysFlag: '5',
  commitOffset: '0',
  suspendTimeoutMillis: '0',
  subVersion: '1',
  subscription: '*',
  expressionType: 'TAG',
  maxMsgBytes: '1000000',
  requestSource: '0',
  proxyFrowardClientId: 'x',
};

const HALF_PROPERTIES = `TRAN_MSG\u0001true\u0002PGROUP\u0001${GROUP}\u0002UNIQ_KEY\u0001u\u0002`;
const TIMED_PROPERTIES = 'TIMER_DELAY_SEC\u00013\u0002UNIQ_KEY\u0001u\u0002';
const REPLY_PROPERTIES = `MSG_TYPE\u0001reply\u0002CORRELATION_ID\u0001c\u0002REPLY_TO_CLIENT\u0001${CLIENT}\u0002`;
const RECALL_HANDLE = Buffer.from(`v1 ${TOPIC} broker-a 4102444800001 u`).toString('base64url');
const END = {
  producerGroup: GROUP,
  tranStateTableOffset: '0',
  commitLogOffset: '0',
  commitOrRollback: '8',
  fromTransactionCheck: 'false',
  msgId: 'u',
  transactionId: 'u',
};

const LITE_PROPERTIES =
  '__LITE_TOPIC\u0001x\u0002INNER_MULTI_DISPATCH\u0001%LMQ%$t$y\u0002UNIQ_KEY\u0001u\u0002';
const LITE_SUBSCRIPTION = {
  ...{ clientId: CLIENT, group: GROUP, topic: TOPIC, action: 'PARTIAL_ADD', liteTopicSet: ['x'], version: 1 },
  offsetOption: { type: 'POLICY', value: 1 },
};

/** A batch of one message, as its body is written. */
export function batchOf(message: Buffer): Buffer {
  const properties = Buffer.from('UNIQ_KEY\u0001u\u0002');
  const bytes = Buffer.alloc(22 + message.length + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(message.length, 16);
  message.copy(bytes, 20);
  bytes.writeInt16BE(properties.length, 20 + message.length);
  properties.copy(bytes, 22 + message.length);
  return bytes;
}

export const brokerRequests: readonly RequestShape[] = [
  { code: 10, fields: SEND, body: Buffer.from('hello') },
  { code: 11, fields: PULL },
  { code: 11, fields: { ...PULL, liteTopic: 'x' } },
  { code: 310, fields: LETTERS, body: Buffer.from('hello') },
  { code: 320, fields: { ...LETTERS, m: 'true' }, body: batchOf(Buffer.from('hello')) },
  { code: 361, fields: PULL },
  { code: 310, fields: { ...LETTERS, f: '4', i: HALF_PROPERTIES }, body: Buffer.from('half') },
  {
    code: 10,
    fields: { ...SEND, properties: 'DELAY\u00013\u0002UNIQ_KEY\u0001u\u0002' },
    body: Buffer.from('late'),
  },
  { code: 310, fields: { ...LETTERS, i: TIMED_PROPERTIES }, body: Buffer.from('timed') },
  { code: 324, fields: { ...SEND, properties: REPLY_PROPERTIES }, body: Buffer.from('reply') },
  { code: 325, fields: { ...LETTERS, i: REPLY_PROPERTIES }, body: Buffer.from('reply') },
  { code: 37, fields: END },
  { code: 323, fields: { topic: TOPIC, msgId: '7F00000100002A9F0000000000000000' } },
  {
    code: 370,
    fields: { producerGroup: GROUP, topic: TOPIC, recallHandle: RECALL_HANDLE },
  },
  { code: 34, fields: {}, body: HEARTBEAT },
  { code: 35, fields: { clientID: CLIENT, producerGroup: GROUP, consumerGroup: GROUP } },
  { code: 46, fields: {}, body: { clientId: CLIENT, group: GROUP, subscriptionData: SUBSCRIPTION } },
  { code: 38, fields: { consumerGroup: GROUP } },
  { code: 14, fields: { consumerGroup: GROUP, ...QUEUE, setZeroIfNotFound: 'true' } },
  { code: 15, fields: { consumerGroup: GROUP, ...QUEUE, commitOffset: '0' } },
  { code: 41, fields: {}, body: LOCKS },
  { code: 42, fields: {}, body: LOCKS },
  { code: 400, fields: {}, body: ASSIGNMENT },
  { code: 401, fields: {}, body: { topic: TOPIC, consumerGroup: GROUP, mode: 'POP', popShareQueueNum: 1 } },
  { code: 402, fields: {} },
  {
    code: 200050,
    fields: {
      ...{ consumerGroup: GROUP, topic: TOPIC, queueId: '-1', maxMsgNums: '32', invisibleTime: '60000' },
      ...{
        pollTime: '0',
        bornTime: '0',
        initMode: '0',
        expType: 'TAG',
        exp: '*',
        order: 'false',
        attemptId: 'a',
      },
    },
  },
  { code: 200051, fields: { consumerGroup: GROUP, ...QUEUE, extraInfo: RECEIPT, offset: '0' } },
  {
    code: 200051,
    fields: { consumerGroup: GROUP, ...QUEUE, extraInfo: RECEIPT, offset: '0', liteTopic: 'x' },
  },
  { code: 200151, fields: {}, body: { brokerName: 'b', acks: [BATCH_ACK] } },
  {
    code: 200053,
    fields: {
      ...{ consumerGroup: GROUP, ...QUEUE, extraInfo: RECEIPT, offset: '0' },
      ...{ invisibleTime: '60000', suspend: 'false' },
    },
  },
  {
    code: 200054,
    fields: {
      ...{ consumerGroup: GROUP, topic: TOPIC, queueId: '-1', pollTime: '0', bornTime: '0', order: 'false' },
      ...{ attemptId: 'a', expType: 'TAG', exp: '*' },
    },
  },
  { code: 200052, fields: { consumerGroup: GROUP, ...QUEUE, maxMsgNums: '32' } },
  { code: 200055, fields: { consumerGroup: GROUP, ...QUEUE } },
  {
    code: 200070,
    fields: {
      ...{ clientId: CLIENT, consumerGroup: GROUP, topic: TOPIC, maxMsgNum: '32', invisibleTime: '60000' },
      ...{ pollTime: '0', bornTime: '0', attemptId: 'a' },
    },
  },
  { code: 200071, fields: {}, body: { subscriptionSet: [LITE_SUBSCRIPTION] } },
  { code: 310, fields: { ...LETTERS, i: LITE_PROPERTIES }, body: Buffer.from('lite') },
  {
    code: 36,
    fields: {
      offset: '0',
      group: GROUP,
      delayLevel: '1',
      originMsgId: 'id',
      originTopic: TOPIC,
      unitMode: 'false',
      maxReconsumeTimes: '16',
    },
  },
  { code: 29, fields: { ...QUEUE, timestamp: '1700000000000', boundaryType: 'LOWER', liteTopic: 'x' } },
  { code: 30, fields: QUEUE },
  { code: 31, fields: QUEUE },
  { code: 32, fields: QUEUE },
  {
    code: 12,
    fields: {
      topic: TOPIC,
      key: 'k',
      maxNum: '32',
      beginTimestamp: '0',
      endTimestamp: '9007199254740991',
      indexType: 'K',
      lastKey: '',
      _UNIQUE_KEY_QUERY: 'false',
    },
  },
  { code: 33, fields: { offset: '0', topic: TOPIC } },
  { code: 321, fields: { ...QUEUE, index: '0', count: '10', consumerGroup: GROUP } },
  {
    code: 17,
    fields: {
      topic: TOPIC,
      defaultTopic: 'TBW102',
      readQueueNums: '4',
      writeQueueNums: '4',
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      attributes: '+message.type=NORMAL',
    },
  },
  { code: 18, fields: {}, body: { topicConfigList: [TOPIC_CONFIG] } },
  {
    code: 513,
    fields: {
      topic: TOPIC,
      defaultTopic: 'TBW102',
      readQueueNums: '1',
      writeQueueNums: '1',
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      force: 'true',
    },
    body: {
      topic: TOPIC,
      bname: 'broker-a',
      epoch: 1,
      totalQueues: 1,
      scope: '__global__',
      dirty: false,
      hostedQueues: {
        '0': [{ gen: 0, queueId: 0, bname: 'broker-a', logicOffset: 0, startOffset: 0, endOffset: -1 }],
      },
    },
  },
  { code: 215, fields: { topic: TOPIC } },
  { code: 30001, fields: { topic: TOPIC, dryRun: 'false' } },
  { code: 30002, fields: {} },
  { code: 30003, fields: { first: '0', count: '10' } },
  { code: 30004, fields: { life: 'x', revision: '1', first: '0', count: '10' } },
  { code: 21, fields: { dataVersion: '{}', topicSeq: '0', maxTopicNum: '10' } },
  { code: 351, fields: { topic: TOPIC } },
  { code: 305, fields: {} },
  { code: 202, fields: { topic: TOPIC } },
  { code: 200, fields: {}, body: GROUP_CONFIG },
  { code: 225, fields: {}, body: { groupConfigList: [GROUP_CONFIG] } },
  { code: 207, fields: { groupName: GROUP, cleanOffset: 'true' } },
  { code: 201, fields: { dataVersion: '{}', groupSeq: '0', maxGroupNum: '10' } },
  { code: 352, fields: { group: GROUP } },
  { code: 353, fields: { group: GROUP, topic: TOPIC, readable: 'true' } },
  { code: 208, fields: { consumerGroup: GROUP, topic: TOPIC, topicList: TOPIC } },
  { code: 317, fields: { isOrder: 'false' } },
  { code: 303, fields: { topic: TOPIC, group: GROUP } },
  {
    code: 222,
    fields: { topic: TOPIC, group: GROUP, timestamp: '0', isForce: 'true', queueId: '0', offset: '0' },
  },
  { code: 223, fields: { topic: TOPIC, group: GROUP, clientAddr: 'x' } },
  { code: 314, fields: { srcGroup: GROUP, destGroup: 'hostile-clone', topic: TOPIC, offline: 'true' } },
  { code: 308, fields: { filterGroups: GROUP, compareGroup: GROUP, topic: TOPIC } },
  { code: 43, fields: {} },
  { code: 45, fields: {} },
  { code: 60, fields: {} },
  { code: 61, fields: {} },
  { code: 203, fields: { consumerGroup: GROUP } },
  { code: 204, fields: { producerGroup: GROUP } },
  { code: 328, fields: {} },
  { code: 300, fields: { topic: TOPIC } },
  { code: 343, fields: { group: GROUP } },
  { code: 345, fields: { group: GROUP, topic: TOPIC } },
  { code: 307, fields: { consumerGroup: GROUP, clientId: 'nobody', jstackEnable: 'false' } },
  {
    code: 309,
    fields: {
      consumerGroup: GROUP,
      clientId: 'nobody',
      msgId: 'x'.repeat(32),
      brokerName: 'b',
      topic: TOPIC,
    },
  },
  { code: 200074, fields: {} },
  { code: 200075, fields: { topic: TOPIC } },
  { code: 200076, fields: { parentTopic: TOPIC, liteTopic: 'lite' } },
  { code: 200077, fields: { parentTopic: TOPIC, group: GROUP, clientId: 'nobody', maxCount: '10' } },
  { code: 200078, fields: { group: GROUP, liteTopic: 'lite', topK: '3' } },
  { code: 200079, fields: { group: GROUP, clientId: 'nobody' } },
  { code: 25, fields: {}, body: 'hostileKey=1' },
  { code: 26, fields: {} },
  { code: 2001, fields: {}, body: `${GROUP}=1000000` },
  { code: 2002, fields: {}, body: GROUP },
  { code: 2003, fields: {} },
  { code: 2004, fields: { READ_AHEAD_MODE: '0' } },
  { code: 28, fields: {} },
  { code: 315, fields: { statsName: 'TOPIC_PUT_NUMS', statsKey: TOPIC } },
  { code: 306, fields: {} },
  { code: 316, fields: {} },
  { code: 329, fields: {} },
  { code: 907, fields: {} },
  { code: 908, fields: { masterFlushOffset: '0' } },
  { code: 5001, fields: { E_T: 'F' } },
  { code: 200056, fields: {} },
];

const BROKER = {
  clusterName: 'hostile-cluster',
  brokerName: 'hostile-broker',
  brokerAddr: '10.9.8.7:10911',
  brokerId: '0',
};
const VERSION = { counter: 1, timestamp: 1, stateVersion: 0 };
const REGISTRATION = {
  filterServerList: ['x'],
  topicConfigSerializeWrapper: {
    dataVersion: VERSION,
    topicConfigTable: { [TOPIC]: TOPIC_CONFIG, 'hostile-2': { ...TOPIC_CONFIG, topicName: 'hostile-2' } },
    topicQueueMappingInfoMap: {},
    topicQueueMappingDetailMap: {},
  },
};
const REGISTER = {
  ...BROKER,
  haServerAddr: '10.9.8.7:10912',
  compressed: 'false',
  bodyCrc32: '0',
  heartbeatTimeoutMillis: '1000',
  enableActingMaster: 'false',
  __ZONE_NAME: 'z',
};
/** 100 MiB of zeros in 100 KiB. */
export const ZIP_BOMB = deflateSync(Buffer.alloc(100 << 20));

export const nameServerRequests: readonly RequestShape[] = [
  { code: 103, fields: REGISTER, body: REGISTRATION },
  { code: 103, fields: { ...REGISTER, compressed: 'true' }, body: deflateSync(Buffer.from('garbage')) },
  { code: 104, fields: BROKER },
  { code: 322, fields: BROKER, body: VERSION },
  { code: 904, fields: { ...BROKER, heartbeatTimeoutMills: '1' } },
  { code: 901, fields: BROKER },
  {
    code: 105,
    fields: { topic: TOPIC, acceptStandardJsonOnly: 'true', __ZONE_NAME: 'z', __ZONE_MODE: 'true' },
  },
  { code: 106, fields: {} },
  { code: 205, fields: { brokerName: 'hostile-broker' } },
  { code: 327, fields: { brokerName: 'hostile-broker' } },
  { code: 206, fields: {} },
  { code: 224, fields: { cluster: 'hostile-cluster' } },
  { code: 304, fields: {} },
  { code: 311, fields: {} },
  { code: 312, fields: {} },
  { code: 313, fields: {} },
  { code: 216, fields: { topic: TOPIC, clusterName: 'hostile-cluster' } },
  {
    code: 217,
    fields: { topic: TOPIC },
    body: {
      queueDatas: [
        { brokerName: 'hostile-broker', readQueueNums: 4, writeQueueNums: 4, perm: 6, topicSysFlag: 0 },
      ],
    },
  },
  { code: 100, fields: { namespace: 'hostile', key: 'k', value: 'v' } },
  { code: 101, fields: { namespace: 'hostile', key: 'k' } },
  { code: 102, fields: { namespace: 'hostile', key: 'k' } },
  { code: 219, fields: { namespace: 'hostile' } },
  { code: 318, fields: {}, body: 'hostileKey=1' },
  { code: 319, fields: {} },
];
