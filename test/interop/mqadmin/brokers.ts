// mqadmin's commands for brokers and clusters.

import { CONFIGURED, type Command, type Mask } from './command.ts';

/** RocketMQ has none, and says null, until it has taken a sample. */
const NO_DISTRIBUTION =
  '[<=0ms]:0 [0~10ms]:0 [10~50ms]:0 [50~100ms]:0 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:0 [1~2s]:0 [2~3s]:0 ' +
  '[3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:0';

/** What depends on when somebody looks, or on how long messages are. */
const FIGURES: readonly Mask[] = [
  [/((?:MaxOffset|TodayNow|SizeTotal|TimesTotal|TimeMax|AverageSize)\s*: )[\d.]+/g, '$1<n>'],
  [/(#MasterCommitLogMaxOffset\s+)\d+/g, '$1<n>'],
  [/(putMessageDistributeTime\s*: )null/g, `$1${NO_DISTRIBUTION}`],
  [/\]:\d+/g, ']:<n>'],
  [/\d+ (days|hours|minutes|seconds)/g, '<n> $1'],
  [/ GB| MB/g, ' GiB'],
];

/** JSON objects whose keys come in the order of a hash table. */
const HASHED = { unordered: true, masks: [[/,$/gm, '']] as readonly Mask[] };
/** And that follow from the machine, or from whether the broker has stored something of its own. */
const MEASURED = {
  unordered: true,
  masks: [
    [/"(cpuNum|messageAverageSize)":"[^"]*"/g, '"$1":"<n>"'],
    [/,$/gm, ''],
  ] as readonly Mask[],
};

export const BROKERS: readonly Command[] = [
  {
    name: 'clusterList',
    runs: [
      { args: '', masks: [[/\d+-\d+(\([\d.]+w)/g, '<n>-<n>$1']] },
      { args: '-m', masks: [[/\d+(\s+)\d+$/gm, '<n>$1<n>']] },
      '-c NoCluster',
    ],
  },
  {
    name: 'brokerStatus',
    differs:
      'RingMQ does not count how many timers are in its wheel and fire a second; it still shows `brokerVersion`, ' +
      'without which rocketmq-exporter does not work',
    runs: [
      { args: '-b {broker}', masks: FIGURES },
      { args: '-c DefaultCluster', masks: FIGURES },
    ],
  },
  {
    name: 'getBrokerConfig',
    differs:
      'the keys that RingMQ obeys, and its own (`ringmq.*`); RocketMQ shows what it has for threads, RocksDB, ' +
      'controllers and slaves, too. [configuration.md](configuration.md) has them all',
    runs: [{ args: '-b {broker}', unordered: true, masks: CONFIGURED }],
  },
  {
    name: 'updateBrokerConfig',
    differs:
      'only keys that take effect at once can be set; an unknown key, a bad value or a key of the start is refused ' +
      'with the reason, where RocketMQ says success',
    runs: [
      '-b {broker} -k fileReservedTime -v 48',
      '-c DefaultCluster -k fileReservedTime -v 72',
      '-b {broker} -k fileReservedTime -v soon',
      '-b {broker} -k noSuchKey -v 1',
      '-b {broker} -k brokerConfigPath -v /elsewhere',
      '-b {broker} -k storePathRootDir -v /elsewhere',
    ],
  },
  { name: 'cleanExpiredCQ', runs: ['-b {broker}', '-c DefaultCluster', { args: '', about: 'all clusters' }] },
  { name: 'deleteExpiredCommitLog', runs: ['-b {broker}', '-c DefaultCluster'] },
  { name: 'cleanUnusedTopic', runs: ['-b {broker}', '-c DefaultCluster'] },
  {
    name: 'updateColdDataFlowCtrGroupConfig',
    runs: ['-b {broker} -g workers -v 1048576', '-c DefaultCluster -g live -v 2097152'],
  },
  {
    name: 'getColdDataFlowCtrInfo',
    runs: [
      { args: '-b {broker}', ...HASHED },
      { args: '-c DefaultCluster', ...HASHED },
    ],
  },
  {
    name: 'removeColdDataFlowCtrGroupConfig',
    runs: ['-b {broker} -g workers', '-c DefaultCluster -g live', '-b {broker} -g nobody'],
  },
  {
    name: 'setCommitLogReadAheadMode',
    runs: ['-b {broker} -m 1', '-c DefaultCluster -m 0', '-b {broker} -m 7'],
  },
  { name: 'exportPopRecord', runs: ['-b {broker} -d true', '-b {broker}', '-c DefaultCluster'] },
];

/** Before anybody has asked for groups that are not there: RocketMQ makes them then. */
export const EXPORTS: readonly Command[] = [
  {
    name: 'exportConfigs',
    differs: '`slaveReadEnable` is true unless it is set: slaves are read when their master is gone',
    runs: [{ args: '-c DefaultCluster -f {dir}/export', writes: '{dir}/export/configs.json', ...HASHED }],
  },
  {
    name: 'exportMetadata',
    runs: [
      { args: '-c DefaultCluster -f {dir}/export', writes: '{dir}/export/metadata.json', ...HASHED },
      { args: '-b {broker} -t -f {dir}/export', writes: '{dir}/export/topic.json', ...HASHED },
      { args: '-b {broker} -t -s -f {dir}/export', writes: '{dir}/export/topic.json', ...HASHED },
      { args: '-b {broker} -g -f {dir}/export', writes: '{dir}/export/subscriptionGroup.json', ...HASHED },
    ],
  },
  {
    name: 'exportMetrics',
    runs: [{ args: '-c DefaultCluster -f {dir}/export', writes: '{dir}/export/metrics.json', ...MEASURED }],
  },
];

/** What RingMQ has nothing for. */
export const ABSENT: readonly Command[] = [
  {
    name: 'rocksDBConfigToJson',
    unsupported: 'the configuration of RingMQ is JSON already, nothing is in RocksDB',
    runs: ['-b {broker} -t topics', { args: '', about: 'without words' }],
  },
  {
    name: 'exportMetadataInRocksDB',
    unsupported: 'reads a RocksDB folder of the machine it runs on: RingMQ has none',
    runs: ['-p {dir}/no-database -t topics', { args: '-p {dir} -t neither', about: 'no such type' }],
  },
  {
    name: 'checkRocksdbCqWriteProgress',
    unsupported: 'ConsumeQueues are files, nothing is in RocksDB',
    runs: ['-c DefaultCluster -n {ns} -t orders'],
  },
  { name: 'switchTimerEngine', runs: ['-b {broker} -e F', '-b {broker} -e R', '-b {broker} -e X'] },
  {
    name: 'haStatus',
    runs: [
      { args: '-b {broker}', masks: FIGURES },
      { args: '-c DefaultCluster', masks: FIGURES },
    ],
  },
  { name: 'resetMasterFlushOffset', runs: ['-b {broker} -o 0'] },
  {
    name: 'getBrokerEpoch',
    unsupported: 'there are no controllers',
    runs: ['-b broker-a', '-c DefaultCluster'],
  },
  {
    name: 'getSyncStateSet',
    unsupported: 'there are no controllers',
    runs: ['-a {ns} -b broker-a', '-a {ns} -c DefaultCluster'],
  },
  { name: 'getControllerMetaData', unsupported: 'there are no controllers', runs: ['-a {ns}'] },
  { name: 'getControllerConfig', unsupported: 'there are no controllers', runs: ['-a {ns}'] },
  {
    name: 'updateControllerConfig',
    unsupported: 'there are no controllers',
    runs: ['-a {ns} -k name -v value'],
  },
  {
    name: 'electMaster',
    unsupported: 'there are no controllers',
    runs: ['-a {ns} -b 0 -bn broker-a -c DefaultCluster'],
  },
  {
    name: 'cleanBrokerMetadata',
    unsupported: 'there are no controllers',
    runs: ['-a {ns} -bn broker-a -c DefaultCluster -l'],
  },
  {
    name: 'addBroker',
    unsupported: 'a broker is a process of its own, not part of a container',
    runs: ['-c {broker} -b {dir}/broker.conf'],
  },
  {
    name: 'removeBroker',
    unsupported: 'a broker is a process of its own, not part of a container',
    runs: ['-c {broker} -b DefaultCluster:broker-a:0'],
  },
];
