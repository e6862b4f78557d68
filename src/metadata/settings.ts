/**
 * What the control path needs to know of the broker's configuration: RocketMQ's own names and defaults.
 * Read at use, not copied, so a setting changed while running (request 25) takes effect.
 */
export interface BrokerSettings {
  brokerName: string;
  brokerClusterName: string;
  /** 0 = master. */
  brokerId: number;
  /** Whether a slave is read. */
  slaveReadEnable: boolean;
  /** Address advertised to clients, without port. */
  brokerIP1: string;
  listenPort: number;
  /** Bits: 4 read, 2 write. */
  brokerPermission: number;
  regionId: string;

  autoCreateTopicEnable: boolean;
  defaultTopicQueueNums: number;
  clusterTopicEnable: boolean;
  brokerTopicEnable: boolean;
  traceTopicEnable: boolean;
  msgTraceTopicName: string;
  /** Clients that trace may trace what goes through this broker. */
  traceOn: boolean;
  /** Replies are kept in the topic that they are sent to. */
  storeReplyMessageEnable: boolean;
  reviveQueueNum: number;
  /** Pops and notifications that may wait for messages: of one group and queue, and of all. */
  popPollingSize: number;
  maxPopPollingSize: number;
  /** Subscriptions to lite topics, each of one client to one. */
  maxLiteSubscriptionCount: number;
  /** Of 100 pops, those that look into the retry topic first; of topics with priorities. */
  popFromRetryProbability: number;
  popFromRetryProbabilityForPriority: number;
  /** Queue 0 of a topic with priorities is the lowest. */
  priorityOrderAsc: boolean;
  timerWheelEnable: boolean;
  /** Longest delay of a timed message, in seconds. */
  timerMaxDelaySec: number;
  /** Producers may take timed messages back. */
  recallMessageEnable: boolean;
  /** Ms of a slot of the timing wheel; fixed by the wheel's file. */
  timerPrecisionMs: number;
  /** Slots that a timed message waits at most before it is put into the log once more. */
  timerRollWindowSlot: number;
  /** Bytes of a file of the timer log; fixed by the first one. */
  mappedFileSizeTimerLog: number;
  enableMixedMessageType: boolean;
  validateSystemTopicWhenUpdateTopic: boolean;
  clearRetryTopicWhenDeleteTopic: boolean;

  autoCreateSubscriptionGroup: boolean;
  enableCreateSysGroup: boolean;

  rejectPullConsumerEnable: boolean;
  notifyConsumerIdsChangedEnable: boolean;
  /** A client whose last heartbeat is older than this is dropped, in ms. */
  channelExpiredTimeout: number;
  /** How long subscriptions of consumers without heartbeats are remembered, in ms. */
  subscriptionExpiredTimeout: number;
  enablePropertyFilter: boolean;
  /** Percent of the machine's memory: who reads further behind the log's end gets less at once, or a slave's name. */
  accessMessageInMemoryMaxRatio: number;
  /** Groups that have much fetched from the disk have to wait. */
  coldDataFlowControlEnable: boolean;
  /** Bytes in five seconds from which on one of them has to, and all together. */
  cgColdReadThreshold: number;
  globalColdReadThreshold: number;
  /** Old messages are read from the disk with what follows them. */
  dataReadAheadEnable: boolean;

  /** How groups get messages whose mode nobody has set, and with how many others a client then shares its queues. */
  defaultMessageRequestMode: 'PULL' | 'POP';
  defaultPopShareQueueNum: number;
  /** Clients that ask which queues are theirs get their share; false: all. */
  serverLoadBalancerEnable: boolean;
  /** Ms for which the queues of a topic on all brokers are taken for known. */
  loadBalancePollNameServerInterval: number;

  useServerSideResetOffset: boolean;
  /** The offset file's version grows once per so many commits. */
  consumerOffsetUpdateVersionStep: number;
  /** The same for delayOffset.json. */
  delayOffsetUpdateVersionStep: number;
  /** How often offsets are written to disk, in ms. */
  flushConsumerOffsetInterval: number;
  flushDelayOffsetInterval: number;

