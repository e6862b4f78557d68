/**
 * What holds instead of a key that RingMQ does not obey, where somebody who sets it would ask. The group's sentence
 * (`unsupported-keys.ts`) does for all others.
 */
const SEND_THREADS =
  'one thread appends all messages; ringmq.networkThreads is the number that can be chosen';
const PULL_THREADS = 'the network threads answer pulls; ringmq.networkThreads is their number';
const NO_POOL =
  'messages are written to the mapped files at once, so no pool of memory stands between a send and the page cache';
const FLUSH = 'everything appended is synced each flushIntervalCommitLog ms, or at once under SYNC_FLUSH';
const QUEUE_SYNC = 'checkpoints sync the queues, and recovery builds from the log what they lack';
const UNLINK = 'an expired file is unlinked at once, and a reader keeps what it has mapped';
const ROUNDS = 'every 10 s ten files may go';
const NO_OLD_SENDS =
  'sends do not grow old in a queue: without room a socket is not read, and no send is refused';
const PULL_SIZE = 'the consumer says how much it takes, and docs/limits.md how much a pull brings at most';
const PERCENT = 'it is a Java system property';

const LITE = 'lite topics need no switch; RingMQ has no other light queues (LMQ), as those of MQTT';

export const instead: Readonly<Record<string, string>> = {
  sendMessageThreadPoolNums: SEND_THREADS,
  putMessageFutureThreadPoolNums: SEND_THREADS,
  useReentrantLockWhenPutMessage: 'one thread appends all messages, without a lock',
  pullMessageThreadPoolNums: PULL_THREADS,
  litePullMessageThreadPoolNums: PULL_THREADS,
  waitTimeMillsInSendQueue: NO_OLD_SENDS,
  brokerFastFailureEnable: NO_OLD_SENDS,
  osPageCacheBusyTimeOutMills: NO_OLD_SENDS,
  putMsgIndexHightWater: NO_OLD_SENDS,
  useEpollNativeSelector: 'Node.js always uses epoll on Linux',
  serverWorkerThreads: 'ringmq.networkThreads threads serve the sockets',
  serverSelectorThreads: 'ringmq.networkThreads threads serve the sockets',
  brokerIP2: 'slaves are told brokerIP1, as clients are',
  transientStorePoolEnable: NO_POOL,
  transientStorePoolSize: NO_POOL,
  fastFailIfNoBufferInStorePool: NO_POOL,
  warmMapedFileEnable:
    'ringmq.preallocateNextFile allocates room for the CommitLog, and makes its next file, ahead of need',
  flushLeastPagesWhenWarmMapedFile:
    'ringmq.preallocateNextFile allocates room for the CommitLog, and makes its next file, ahead of need',
  flushCommitLogTimed: FLUSH,
  flushCommitLogLeastPages: FLUSH,
  flushCommitLogThoroughInterval: FLUSH,
  commitIntervalCommitLog: FLUSH,
  commitCommitLogLeastPages: FLUSH,
  commitCommitLogThoroughInterval: FLUSH,
  syncFlushTimeout: 'a send waits 5 s for its sync, then it is answered FLUSH_DISK_TIMEOUT',
  flushIntervalConsumeQueue: QUEUE_SYNC,
  flushConsumeQueueLeastPages: QUEUE_SYNC,
  flushConsumeQueueThoroughInterval: QUEUE_SYNC,
  destroyMapedFileIntervalForcibly: UNLINK,
  redeleteHangedFileInterval: UNLINK,
  deleteCommitLogFilesInterval: ROUNDS,
  deleteConsumeQueueFilesInterval: ROUNDS,
  cleanResourceInterval: ROUNDS,
  deleteFileBatchMax: ROUNDS,
  logicalDiskSpaceCleanForciblyThreshold: 'queues go with the CommitLog files that they point to',
  maxTransferBytesOnMessageInMemory: PULL_SIZE,
  maxTransferCountOnMessageInMemory: PULL_SIZE,
  maxTransferBytesOnMessageInDisk: PULL_SIZE,
  maxTransferCountOnMessageInDisk: PULL_SIZE,
  checkCRCOnRecover: 'recovery always checks',
  checkTransactionMessageEnable: 'no RocketMQ has read it for years; open transactions are always checked',
  enableLmq: LITE,
  enableMultiDispatch: LITE,
  longPollingEnable: 'a pull that finds nothing always waits',
  shortPollingTimeMills: 'a pull that finds nothing always waits',
  fetchNamesrvAddrByAddressServer: 'only namesrvAddr (or -n, or NAMESRV_ADDR) says where name servers are',
  fetchNameSrvAddrByDnsLookup: 'names in namesrvAddr are looked up at each connection',
  rmqAddressServerDomain: 'only namesrvAddr (or -n, or NAMESRV_ADDR) says where name servers are',
  rmqAddressServerSubGroup: 'only namesrvAddr (or -n, or NAMESRV_ADDR) says where name servers are',
  clusterName: 'brokerClusterName is the key for the name of the cluster',
  rocketmqHome: 'RingMQ needs no RocketMQ beside it',
  brokerConfigPath: 'the file given with -c is the configuration',
  configStorePath: 'the file given with -c is the configuration',
  filterServerNums: 'filter servers are gone since RocketMQ 5.1',
  haSlaveFallbehindMax: 'haMaxGapNotInSync says how far behind a slave may be',
  'rocketmq.broker.diskSpaceWarningLevelRatio': `${PERCENT}: set diskSpaceWarningLevelRatio, in percent`,
  'rocketmq.broker.diskSpaceCleanForciblyRatio': `${PERCENT}: set diskSpaceCleanForciblyRatio, in percent`,
};
