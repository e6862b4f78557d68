/**
 * The keys of RocketMQ 5.5.0 that RingMQ does not obey, with RocketMQ's defaults: a file that only repeats a default
 * needs no warning. A key without `=` has a default that depends on the machine. `instead.ts` has more to say about
 * those that somebody may miss.
 */

export interface UnsupportedGroup {
  title: string;
  /** Half a sentence for the warning. */
  why: string;
  /** `name=default`, separated by white space. */
  keys: string;
}

export const unsupportedGroups: readonly UnsupportedGroup[] = [
  {
    title: 'Threads and request queues',
    why: 'RingMQ has a fixed set of threads without request queues',
    keys: `
      sendMessageThreadPoolNums putMessageFutureThreadPoolNums pullMessageThreadPoolNums
      litePullMessageThreadPoolNums ackMessageThreadPoolNums=16 processReplyMessageThreadPoolNums
      queryMessageThreadPoolNums adminBrokerThreadPoolNums=16 clientManageThreadPoolNums=32
      consumerManageThreadPoolNums=32 loadBalanceProcessorThreadPoolNums=32 heartbeatThreadPoolNums
      recoverThreadPoolNums=32 endTransactionThreadPoolNums sendThreadPoolQueueCapacity=10000
      putThreadPoolQueueCapacity=10000 pullThreadPoolQueueCapacity=100000
      litePullThreadPoolQueueCapacity=100000 ackThreadPoolQueueCapacity=100000
      replyThreadPoolQueueCapacity=10000 queryThreadPoolQueueCapacity=20000
      clientManagerThreadPoolQueueCapacity=1000000 consumerManagerThreadPoolQueueCapacity=1000000
      heartbeatThreadPoolQueueCapacity=50000 endTransactionPoolQueueCapacity=100000
      adminBrokerThreadPoolQueueCapacity=10000 loadBalanceThreadPoolQueueCapacity=100000
      brokerFastFailureEnable=true waitTimeMillsInSendQueue=200 waitTimeMillsInPullQueue=5000
      waitTimeMillsInLitePullQueue=5000 waitTimeMillsInHeartbeatQueue=31000
      waitTimeMillsInTransactionQueue=3000 waitTimeMillsInAckQueue=3000 waitTimeMillsInAdminBrokerQueue=5000
      asyncSendEnable=true compactionThreadNum=6 timerGetMessageThreadNum=3 timerPutMessageThreadNum=3
      dispatchCqThreads=10 dispatchCqCacheNum=4096 maxAsyncPutMessageRequests=5000
      batchDispatchRequestThreadPoolNums=16
    `,
  },
  {
    title: 'Sockets',
    why: 'RingMQ does not use Netty',
    keys: `
      serverWorkerThreads=8 serverCallbackExecutorThreads=0 serverSelectorThreads=3
      serverOnewaySemaphoreValue=256 serverAsyncSemaphoreValue=64 serverSocketSndBufSize=0
      serverSocketRcvBufSize=0 writeBufferHighWaterMark=0 writeBufferLowWaterMark=0 serverSocketBacklog=1024
      serverNettyWorkerGroupEnable=true serverPooledByteBufAllocatorEnable=true enableShutdownGracefully=false
      shutdownWaitTimeSeconds=30 useEpollNativeSelector=false clientWorkerThreads=4
      clientCallbackExecutorThreads=2 clientOnewaySemaphoreValue=65535 clientAsyncSemaphoreValue=65535
      connectTimeoutMillis=3000 channelNotActiveInterval=60000 scanAvailableNameSrv=true
      clientChannelMaxIdleTimeSeconds=120 clientSocketSndBufSize=0 clientSocketRcvBufSize=0
      clientPooledByteBufAllocatorEnable=false clientCloseSocketIfTimeout=true socksProxyConfig=
      disableCallbackExecutor=false disableNettyWorkerGroup=false maxReconnectIntervalTimeSeconds=60
      enableReconnectForGoAway=true
    `,
  },
  {
    title: 'Users and rights',
    why: 'RingMQ does not check who a client is: everybody who reaches it may do everything',
    keys: `
      aclEnable=false configName= clusterName= authConfigPath= authenticationEnabled=false
      authenticationProvider= authenticationMetadataProvider= authenticationStrategy= authenticationWhitelist=
      initAuthenticationUser= innerClientAuthenticationCredentials= authorizationEnabled=false
      authorizationProvider= authorizationMetadataProvider= authorizationStrategy= authorizationWhitelist=
      migrateAuthFromV1Enabled=false userCacheMaxNum=1000 userCacheExpiredSecond=600 userCacheRefreshSecond=60
      aclCacheMaxNum=1000 aclCacheExpiredSecond=600 aclCacheRefreshSecond=60
      statefulAuthenticationCacheMaxNum=10000 statefulAuthenticationCacheExpiredSecond=60
      statefulAuthorizationCacheMaxNum=10000 statefulAuthorizationCacheExpiredSecond=60
    `,
  },
  {
    title: 'Slaves, controllers, containers',
    why: 'RingMQ has no controllers',
    keys: `
      brokerIP2 sendHeartbeatTimeoutMillis=1000 brokerHeartbeatInterval=1000
      brokerNotActiveTimeoutMillis=10000 syncBrokerMemberGroupPeriod=1000 cleanOfflineBrokerInterval=30000
      forwardTimeout=3000 enableRemoteEscape=false skipPreOnline=false
      lockInStrictMode=false enableControllerMode=false controllerAddr= fetchControllerAddrByDnsLookup=false
      syncBrokerMetadataPeriod=5000 checkSyncStateSetPeriod=5000 syncControllerMetadataPeriod=10000
      controllerHeartBeatTimeoutMills=10000 brokerElectionPriority=2147483647 storePathEpochFile=
      storePathBrokerIdentity= 
      
      offsetCheckInSlave=false duplicationEnable=false enableDLegerCommitLog=false dLegerGroup= dLegerPeers=
      dLegerSelfId=
      storePathDLedgerCommitLog= preferredLeaderId= enableBatchPush=false totalReplicas=1 
      haMaxTimeSlaveNotCatchup=15000
      syncMasterFlushOffsetWhenStartup=false maxChecksumRange=1073741824 maxSlaveResendLength=268435456
      syncFromLastFile=false asyncLearner=false
    `,
  },
  {
    title: 'Timer messages',
    why: 'RingMQ delivers timed messages in its own way, and keeps none of them in RocksDB',
    keys: `
      allowRecallWhenBrokerNotWriteable=true timerFlushIntervalMs=1000 timerEnableDisruptor=false
      timerEnableCheckMetrics=true timerInterceptDelayLevel=false
      timerWheelSnapshotFlush=false disappearTimeAfterStart=-1 timerStopEnqueue=false timerCheckMetricsWhen=05
      timerSkipUnknownError=false timerWarmEnable=false timerStopDequeue=false
      timerEnableRetryUntilSuccess=false timerCongestNumEachSlot=2147483647 timerMetricSmallThreshold=1000000
      timerProgressLogIntervalMs=10000 timerWheelSnapshotIntervalMs=10000 timerRocksDBEnable=false
      timerRocksDBStopScan=false timerRocksDBPrecisionMs=1000 timerRocksDBRollMaxTps=8000.0
      timerRocksDBTimeExpiredMaxTps=200000.0 timerRocksDBRollIntervalHours=1 timerRocksDBRollRangeHours=2
      timerRecallToTimeWheelEnable=true timerRecallToTimelineEnable=true timerReputServiceCorePoolSize=6
      timerReputServiceMaxPoolSize=6 timerReputServiceQueueCapacity=10000 timerColdDataCheckIntervalMs=60000
      appendTopicForTimerDeleteKey=false
    `,
  },
  {
    title: 'RocksDB',
    why: 'RingMQ keeps ConsumeQueue files and JSON files, never RocksDB',
    keys: `
      transactionCheckRocksdbCoreThreads=2 transactionCheckRocksdbMaxThreads=5
      transactionCheckRocksdbQueueCapacity=2000 configManagerVersion=v1 useSingleRocksDBForAllConfigs=false
      persistConsumerOffsetIncrementally=false transRocksDBEnable=false indexRocksDBEnable=false
      maxRocksDBIndexQueryDays=7 storeType=default iteratorWhenUseRocksdbConsumeQueue=true
      cleanRocksDBDirtyCQIntervalMin=60 statRocksDBCQIntervalSec=10 memTableFlushIntervalMs=3600000
      realTimePersistRocksDBConfig=true enableRocksDBLog=false rocksdbCQDoubleWriteEnable=false
      combineCQLoadingCQTypes=default;defaultRocksDB combineCQPreferCQType=default
      combineAssignOffsetCQType=default combineCQEnableCheckSelf=false combineCQMaxExtraSearchCommitLogFiles=3
      combineCQUseRocksdbForLmq=false bottomMostCompressionTypeForConsumeQueueStore=zstd
      rocksdbCompressionType=lz4 rocksdbFlushWalFrequency=1024 rocksdbWalFileRollingThreshold=1073741824
      useSeparateStorePathForRocksdbCQ=false
    `,
  },
  {
    title: 'Transactions',
    why: 'RingMQ keeps no statistics of half messages by topic, and always writes them to the half topic',
    keys: `
      transactionMetricFlushInterval=10000 enableTransactionMetrics=true transWriteOriginTransHalfEnable=true
    `,
  },
  {
    title: 'POP and lite topics',
    why: 'RingMQ revives popped messages in its own way, always by messages in the revive topic, and tells clients of lite topics what has come without events that could be lost',
    keys: `
      popPollingMapSize=100000 popPollingMapExpireTimeSeconds=600
      reviveInterval=1000 reviveMaxSlow=3 reviveScanTime=10000 enableSkipLongAwaitingAck=false
      reviveAckWaitMs=180000 enablePopLog=false enablePopBufferMerge=false popCkStayBufferTime=10000
      popCkStayBufferTimeOut=3000 popCkMaxBufferSize=200000 popCkOffsetMaxQueueSize=20000
      enablePopBatchAck=false popLongPollingForceNotifyInterval=800 enableNotifyBeforePopCalculateLag=true
      enableNotifyAfterPopOrderLockRelease=true initPopOffsetByCheckMsgInMem=true
      retrieveMessageFromPopRetryTopicV1=true enableRetryTopicV2=false
      popConsumerFSServiceInit=true
      popConsumerKVServiceLog=false popConsumerKVServiceInit=false popConsumerKVServiceEnable=false
      popReviveMaxReturnSizePerRead=16384 popReviveConcurrency=32 popReviveMaxAttemptTimes=16
      popReviveSkipIfGroupAbsent=true useSeparateRetryQueue=false useMessageFilterForNotification=true
      maxMessageFilterNumForNotification=64 litePullMessageEnable=true
      enablePopMetrics=true popResponseReturnActualRetryTopic=false popInflightMessageThreshold=10000
      enablePopMessageThreshold=false skipWhenCKRePutReachMaxTimes=false appendAckAsync=false
      appendCkAsync=false enableLiteEventMode=true liteEventCheckInterval=10000 liteTtlCheckInterval=120000
      minLiteTTl=900000 liteSubscriptionCheckInterval=120000 liteSubscriptionCheckTimeoutMills=180000
      enableLitePopLog=false maxClientEventCount=100
      liteEventFullDispatchDelayTime=10000 liteEventFullDispatchDelayTimeForWildcardGroup=10000
      liteLagLatencyCollectEnable=false liteLagLatencyMetricsEnable=false liteLagCountMetricsEnable=false
      liteLagLatencyTopK=50
    `,
  },
  {
    title: 'LMQ, batch queues and compaction',
    why: 'RingMQ does not have these kinds of queue',
    keys: `
      enableLmqStats=false compactionMappedFileSize=104857600 compactionCqMappedFileSize=10485760
      compactionScheduleInternal=900000 maxOffsetMapSize=104857600 enableCompaction=true
      mapperFileSizeBatchConsumeQueue=13800000 enableLmq=false enableMultiDispatch=false
      maxLmqConsumeQueueNum=20000 enableLmqQuota=false searchBcqByCacheEnable=true
    `,
  },
  {
    title: 'SQL92 filters',
    why: 'RingMQ keeps no filter bitmaps',
    keys: `
      enableCalcFilterBitMap=false expectConsumerNumUseFilter=32 maxErrorRateOfBloomFilter=20
      filterDataCleanTimeSpan=86400000 filterSupportRetry=false enableConsumeQueueExt=false
      mappedFileSizeConsumeQueueExt=50331648 bitMapLengthConsumeQueueExt=64 maxFilterMessageSize=16000
    `,
  },
  {
    title: 'Metrics and statistics',
    why: 'RingMQ does not export metrics this way',
    keys: `
      commercialBaseCount=1 commercialSizePerMsg=4096 accountStatsEnable=true accountStatsPrintZeroValues=true
      maxStatsIdleTimeInMinutes=-1 enableDetailStat=true autoDeleteUnusedStats=true
      isolateLogEnable=false
      metricsOtelCardinalityLimit=50000 metricsGrpcExporterTarget= metricsGrpcExporterHeader=
      metricGrpcExporterTimeOutInMills=3000 metricGrpcExporterIntervalInMills=60000
      metricLoggingExporterIntervalInMills=10000 metricsExportBatchMaxDataPoints=1000 metricsInDelta=false
      enableRemotingMetrics=true
      enableMessageStoreMetrics=true enableConnectionMetrics=true enableStatsMetrics=true
      enableRequestMetrics=true enableLagAndDlqMetrics=true estimateAccumulation=true printChannelGroups=false
      printChannelGroupsMinNum=5 
      enableScheduleMessageStats=true maxConsumeQueueScan=20000 sampleCountThreshold=5000
      enableLogConsumeQueueRepeatedlyBuildWhenRecover=false
    `,
  },
  {
    title: 'Cold data',
    why: 'thresholds of cold reads are those that are set, and nothing is scanned for what is cold',
    keys: `
      enableNetWorkFlowControl=false coldCtrStrategyEnable=false usePIDColdCtrStrategy=true
      coldDataScanEnable=false sampleSteps=32 accessMessageInMemoryHotRatio=26
    `,
  },
  {
    title: 'Name servers',
    why: 'RingMQ registers in its own way',
    keys: `
      fetchNameSrvAddrByDnsLookup=false fetchNamesrvAddrByAddressServer=false registerBrokerTimeoutMills=24000
      compressedRegister=false forceRegister=true registerNameServerPeriod=30000
      updateNameServerAddrPeriod=120000 compatibleWithOldNameSrv=true fetchNamesrvAddrInterval=10000
      enableSingleTopicRegister=false enableSplitRegistration=false splitRegistrationSize=800
      enableRegisterProducer=true rmqAddressServerDomain=jmenv.tbsite.net
      rmqAddressServerSubGroup=nsaddr
    `,
  },
  {
    title: 'Files, flushing and recovery',
    why: 'RingMQ handles files, flushing and recovery in its own way',
    keys: `
      readOnlyCommitLogStorePaths= commitLogRecoverMaxNum=10 indexFileWriteEnable=true
      indexFileReadEnable=true maxRecoveryCommitlogFiles=30
      useReentrantLockWhenPutMessage=true flushCommitLogTimed=true
      flushIntervalConsumeQueue=1000 cleanResourceInterval=10000 deleteCommitLogFilesInterval=100
      commitIntervalCommitLog=200 recoverConcurrently=false
      deleteConsumeQueueFilesInterval=100 destroyMapedFileIntervalForcibly=120000
      redeleteHangedFileInterval=120000 deleteFileBatchMax=10
      putMsgIndexHightWater=600000 checkCRCOnRecover=true checkCommitLogOffsetOnRecover=false
      flushCommitLogLeastPages=4 commitCommitLogLeastPages=4 flushLeastPagesWhenWarmMapedFile=4096
      flushConsumeQueueLeastPages=2 flushCommitLogThoroughInterval=10000 commitCommitLogThoroughInterval=200
      flushConsumeQueueThoroughInterval=60000 maxTransferBytesOnMessageInMemory=262144
      maxTransferCountOnMessageInMemory=32 maxTransferBytesOnMessageInDisk=65536
      maxTransferCountOnMessageInDisk=8 maxMsgsNumBatch=64
      messageIndexSafe=false syncFlushTimeout=5000 putMessageTimeout=8000
      warmMapedFileEnable=false debugLockEnable=false diskFallRecorded=true osPageCacheBusyTimeOutMills=1000
      transientStorePoolEnable=false transientStorePoolSize=5 fastFailIfNoBufferInStorePool=false
      writeWithoutMmap=false enableScheduleAsyncDeliver=false scheduleAsyncDeliverMaxResendNum2Blocked=3
      maxBatchDeleteFilesNum=50 enableAsyncReput=true recheckReputOffsetFromCq=false maxTopicLength=127
      autoMessageVersionOnTopicLen=true enableRunningFlagsInFlush=false enabledAppendPropCRC=false
      forceVerifyPropCRC=false travelCqFileNumWhenGetMessage=1 correctLogicMinOffsetSleepInterval=1
      correctLogicMinOffsetForceInterval=300000 mappedFileSwapEnable=true
      commitLogForceSwapMapInterval=43200000 commitLogSwapMapInterval=3600000
      commitLogSwapMapReserveFileNum=100 logicQueueForceSwapMapInterval=43200000
      logicQueueSwapMapInterval=3600000 cleanSwapedMapInterval=300000 logicQueueSwapMapReserveFileNum=20
      dispatchFromSenderThread=false wakeCommitWhenPutMessage=true wakeFlushWhenPutMessage=false
      enableCleanExpiredOffset=false pullBatchMaxMessageCount=160 replicasPerDiskPartition=1
      logicalDiskSpaceCleanForciblyThreshold=0.8
      enableBuildConsumeQueueConcurrently=false topicQueueLockNum=32 readUnCommitted=false
      putConsumeQueueDataByFileChannel=true enableAcceleratedRecovery=false sharedByteBufferNum=16
      spinLockCollisionRetreatOptimalDegree=1000 useABSLock=false
    `,
  },
  {
    title: 'Everything else',
    why: 'RingMQ does not have this',
    keys: `
      brokerConfigPath rocketmqHome messageStorePlugIn=
      flushConsumerOffsetHistoryInterval=60000 longPollingEnable=true shortPollingTimeMills=1000
      highSpeedMode=false transferMsgByHeap=true disableConsumeIfConsumerReadSlowly=false
      consumerFallbehindThreshold=17179869184 enableBroadcastOffsetStore=true broadcastOffsetExpireSecond=120
      broadcastOffsetExpireMaxSecond=300 realTimeNotifyConsumerChange=true
      enableFastChannelEventProcess=false useStaticSubscription=false inBrokerContainer=false
    `,
  },
  {
    title: 'Keys of other versions and of guides',
    why: 'neither RocketMQ 5.5.0 nor RingMQ reads it',
    keys: `
      checkTransactionMessageEnable=false filterServerNums=0 haSlaveFallbehindMax=268435456 maxDelayTime=40
      commercialEnable=true commercialTimerCount=1 commercialTransCount=1 commercialBigCount=1
      memTableFlushInterval=3600000 enableTransparentRetry=true
      rocketmq.broker.diskSpaceWarningLevelRatio=0.90
      rocketmq.broker.diskSpaceCleanForciblyRatio=0.85
    `,
  },
];
