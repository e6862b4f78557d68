/** What replication is started with. Names, defaults and units of RocketMQ's broker.conf. */
import {
  REPLICATED,
  SLAVES_ENOUGH,
  SLAVES_LACKING,
  SLAVES_TOO_FEW,
  SLAVES_UNNEEDED,
} from '../ring/positions.ts';
import { confirmedBy, type StoreOptions } from '../store/options.ts';

export const BROKER_ROLES = ['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'] as const;
export type BrokerRole = (typeof BROKER_ROLES)[number];

export interface ReplicationOptions {
  brokerRole: BrokerRole;
  /** Port for slaves; 0 = any free one. */
  haListenPort: number;
  /** `host:port` of the master's replication port; '' = what the name server says. */
  haMasterAddress: string;
  /** Whether the slave with the lowest brokerId acts for a master that is away; name servers are told of it. */
  enableSlaveActingMaster: boolean;
  /** Ms of silence after which either side says that it lives. */
  haSendHeartbeatInterval: number;
  /** Ms of silence after which the other side is given up. */
  haHousekeepingInterval: number;
  /** Bytes of log in one chunk. */
  haTransferBatchSize: number;
  /** Whether the rate of a slave is limited, and to how many bytes a second. */
  haFlowControlEnable: boolean;
  maxHaTransferByteInSecond: number;
  /** How far behind the master's end a slave may be to count, bytes. */
  haMaxGapNotInSync: number;
  /** Copies, the master's own among them, that a message must have before a SYNC_MASTER acknowledges it. */
  inSyncReplicas: number;
  /** Copies without which a SYNC_MASTER takes no message. */
  minInSyncReplicas: number;
  /** Whether `inSyncReplicas` is lowered to what is there, down to `minInSyncReplicas`. */
  enableAutoInSyncReplicas: boolean;
  /** Whether all slaves that have caught up must have a message, however many they are. */
  allAckInSyncStateSet: boolean;
  /** How long a SYNC_MASTER waits for them, ms. */
  slaveTimeout: number;
}

export const DEFAULT_REPLICATION_OPTIONS: ReplicationOptions = {
  brokerRole: 'ASYNC_MASTER',
  haListenPort: 10912,
  haMasterAddress: '',
  enableSlaveActingMaster: false,
  haSendHeartbeatInterval: 5_000,
  haHousekeepingInterval: 20_000,
  haTransferBatchSize: 32 * 1024,
  haFlowControlEnable: false,
  maxHaTransferByteInSecond: 100 * 1024 * 1024,
  haMaxGapNotInSync: 256 * 1024 * 1024,
  inSyncReplicas: 1,
  minInSyncReplicas: 1,
  enableAutoInSyncReplicas: false,
  allAckInSyncStateSet: false,
  slaveTimeout: 3_000,
};

/** Slaves that must have a message before it is acknowledged, while `inSync` of them count; 0 = none is waited for. */
export function slavesNeeded(options: ReplicationOptions, inSync: number): number {
  const { brokerRole, inSyncReplicas, minInSyncReplicas } = options;
  if (brokerRole !== 'SYNC_MASTER') return 0;
  const [wanted, least] = [inSyncReplicas - 1, minInSyncReplicas - 1];
  if (options.allAckInSyncStateSet) return Math.max(inSync, least);
  return options.enableAutoInSyncReplicas ? Math.max(Math.min(wanted, inSync), least) : wanted;
}

/** Whether slaves are waited for at all. */
export function waitsForSlaves(options: ReplicationOptions): boolean {
  return slavesNeeded(options, 1) > 0;
}

/** What SLAVES_STATE is while `inSync` slaves count. */
export function slavesState(options: ReplicationOptions, inSync: number): number {
  if (!waitsForSlaves(options)) return SLAVES_ENOUGH;
  if (inSync + 1 < options.minInSyncReplicas) return SLAVES_TOO_FEW;
  const needed = slavesNeeded(options, inSync);
  if (needed === 0) return SLAVES_UNNEEDED;
  return inSync < needed ? SLAVES_LACKING : SLAVES_ENOUGH;
}

/**
 * The positions that a message must lie before to be acknowledged to a client. Consumers may see it earlier: what waits
 * for a slave that never comes back is on the master all the same.
 */
export function acknowledgedBy(
  store: Pick<StoreOptions, 'flushDiskType'>,
  replication: ReplicationOptions,
): number[] {
  const own = confirmedBy(store);
  return waitsForSlaves(replication) ? [...own, REPLICATED] : [...own];
}