  rejectTransactionMessage: boolean;
  /** Age in ms from which on a half message is checked, unless it says otherwise. */
  transactionTimeOut: number;
  /** Checks of a half message before it is given up. */
  transactionCheckMax: number;
  /** Ms between two rounds of checks. */
  transactionCheckInterval: number;
  /** Ms for which ends of transactions are gathered, and bytes up to which, before they are written. */
  transactionOpBatchInterval: number;
  transactionOpMsgMaxSize: number;

  /** Delay of each level, first level first: number and unit (s, m, h, d) separated by blanks. */
  messageDelayLevel: string;
  /** Deliveries of one level that may be under way at a time. */
  scheduleAsyncDeliverMaxPendingLimit: number;

  enableSplitMetadata: boolean;
  splitMetadataSize: number;
  defaultQueryMaxNum: number;
  /** Names, separated by `;`, that request 25 may not change. */
  configBlackList: string;
  /** Sends are refused before this time, in ms since the epoch. */
  startAcceptSendRequestTimeStamp: number;
}

/** RocketMQ 5.5.0's defaults; the four that name this broker must be given. */
export function defaultBrokerSettings(
  identity: Pick<BrokerSettings, 'brokerName' | 'brokerClusterName' | 'brokerIP1' | 'listenPort'>,
): BrokerSettings {
  return {
    ...identity,
    brokerId: 0,
    brokerPermission: 6,
    slaveReadEnable: true,
    regionId: 'DefaultRegion',
    autoCreateTopicEnable: true,
    defaultTopicQueueNums: 8,
    clusterTopicEnable: true,
    brokerTopicEnable: true,
    traceTopicEnable: false,
    msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
    traceOn: true,
    storeReplyMessageEnable: true,
    reviveQueueNum: 8,
    popPollingSize: 1024,
    maxPopPollingSize: 100_000,
    maxLiteSubscriptionCount: 100_000,
    popFromRetryProbability: 20,
    popFromRetryProbabilityForPriority: 0,
    priorityOrderAsc: true,
    timerWheelEnable: true,
    timerMaxDelaySec: 3 * 24 * 3_600,
    recallMessageEnable: false,
    timerPrecisionMs: 1_000,
    timerRollWindowSlot: 2 * 24 * 3_600,
    mappedFileSizeTimerLog: 100 * 1024 * 1024,
    enableMixedMessageType: false,
    validateSystemTopicWhenUpdateTopic: true,
    clearRetryTopicWhenDeleteTopic: true,
    autoCreateSubscriptionGroup: true,
    enableCreateSysGroup: true,
    rejectPullConsumerEnable: false,
    notifyConsumerIdsChangedEnable: true,
    channelExpiredTimeout: 120_000,
    subscriptionExpiredTimeout: 600_000,
    enablePropertyFilter: false,
    accessMessageInMemoryMaxRatio: 40,
    coldDataFlowControlEnable: false,
    cgColdReadThreshold: 3 * 1024 * 1024,
    globalColdReadThreshold: 100 * 1024 * 1024,
    dataReadAheadEnable: true,
    defaultMessageRequestMode: 'PULL',
    defaultPopShareQueueNum: -1,
    serverLoadBalancerEnable: true,
    loadBalancePollNameServerInterval: 30_000,
    useServerSideResetOffset: true,
    consumerOffsetUpdateVersionStep: 500,
    delayOffsetUpdateVersionStep: 200,
    flushConsumerOffsetInterval: 5_000,
    flushDelayOffsetInterval: 10_000,
    rejectTransactionMessage: false,
    transactionTimeOut: 6_000,
    transactionCheckMax: 15,
    transactionCheckInterval: 30_000,
    transactionOpBatchInterval: 100,
    transactionOpMsgMaxSize: 4_096,
    messageDelayLevel: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h',
    scheduleAsyncDeliverMaxPendingLimit: 2_000,
    enableSplitMetadata: true,
    splitMetadataSize: 2_000,
    defaultQueryMaxNum: 32,
    configBlackList: 'configBlackList;brokerConfigPath',
    startAcceptSendRequestTimeStamp: 0,
  };
}
