/** The keys of broker.conf that RingMQ obeys: RocketMQ's names, units and defaults, and a few of its own. */

import { ENGINE_LAYOUTS } from '../threads/engine-layout.ts';
import { addresses, advertisedHost, delays, host, hours, name, path } from './domains.ts';
import { choice, flag, integer, type Key, text } from './key.ts';
import { listener, retentionKey, setting, storeKey } from './key-makers.ts';
import { logKeyList } from './log-keys.ts';
import { metricsKeyList } from './metrics-keys.ts';
import { missingNames } from './missing.ts';
import { replicationKeyList } from './replication-keys.ts';
import { tlsKeyList } from './tls-keys.ts';
import { OWN_PREFIX } from './unsupported.ts';

const MAX_INT = 0x7fffffff;
const MAX = Number.MAX_SAFE_INTEGER;

const port = integer(0, 65535);
const milliseconds = integer(1, MAX_INT);

export interface KeyGroup {
  title: string;
  keys: readonly Key[];
}

export const keyGroups: readonly KeyGroup[] = [
  {
    title: 'Identity and network',
    keys: [
      setting('brokerClusterName', name, 'Cluster that the broker belongs to.', { changeable: false }),
      setting('brokerName', name, 'Name under which name servers list the broker.', {
        defaultText: "the machine's host name",
        changeable: false,
        guards: 'under which name clients find the queues',
      }),
      setting(
        'brokerId',
        integer(0, MAX),
        '0 = master; 1 or more = slave of the master of this `brokerName` (docs/replication.md).',
        {
          changeable: false,
          guards: 'whether this broker is a slave',
        },
      ),
      setting('brokerIP1', advertisedHost, 'Address or host name that clients are told.', {
        defaultText: 'the bind address; for 0.0.0.0 an address of this machine',
        changeable: false,
        guards: 'which address clients are told, and whether other machines can reach it',
      }),
      listener('bindAddress', host, 'Address, or name of one, to listen on.', {
        defaultText:
          '127.0.0.1; brokerIP1 when that is another address of the loopback; 0.0.0.0 (:: for IPv6) when it is ' +
          'one that other machines can reach',
        guards: 'who can reach the port',
      }),
      setting('listenPort', port, 'Port to listen on; 0 = any free one.', {
        changeable: false,
        guards: 'where clients are let in',
      }),
      listener('vipChannel', flag, 'Listen on listenPort - 2 too, as old clients expect (not with port 0).', {
        name: `${OWN_PREFIX}vipChannel`,
      }),
      listener('namesrvAddr', addresses, 'Name servers to register with.', {
        defaultText: 'environment variable NAMESRV_ADDR',
        guards: 'to which cluster this broker belongs',
      }),
      listener(
        'allowMissing',
        missingNames,
        'Keys, separated by commas, that may ask for what RingMQ does not have (see below).',
        { name: `${OWN_PREFIX}allowMissing` },
      ),
      listener(
        'serverChannelMaxIdleTimeSeconds',
        integer(1, 86_400),
        'Seconds after which a silent connection is closed.',
      ),
      listener('networkThreads', integer(1, 30), 'Threads that serve sockets.', {
        name: `${OWN_PREFIX}networkThreads`,
        defaultText: 'a quarter of the processors, 1 to 4',
      }),
      listener(
        'engineLayout',
        choice(...ENGINE_LAYOUTS),
        'Threads of writer, dispatcher and flusher: one each; one for the first two; the writer inside ' +
          'the network thread (shortest way for a lone send); all inside it (fewest threads). The last two need ' +
          'one network thread.',
        { name: `${OWN_PREFIX}engineLayout`, defaultText: '`paired` up to 4 processors, else `dedicated`' },
      ),
      listener(
        'busyPollMicros',
        integer(0, 1000),
        'Microseconds that network threads and writer stay awake for the next message before they sleep, as long ' +
          'as messages do follow that fast: a lone send waits for no thread to wake up. 0 = they sleep at once, as they do ' +
          'under SYNC_FLUSH.',
        { name: `${OWN_PREFIX}busyPollMicros` },
      ),
      listener(
        'drainTimeMillis',
        integer(0, 600_000),
        'How long a stop lets clients go on, once the name servers do not name the broker any more: theirs ask every ' +
          '30 s. It ends earlier when no client is connected. For clusters in which other brokers have the same topics.',
        { name: `${OWN_PREFIX}drainTimeMillis` },
      ),
      setting('regionId', text('a text'), 'Written to messages as MSG_REGION.', { changeable: false }),
    ],
  },
  { title: 'Slaves', keys: replicationKeyList },
  { title: 'TLS', keys: tlsKeyList },
  { title: 'Metrics', keys: metricsKeyList },
  { title: 'Log', keys: logKeyList },
  {
    title: 'Topics and groups',
    keys: [
      setting('brokerPermission', integer(0, 7), 'Bits: 4 read, 2 write.', {
        guards: 'whether the broker may be read and written',
      }),
      setting('autoCreateTopicEnable', flag, 'A send to an unknown topic creates it.', {
        guards: 'whether any send may create a topic',
      }),
      setting('defaultTopicQueueNums', integer(1, 65_536), 'Queues of a topic that a send creates, at most.'),
      setting('clusterTopicEnable', flag, "The cluster's name is a topic.", { changeable: false }),
      setting('brokerTopicEnable', flag, "The broker's name is a topic.", { changeable: false }),
      setting('traceTopicEnable', flag, 'Create the trace topic at start.', { changeable: false }),
      setting('msgTraceTopicName', name, 'Name of the trace topic.', { changeable: false }),
      setting('traceOn', flag, 'Clients that trace messages may trace those of this broker.'),
      setting('reviveQueueNum', integer(1, 1024), 'Queues of the revive topic.', { changeable: false }),
      setting(
        'popPollingSize',
        integer(1, 100_000),
        'Pops of one group and queue that may wait for messages: beyond, they are answered POLLING_FULL.',
      ),
      setting('maxPopPollingSize', integer(1, 1_000_000), 'The same of all groups and queues.'),
      setting(
        'maxLiteSubscriptionCount',
        integer(1, 1_000_000),
        'Subscriptions to lite topics, each of one client to one: beyond, they are answered 2018.',
      ),
      setting(
        'popFromRetryProbability',
        integer(0, 100),
        'Of 100 pops, those that look into the retry topic before the topic.',
      ),
      setting('popFromRetryProbabilityForPriority', integer(0, 100), 'The same of topics with priorities.'),
      setting('priorityOrderAsc', flag, 'Queue 0 of a topic with priorities is the lowest.'),
      setting(
        'timerWheelEnable',
        flag,
        'Take messages with a time of the sender, and create their topic at start.',
        {
          changeable: false,
        },
      ),
      setting('enableMixedMessageType', flag, 'Topics may have the message type MIXED.'),
      setting('validateSystemTopicWhenUpdateTopic', flag, 'Refuse changes of system topics.', {
        guards: 'whether system topics may be changed',
      }),
      setting('clearRetryTopicWhenDeleteTopic', flag, 'Deleting a topic deletes its pop retry topics too.'),
      setting('autoCreateSubscriptionGroup', flag, 'An unknown consumer group is created.', {
        guards: 'whether any consumer may create a group',
      }),
      setting('enableCreateSysGroup', flag, 'Groups with a system name may be created.'),
      setting('enableSplitMetadata', flag, 'Lists of topics and groups travel in parts.'),
      setting('splitMetadataSize', integer(1, MAX_INT), 'Entries of such a part.'),
    ],
  },
  {
    title: 'Clients and consumption',
    keys: [
      setting('rejectPullConsumerEnable', flag, 'Refuse consumers that pull by themselves.'),
      setting('notifyConsumerIdsChangedEnable', flag, 'Tell the members when one joins or leaves.'),
      setting('channelExpiredTimeout', milliseconds, 'ms without heartbeat after which a client is dropped.'),
      setting(
        'subscriptionExpiredTimeout',
        milliseconds,
        'ms for which subscriptions of absent consumers are remembered.',
      ),
      setting('enablePropertyFilter', flag, 'Allow filters by SQL92 expressions.'),
      setting(
        'accessMessageInMemoryMaxRatio',
        integer(0, 100),
        "Percent of the machine's memory. Who reads further behind the end of the log gets 8 messages and 64 KiB at " +
          'once at most, and is sent to a slave (`slaveReadEnable`).',
      ),
      setting(
        'coldDataFlowControlEnable',
        flag,
        'Consumer groups for which much is read from the disk have to wait.',
      ),
      setting(
        'cgColdReadThreshold',
        integer(0, MAX),
        'Bytes in 5 s from which on a group has to wait; request 2001 sets another number for a group.',
      ),
      setting(
        'globalColdReadThreshold',
        integer(0, MAX),
        'Bytes in 5 s from which on all groups have to wait.',
      ),
      setting(
        'dataReadAheadEnable',
        flag,
        'Old messages are read from the disk with up to 2 MiB of what follows them; also set by request 2004.',
      ),
      setting(
        'defaultMessageRequestMode',
        choice('PULL', 'POP'),
        'How a group gets the messages of a topic when request 401 has not said; retry topics: always PULL.',
      ),
      setting(
        'defaultPopShareQueueNum',
        integer(-1, MAX_INT),
        'Clients of a group whose queues a client pops besides its own then; -1 and 0: all queues.',
      ),
      setting(
        'serverLoadBalancerEnable',
        flag,
        'Clients that ask which queues are theirs (request 400) get their share; false: all.',
      ),
      setting(
        'loadBalancePollNameServerInterval',
        milliseconds,
        'ms for which the queues of a topic on all brokers, which request 400 shares out, are known.',
      ),
      setting('storeReplyMessageEnable', flag, 'Keep replies to requests also in the reply topic.'),
      setting('useServerSideResetOffset', flag, 'The broker itself resets offsets of groups.'),
      setting('flushConsumerOffsetInterval', milliseconds, 'ms between saves of consumer offsets.'),
      setting('consumerOffsetUpdateVersionStep', integer(1, MAX), 'Commits per step of the version.'),
      setting('defaultQueryMaxNum', integer(1, 10_000), 'Messages that a query by key answers at most.'),
      setting(
        'startAcceptSendRequestTimeStamp',
        integer(0, MAX),
        'Sends are refused before; ms since 1970.',
        {
          guards: 'from when on sends are taken',
        },
      ),
      setting('configBlackList', text('names, separated by ;'), 'Keys that request 25 may not change.', {
        changeable: false,
        guards: 'which keys may be changed from outside',
      }),
    ],
  },
  {
    title: 'Transactions',
    keys: [
      setting('rejectTransactionMessage', flag, 'Refuse transactional messages.'),
      setting(
        'transactionTimeOut',
        milliseconds,
        'ms after which producers are asked about a message that they have not ended.',
      ),
      setting('transactionCheckInterval', milliseconds, 'ms between two rounds of such questions.'),
      setting(
        'transactionCheckMax',
        integer(0, MAX_INT),
        'Questions about a message before it is given up to TRANS_CHECK_MAX_TIME_TOPIC.',
      ),
      setting(
        'transactionOpBatchInterval',
        milliseconds,
        'ms for which ends that nobody waits for are gathered before they are written; RocketMQ: 3000.',
      ),
      setting('transactionOpMsgMaxSize', integer(32, 1_000_000), 'Bytes of ends that are written together.'),
    ],
  },
  {
    title: 'Timed messages',
    keys: [
      setting(
        'timerMaxDelaySec',
        integer(1, MAX_INT),
        'Longest delay that a sender may ask for, in seconds.',
      ),
      setting('timerPrecisionMs', integer(100, 60_000), 'ms of a slot of the timing wheel.', {
        changeable: false,
      }),
      setting(
        'timerRollWindowSlot',
        integer(2, MAX_INT),
        'Slots after which a timed message that still waits is put into the log once more; as RocketMQ, at most ' +
          '604,740.',
        { changeable: false },
      ),
      setting(
        'mappedFileSizeTimerLog',
        integer(4096, MAX_INT),
        'Bytes of a file of the timer log. With another size, log and wheel are made anew.',
        { changeable: false },
      ),
      setting('recallMessageEnable', flag, 'Producers may take timed messages back.'),
    ],
  },
  {
    title: 'Delayed delivery',
    keys: [
      setting('messageDelayLevel', delays, 'Delay of each level, level 1 first.', { changeable: false }),
      setting('flushDelayOffsetInterval', milliseconds, 'ms between saves of the progress.'),
      setting('delayOffsetUpdateVersionStep', integer(1, MAX), 'Deliveries per step of the version.'),
      setting(
        'scheduleAsyncDeliverMaxPendingLimit',
        integer(1, MAX_INT),
        'Deliveries of one level that may be under way.',
      ),
    ],
  },
  {
    title: 'Store',
    keys: [
      storeKey('directory', path, 'Root directory of the store.', {
        name: 'storePathRootDir',
        defaultText: '`store` in the home directory',
        guards: 'where messages are kept',
      }),
      storeKey('commitLogDirectory', path, 'Directory of the CommitLog.', {
        name: 'storePathCommitLog',
        defaultText: '`commitlog` in storePathRootDir',
        guards: 'where messages are kept',
      }),
      storeKey(
        'mappedFileSizeCommitLog',
        integer(4096, 0x7ffff000),
        'Bytes of a CommitLog file, a multiple of 4096. A store keeps the size that it was made with.',
      ),
      storeKey(
        'mappedFileSizeConsumeQueue',
        integer(20, MAX_INT),
        'Bytes of a ConsumeQueue file, rounded up to a multiple of 20. A store keeps its size.',
      ),
      storeKey('messageIndexEnable', flag, 'Keep an index of message keys.'),
      storeKey('maxHashSlotNum', integer(1, 100_000_000), 'Hash slots of an index file.'),
      storeKey('maxIndexNum', integer(2, 100_000_000), 'Entries of an index file.'),
      storeKey('maxMessageSize', integer(1, 512 * 1024 * 1024), 'Bytes of the largest message body.'),
      storeKey(
        'flushDiskType',
        choice('ASYNC_FLUSH', 'SYNC_FLUSH'),
        'SYNC_FLUSH: a send is answered when its message is on the disk.',
        { guards: 'whether an acknowledged message survives a power cut' },
      ),
      storeKey('flushIntervalCommitLog', milliseconds, 'ms between flushes under ASYNC_FLUSH.', {
        guards: 'how much a power cut may take',
      }),
      storeKey(
        'cachedLogBytes',
        integer(0, MAX),
        'Bytes of log behind the tail that stay in memory while nobody reads further back; 0 = all of it.',
        { name: `${OWN_PREFIX}cachedLogBytes` },
      ),
      storeKey(
        'preallocateNextFile',
        flag,
        'Allocate room for the CommitLog ahead of need, and make its next file when this one is half full.',
        { name: `${OWN_PREFIX}preallocateNextFile` },
      ),
      storeKey(
        'preallocateBytes',
        integer(4096, MAX_INT),
        'Bytes of a new CommitLog file that take room on the disk at once; as it fills, as many again as it has.',
        { name: `${OWN_PREFIX}preallocateBytes` },
      ),
      retentionKey('fileReservedTime', integer(1, 1_000_000), 'Hours that a full CommitLog file is kept.'),
      retentionKey('deleteWhen', hours, 'Hours of the day in which expired files are deleted.'),
      retentionKey(
        'diskMaxUsedSpaceRatio',
        integer(10, 95),
        'Percent of the disk in use above which expired files are deleted at any hour.',
      ),
      retentionKey(
        'diskSpaceCleanForciblyRatio',
        integer(30, 85),
        'Percent above which the oldest files are deleted whatever their age.',
      ),
      retentionKey(
        'diskSpaceWarningLevelRatio',
        integer(35, 90),
        'Percent above which sends are refused, and the oldest files deleted whatever their age.',
      ),
      retentionKey(
        'cleanFileForciblyEnable',
        flag,
        'Files that are not expired may be deleted when the disk is full.',
      ),
    ],
  },
];

export const brokerKeys: ReadonlyMap<string, Key> = new Map(
  keyGroups.flatMap((group) => group.keys).map((key) => [key.name, key]),
);
