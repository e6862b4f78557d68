/** The JSON files of config/, RocketMQ's shapes. Held against src/metadata by a test. */
import type { FormatSpec, MemberSpec } from './shape.ts';

const WRITTEN =
  'As a whole: <name>.tmp, a sync, the old file becomes <name>.bak, a rename, a sync of the directory. At any moment <name> or <name>.bak is whole.';

const COMMON = [
  'A plain JSON parser does not read it: RocketMQ writes numbers as names without quotes ({0:12}).',
  'Members come in any order, and readers leave out those that they do not know.',
  '<name>.bak is the version before; <name>.corrupt is one that could not be read, kept by RingMQ.',
];

const VERSION: readonly MemberSpec[] = [
  {
    path: 'dataVersion.counter',
    type: 'number',
    meaning: 'changes of the table',
    beware: 'That it counts each: offsets count once per some hundred changes.',
  },
  { path: 'dataVersion.stateVersion', type: 'number', meaning: 'of a master that was elected; 0 here' },
  { path: 'dataVersion.timestamp', type: 'number', meaning: 'of the last change, ms since 1970' },
];

interface Config {
  readonly name: string;
  readonly about: string;
  readonly when: string;
  readonly code: string;
  readonly members: readonly MemberSpec[];
  readonly version?: boolean;
  readonly by?: string;
  readonly beware?: readonly string[];
}

function config({
  name,
  about,
  when,
  code,
  members,
  version = true,
  by = 'RocketMQ',
  beware = [],
}: Config): FormatSpec {
  return {
    title: name,
    paths: [`config/${name}`],
    matches: new RegExp(`^config/${name.replaceAll('.', '\\.')}(?:\\.(?:bak|tmp|corrupt(?:\\.\\d+)?))?$`),
    by,
    about,
    written: `${when} ${WRITTEN}`,
    code,
    members: [...(version ? VERSION : []), ...members],
    beware: [...beware, ...COMMON],
  };
}

const TOPIC = 'topicConfigTable.*';
const GROUP = 'subscriptionGroupTable.*';

