/** The keys of namesrv.conf: those that RingMQ's name server obeys, and those of RocketMQ's that it does not. */
import { defaultConfig, type NameServerConfig } from '../namesrv/config.ts';
import { ALLOW_MISSING } from './missing.ts';
import { tlsKeyList, tlsKeys } from './tls-keys.ts';
import type { UnsupportedGroup } from './unsupported-keys.ts';

/** Keys of the process; the others are the settings that mqadmin shows. */
export const PROCESS_KEYS = [
  'listenPort',
  'bindAddress',
  'kvConfigPath',
  'metricsExporterType',
  'metricsPromExporterPort',
  'metricsPromExporterHost',
  ALLOW_MISSING,
] as const;

export const nameServerKeys: readonly string[] = [
  ...PROCESS_KEYS,
  ...Object.keys(defaultConfig()),
  ...tlsKeys.keys(),
];

const ownGuards = {
  listenPort: 'where clients are let in',
  bindAddress: 'who can reach the port',
  kvConfigPath: 'where entries are kept',
  metricsPromExporterHost: 'who can read the metrics',
  enableAllTopicList: 'whether the list of all topics is given away',
  enableTopicList: 'whether lists of topics are given away',
  deleteTopicWithBrokerRegistration: 'whether a registration deletes topics',
  needWaitForService: 'whether routes are given before the brokers have registered',
} satisfies Partial<Record<keyof NameServerConfig | (typeof PROCESS_KEYS)[number], string>>;

/** What a key decides that a misspelling must not leave to chance. */
export const nameServerGuards: Readonly<Record<string, string>> = {
  ...ownGuards,
  ...Object.fromEntries(
    tlsKeyList.flatMap(({ name, guards }) => (guards === undefined ? [] : [[name, guards]])),
  ),
};

export const nameServerGroups: readonly UnsupportedGroup[] = [
  {
    title: 'Name server',
    why: "RingMQ's name server works in its own way",
    keys: `
      rocketmqHome configStorePath productEnvName=center clusterTest=false clientRequestThreadPoolNums=8
      defaultThreadPoolNums=16 clientRequestThreadPoolQueueCapacity=50000 defaultThreadPoolQueueCapacity=10000
      scanNotActiveBrokerInterval=5000 unRegisterBrokerQueueCapacity=3000 notifyMinBrokerIdChanged=false
      configBlackList=configBlackList;configStorePath;kvConfigPath serverChannelMaxIdleTimeSeconds=120
    `,
  },
  {
    title: 'Controller',
    why: 'RingMQ has no controllers',
    keys: `
      enableControllerInNamesrv=false controllerType controllerDLegerGroup controllerDLegerPeers
      controllerDLegerSelfId controllerStorePath controllerThreadPoolNums=16
      controllerRequestThreadPoolQueueCapacity=50000 mappedFileSize=1073741824 electMasterMaxRetryCount=3
      enableElectUncleanMaster=false notifyBrokerRoleChanged=true processReadEvent=false
      scanInactiveMasterInterval=5000 jRaftControllerRPCAddr jRaftElectionTimeoutMs=1000 jRaftGroupId
      jRaftInitConf jRaftScanWaitTimeoutMs=1000 jRaftServerId jRaftSnapshotIntervalSecs=3600
    `,
  },
];
