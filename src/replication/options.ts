/** What replication is started with. Names, defaults and units of RocketMQ's broker.conf. */
import { REPLICATED } from '../ring/positions.ts';
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
  slaveTimeout: 3_000,
};

/** Slaves that must have a message before it is acknowledged; 0 = none is waited for. */
export function slavesNeeded({ brokerRole, inSyncReplicas }: ReplicationOptions): number {
  return brokerRole === 'SYNC_MASTER' ? inSyncReplicas - 1 : 0;
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
  return slavesNeeded(replication) > 0 ? [...own, REPLICATED] : [...own];
}
