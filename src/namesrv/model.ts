/** What the name server knows, in the shapes that go over the wire. */
import type { TopicConfig } from '../metadata/topic-config.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';

export const MASTER_ID = 0;

/** Which state of its topics a broker speaks of. Longs: past 2^53 they come as bigint. */
export interface DataVersion {
  counter: number | bigint;
  /** Grows when a controller elects a new master; the larger one wins a conflict. */
  stateVersion: number | bigint;
  timestamp: number | bigint;
}

export function sameVersion(a: DataVersion, b: DataVersion): boolean {
  return a.counter === b.counter && a.stateVersion === b.stateVersion && a.timestamp === b.timestamp;
}

/** The queues of one topic on the brokers of one name. */
export interface QueueData {
  brokerName: string;
  readQueueNums: number;
  writeQueueNums: number;
  perm: number;
  topicSysFlag: number;
}

/** Master and slaves that share a name. */
export interface BrokerData {
  cluster: string;
  brokerName: string;
  /** Broker id to `ip:port`. */
  brokerAddrs: Map<number, string>;
  enableActingMaster: boolean;
  zoneName: string | undefined;
}

/** What matters here of what a broker says about a topic. */
export type RegisteredTopic = Pick<
  TopicConfig,
  'topicName' | 'readQueueNums' | 'writeQueueNums' | 'perm' | 'topicSysFlag'
>;

/** Where the queues of a static topic live; passed on to clients as it came. */
export interface TopicQueueMapping {
  brokerName: string;
  info: RocketJson;
}

/** The body of a registration, whichever of its three encodings it came in. */
export interface RegisterBody {
  dataVersion: DataVersion;
  topics: RegisteredTopic[];
  /** By topic. */
  mappings: Map<string, TopicQueueMapping>;
  /** Undefined = not mentioned, keep what is known. */
  filterServers: string[] | undefined;
}

/** Smallest id in use, or undefined when no broker of that name is left. */
export function smallestId(broker: BrokerData): number | undefined {
  return broker.brokerAddrs.size === 0 ? undefined : Math.min(...broker.brokerAddrs.keys());
}
