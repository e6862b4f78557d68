/** GET_BROKER_HA_STATUS (907): RocketMQ's HARuntimeInfo. */
import { succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

const NO_MASTER = { address: '', isConnected: false, lastReadAt: 0, lastWriteAt: 0 };

export const haStatus: BrokerHandler = ({ store, replication, masterFlushed }, request) => {
  const status = replication();
  const isMaster = 'slaves' in status;
  const slaves = isMaster ? status.slaves : [];
  const master = isMaster ? NO_MASTER : status.master;
  const end = store.maxPhysicalOffset;
  return succeedWith(request, {
    haClientRuntimeInfo: {
      activated: master.isConnected,
      lastReadTimestamp: master.lastReadAt,
      lastWriteTimestamp: master.lastWriteAt,
      ...(isMaster ? {} : { masterAddr: master.address }),
      masterFlushOffset: isMaster ? 0 : masterFlushed.masterFlushedOffset,
      maxOffset: isMaster ? 0 : end,
      transferredByteInSecond: 0,
    },
    haConnectionInfo: slaves.map(({ address, acknowledged, next, inSync, rate }) => ({
      addr: address,
      diff: end - acknowledged,
      inSync,
      slaveAckOffset: acknowledged,
      transferFromWhere: next,
      transferredByteInSecond: rate,
    })),
    inSyncSlaveNums: slaves.filter(({ inSync }) => inSync).length,
    master: isMaster,
    masterCommitLogMaxOffset: isMaster ? end : 0,
    // RingMQ's own: a slave knows by it how old what it lacks is.
    masterNewestStoreTimestamp: isMaster ? store.newestStoreTime : 0,
  });
};