export const CONFIG_FILES: readonly FormatSpec[] = [
  config({
    name: 'topics.json',
    about: 'The topics of this broker. The one file beside the log that cannot be made anew.',
    when: 'With each change.',
    code: 'src/metadata/topic-config.ts',
    members: [
      { path: `${TOPIC}.topicName`, type: 'text', meaning: 'the name; that of its folders too' },
      { path: `${TOPIC}.readQueueNums`, type: 'number', meaning: 'queues that consumers read' },
      { path: `${TOPIC}.writeQueueNums`, type: 'number', meaning: 'queues that producers write to' },
      { path: `${TOPIC}.perm`, type: 'number', meaning: '4 read, 2 write, 1 inherit' },
      { path: `${TOPIC}.topicFilterType`, type: 'text', meaning: 'SINGLE_TAG; nobody looks at it' },
      { path: `${TOPIC}.topicSysFlag`, type: 'number', meaning: '1 unit, 2 unit of a subscription' },
      { path: `${TOPIC}.order`, type: 'true or false', meaning: 'name servers keep an order of its queues' },
      {
        path: `${TOPIC}.attributes.*`,
        type: 'text',
        meaning: 'message.type, queue.type, cleanup.policy, reserve.time, lite.topic.expiration',
      },
    ],
    beware: ['A topic of the file need not have queues: they come with its first message.'],
  }),
  config({
    name: 'subscriptionGroup.json',
    about: 'The consumer groups of this broker, and what each may read.',
    when: 'With each change.',
    code: 'src/metadata/group-config.ts',
    members: [
      { path: `${GROUP}.groupName`, type: 'text', meaning: 'the name' },
      { path: `${GROUP}.consumeEnable`, type: 'true or false', meaning: 'false: the group gets nothing' },
      {
        path: `${GROUP}.consumeFromMinEnable`,
        type: 'true or false',
        meaning: 'a group without offset may begin at the first message',
      },
      {
        path: `${GROUP}.consumeBroadcastEnable`,
        type: 'true or false',
        meaning: 'each member may get all messages',
      },
      {
        path: `${GROUP}.consumeMessageOrderly`,
        type: 'true or false',
        meaning: 'pops of the group are in order',
      },
      { path: `${GROUP}.retryQueueNums`, type: 'number', meaning: 'queues of its retry topic' },
      {
        path: `${GROUP}.retryMaxTimes`,
        type: 'number',
        meaning: 'redeliveries before the dead-letter queue',
      },
      { path: `${GROUP}.brokerId`, type: 'number', meaning: 'broker to read from, 0 = the master' },
      {
        path: `${GROUP}.whichBrokerWhenConsumeSlowly`,
        type: 'number',
        meaning: 'and when the group is far behind',
      },
      {
        path: `${GROUP}.notifyConsumerIdsChangedEnable`,
        type: 'true or false',
        meaning: 'members are told of each other at once',
      },
      { path: `${GROUP}.groupSysFlag`, type: 'number', meaning: 'bits, 0 here' },
      {
        path: `${GROUP}.consumeTimeoutMinute`,
        type: 'number',
        meaning: 'minutes that a consumer may take for a message',
      },
      {
        path: `${GROUP}.groupRetryPolicy.type`,
        type: 'text',
        meaning: 'CUSTOMIZED (delay levels, or a list) or EXPONENTIAL',
      },
      {
        path: `${GROUP}.groupRetryPolicy.*.*`,
        type: 'number or list',
        meaning: 'next: ms of each redelivery; initial, max, multiplier',
      },
      {
        path: `${GROUP}.attributes.*`,
        type: 'text',
        meaning: 'priority.factor, lite.bind.topic and others of lite topics',
      },
      {
        path: `${GROUP}.subscriptionDataSet.[].*`,
        type: 'any',
        meaning: 'declared subscriptions; kept as they came',
      },
      {
        path: 'forbiddenTable.*.*',
        type: 'number',
        meaning: 'what a group may not do with a topic: bits, 4 = reading',
      },
    ],
  }),
  config({
    name: 'consumerOffset.json',
    about: 'How far each group has consumed each queue.',
    when: 'Every 5 s (flushConsumerOffsetInterval) and at a stop.',
    code: 'src/metadata/offsets.ts',
    members: [
      {
        path: 'offsetTable.*.*',
        type: 'number',
        meaning: 'by topic@group and queue: the offset of the next message, not of the last one',
      },
      {
        path: 'groupTopicMap.*.[]',
        type: 'text',
        meaning: 'topics of which the group has offsets; follows from offsetTable',
      },
      {
        path: 'pullOffsetTable.*.*',
        type: 'number',
        meaning: "RocketMQ 5.5's, of its last pulls; not read again",
      },
    ],
    beware: [
      'After a crash it is some seconds old, and the messages of these come again.',
      'The queue need not have the offset any more, nor reach it.',
    ],
  }),
  config({
    name: 'lmqConsumerOffset.json',
    about:
      'The same, where a broker with enableLmq keeps all offsets. RingMQ writes both when the store has one; the newer file counts.',
    when: 'With consumerOffset.json.',
    code: 'src/metadata/offset-files.ts',
    members: [
      {
        path: 'offsetTable.*.*',
        type: 'number',
        meaning: 'by topic@group and queue: the offset of the next message',
      },
      {
        path: 'lmqOffsetTable.*',
        type: 'number',
        meaning: 'by %LMQ%topic@%LMQ%group: the same of light queues',
      },
      { path: 'groupTopicMap.*.[]', type: 'text', meaning: 'topics of which the group has offsets' },
    ],
  }),
  config({
    name: 'delayOffset.json',
    about: 'How far each delay level has been delivered.',
    when: 'Every 10 s (flushDelayOffsetInterval) and at a stop.',
    code: 'src/metadata/delay-offsets.ts',
    members: [
      {
        path: 'offsetTable.*',
        type: 'number',
        meaning: 'by level, counted from 1: next offset in queue level - 1 of SCHEDULE_TOPIC_XXXX',
        beware: 'That level and queue have the same number.',
      },
    ],
  }),
  config({
    name: 'consumerOrderInfo.json',
    about: 'What groups that pop in order have out of each queue: nothing more is popped from it meanwhile.',
    when: 'Every 10 s and at a stop.',
    code: 'src/delivery/pop/order-info.ts',
    version: false,
    members: [
      { path: 'orderInfoCount', type: 'number', meaning: 'entries of the table' },
      { path: 'orderedConsumptionLevel', type: 'text', meaning: 'QUEUE' },
      { path: 'table.*.*.a', type: 'text', meaning: 'attempt id: a pop said twice is one pop' },
      { path: 'table.*.*.cm', type: 'number', meaning: 'bits: message i of o is done' },
      { path: 'table.*.*.i', type: 'number', meaning: 'ms for which they are invisible' },
      { path: 'table.*.*.l', type: 'number', meaning: 'when they were last consumed, ms since 1970' },
      {
        path: 'table.*.*.o.[]',
        type: 'numbers',
        meaning: 'queue offsets: the first, then how far each is behind it',
      },
      { path: 'table.*.*.oc.*', type: 'number', meaning: 'by offset: how often it had been popped before' },
      {
        path: 'table.*.*.ot.*',
        type: 'number',
        meaning: 'by offset: when it is visible again, ms since 1970',
      },
      { path: 'table.*.*.popTime', type: 'number', meaning: 'when they were popped, ms since 1970' },
    ],
    beware: ['It is some seconds old while a broker runs: RingMQ has the pops of these in the log too.'],
  }),
  config({
    name: 'consumerFilter.json',
    about:
      'SQL filters of groups, kept for a day after the last consumer has gone. For operators, and for a broker that takes the store over.',
    when: 'Every 10 s and at a stop.',
    code: 'src/metadata/consumer-filters.ts',
    version: false,
    members: [
      { path: 'filterDataByTopic.*.topic', type: 'text', meaning: 'the topic' },
      { path: 'filterDataByTopic.*.groupFilterData.*.consumerGroup', type: 'text', meaning: 'the group' },
      { path: 'filterDataByTopic.*.groupFilterData.*.topic', type: 'text', meaning: 'the topic' },
      { path: 'filterDataByTopic.*.groupFilterData.*.expression', type: 'text', meaning: 'the filter' },
      { path: 'filterDataByTopic.*.groupFilterData.*.expressionType', type: 'text', meaning: 'SQL92' },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.bornTime',
        type: 'number',
        meaning: 'since when, ms since 1970',
      },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.deadTime',
        type: 'number',
        meaning: 'since when nobody uses it; 0 = in use',
      },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.dead',
        type: 'true or false',
        meaning: 'deadTime is not 0',
      },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.clientVersion',
        type: 'number',
        meaning: 'of the subscription',
      },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.bloomFilterData.bitNum',
        type: 'number',
        meaning: 'bits of the Bloom filter in consumequeue_ext',
      },
      {
        path: 'filterDataByTopic.*.groupFilterData.*.bloomFilterData.bitPos.[]',
        type: 'numbers',
        meaning: 'those that stand for this filter',
      },
    ],
    beware: ['It does not decide what a pull gets: the subscriptions of consumers that are online do.'],
  }),
  config({
    name: 'messageRequestMode.json',
    about: 'Whether a group pulls or pops a topic, where an operator has set it.',
    when: 'With each change.',
    code: 'src/metadata/request-modes.ts',
    version: false,
    members: [
      { path: 'messageRequestModeMap.*.*.consumerGroup', type: 'text', meaning: 'the group' },
      { path: 'messageRequestModeMap.*.*.topic', type: 'text', meaning: 'the topic' },
      { path: 'messageRequestModeMap.*.*.mode', type: 'text', meaning: 'PULL or POP' },
      {
        path: 'messageRequestModeMap.*.*.popShareQueueNum',
        type: 'number',
        meaning: 'clients whose queues a client gets besides its own; 0: all',
      },
    ],
  }),
  config({
    name: 'topicQueueMapping.json',
    about: 'Static topics: which queue of which broker holds which part of each of their queues.',
    when: 'With each change.',
    code: 'src/metadata/static-topics.ts',
    members: [
      { path: 'topicQueueMappingInfoMap.*.topic', type: 'text', meaning: 'the topic' },
      { path: 'topicQueueMappingInfoMap.*.bname', type: 'text', meaning: 'this broker' },
      {
        path: 'topicQueueMappingInfoMap.*.totalQueues',
        type: 'number',
        meaning: 'queues of the topic on all brokers',
      },
      {
        path: 'topicQueueMappingInfoMap.*.epoch',
        type: 'number',
        meaning: 'of the mapping: the higher one counts',
      },
      { path: 'topicQueueMappingInfoMap.*.scope', type: 'text', meaning: '__global__' },
      {
        path: 'topicQueueMappingInfoMap.*.dirty',
        type: 'true or false',
        meaning: 'RocketMQ is about to change it',
      },
      {
        path: 'topicQueueMappingInfoMap.*.currIdMap.*',
        type: 'number',
        meaning: 'the queue here that is written now',
      },
      {
        path: 'topicQueueMappingInfoMap.*.hostedQueues.*.[].*',
        type: 'any',
        meaning:
          'parts of the queue: broker (bname), queue there (queueId), its first and last offsets and times, gen',
      },
    ],
  }),
  config({
    name: 'timermetrics',
    about: "RocketMQ's figures of timed messages by topic. RingMQ neither reads nor writes it.",
    when: 'By RocketMQ, every few seconds.',
    code: 'src/cli/log/explain/formats/config-files.ts',
    members: [{ path: 'timingCount.*.*', type: 'number', meaning: 'count, and when it was last changed' }],
  }),
  config({
    name: 'transactionMetrics',
    about: "RocketMQ's figures of half messages by topic. RingMQ neither reads nor writes it.",
    when: 'By RocketMQ, every 10 s.',
    code: 'src/cli/log/explain/formats/config-files.ts',
    members: [
      { path: 'transactionCount.*.*', type: 'number', meaning: 'count, and when it was last changed' },
    ],
  }),
];
