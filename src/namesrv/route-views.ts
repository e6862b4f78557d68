/** Answers about the routing state, as plain data that becomes JSON with the field names of RocketMQ. */
import { PERM_WRITE, TOPIC_UNIT, TOPIC_UNIT_SUB } from '../metadata/topic-config.ts';
import { type BrokerData, MASTER_ID, type QueueData, smallestId } from './model.ts';
import type { Routes } from './routes.ts';

export interface TopicRoute {
  brokerDatas: BrokerData[];
  /** Broker address to its filter servers. */
  filterServerTable: Record<string, string[]>;
  orderTopicConf?: string;
  queueDatas: QueueData[];
  topicQueueMappingByBroker?: Record<string, unknown>;
}

export interface TopicList {
  brokerAddr?: string;
  topicList: string[];
}

/** Members of these topics ask about each other and want the truth, acting master or not. */
const BROKER_MEMBER_TOPIC_PREFIX = 'rmq_sys_SYNC_BROKER_MEMBER_';

/** Undefined when no broker that serves the topic is known. */
export function routeOf(routes: Routes, topic: string, supportActingMaster: boolean): TopicRoute | undefined {
  const queues = routes.topics.queuesOf(topic);
  if (queues === undefined) return undefined;
  const brokers = [...queues.keys()]
    .map((name) => routes.brokers.get(name))
    .filter((data) => data !== undefined);
  if (brokers.length === 0) return undefined;
  const acting = supportActingMaster && !topic.startsWith(BROKER_MEMBER_TOPIC_PREFIX);
  const route: TopicRoute = {
    brokerDatas: acting ? brokers.map((broker) => withActingMaster(broker, queues)) : brokers,
    filterServerTable: filterServersOf(routes, brokers),
    queueDatas: [...queues.values()],
  };
  const mappings = routes.topics.mappingsOf(topic);
  if (mappings !== undefined) {
    const infos = [...mappings.values()].map(({ brokerName, info }) => [brokerName, info]);
    route.topicQueueMappingByBroker = Object.fromEntries(infos);
  }
  return route;
}

/** Leaves masters of other zones out. Names without a master stay: reading from a far slave beats not reading. */
export function nearbyRoute(route: TopicRoute, zoneName: string): TopicRoute {
  const zone = zoneName.toLowerCase();
  const brokerDatas = route.brokerDatas.filter(
    (broker) => !broker.brokerAddrs.has(MASTER_ID) || broker.zoneName?.toLowerCase() === zone,
  );
  const names = new Set(brokerDatas.map((broker) => broker.brokerName));
  const addresses = new Set(brokerDatas.flatMap((broker) => [...broker.brokerAddrs.values()]));
  return {
    ...route,
    brokerDatas,
    queueDatas: route.queueDatas.filter((queue) => names.has(queue.brokerName)),
    filterServerTable: Object.fromEntries(
      Object.entries(route.filterServerTable).filter(([address]) => addresses.has(address)),
    ),
  };
}

export function clusterInfo(routes: Routes): unknown {
  const clusters = [...routes.clusters].map(([name, brokers]) => [name, [...brokers]]);
  return {
    brokerAddrTable: Object.fromEntries(routes.brokers),
    clusterAddrTable: Object.fromEntries(clusters),
  };
}

export function memberGroup(routes: Routes, cluster: string, brokerName: string): unknown {
  const brokerAddrs = routes.brokers.get(brokerName)?.brokerAddrs ?? new Map();
  return { brokerMemberGroup: { brokerAddrs, brokerName, cluster } };
}

export function allTopics(routes: Routes): TopicList {
  return { topicList: [...routes.topics.topics()] };
}

export function topicsOfCluster(routes: Routes, clusterName: string): TopicList {
  const topics = new Set<string>();
  for (const brokerName of routes.clusters.get(clusterName) ?? []) {
    for (const topic of routes.topics.topicsOf(brokerName)) topics.add(topic);
  }
  return { topicList: [...topics] };
}

/** Cluster and broker names, each of which is a topic of its own, and the address of any broker. */
export function systemTopics(routes: Routes): TopicList {
  const topicList = [...routes.clusters].flatMap(([name, brokers]) => [name, ...brokers]);
  for (const broker of routes.brokers.values()) {
    for (const brokerAddr of broker.brokerAddrs.values()) return { brokerAddr, topicList };
  }
  return { topicList };
}

/** Topics by the unit flags of one of their brokers, any of them. */
export function topicsWithUnitFlags(routes: Routes, matches: (flags: UnitFlags) => boolean): TopicList {
  const topicList = [...routes.topics.topics()].filter((topic) => {
    for (const { topicSysFlag } of routes.topics.queuesOf(topic)?.values() ?? []) {
      return matches({
        unit: (topicSysFlag & TOPIC_UNIT) !== 0,
        unitSub: (topicSysFlag & TOPIC_UNIT_SUB) !== 0,
      });
    }
    return false;
  });
  return { topicList };
}

export interface UnitFlags {
  unit: boolean;
  unitSub: boolean;
}

/** Without a master, the slave that acts for it is shown in its place, once its topics are read-only. */
function withActingMaster(broker: BrokerData, queues: ReadonlyMap<string, QueueData>): BrokerData {
  const id = smallestId(broker);
  const writable = ((queues.get(broker.brokerName)?.perm ?? 0) & PERM_WRITE) !== 0;
  if (!broker.enableActingMaster || id === undefined || id === MASTER_ID || writable) return broker;
  const addresses = [...broker.brokerAddrs].map(
    ([brokerId, address]) => [brokerId === id ? MASTER_ID : brokerId, address] as const,
  );
  return { ...broker, brokerAddrs: new Map(addresses) };
}

function filterServersOf(routes: Routes, brokers: BrokerData[]): Record<string, string[]> {
  const addresses = brokers.flatMap(({ cluster, brokerAddrs }) =>
    [...brokerAddrs.values()].map((address) => ({ cluster, address })),
  );
  const servers = addresses.map(
    ({ cluster, address }) => [address, routes.live.get(cluster, address)?.filterServers ?? []] as const,
  );
  return Object.fromEntries(servers.filter(([, list]) => list.length > 0));
}
