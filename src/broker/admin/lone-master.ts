/**
 * Requests about features of which a broker without them knows the answer: GET_BROKER_HA_STATUS (907) of a master
 * without slaves, RESET_MASTER_FLUSH_OFFSET (908), which only slaves obey, SWITCH_TIMER_ENGINE (5001) to the one engine
 * that there is, and POP_ROLLBACK (200056) of pop states that are never in RocksDB.
 */
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import { RequestError, requiredText, succeed, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

const FILE_TIME_WHEEL = 'F';
const ROCKSDB_TIMELINE = 'R';

export const haStatus: BrokerHandler = ({ store }, request) =>
  succeedWith(request, {
    haClientRuntimeInfo: {
      activated: false,
      lastReadTimestamp: 0,
      lastWriteTimestamp: 0,
      masterFlushOffset: 0,
      maxOffset: 0,
      transferredByteInSecond: 0,
    },
    haConnectionInfo: [],
    inSyncSlaveNums: 0,
    master: true,
    masterCommitLogMaxOffset: store.maxPhysicalOffset,
  });

/** As RocketMQ's masters: there is nothing to set. */
export const resetMasterFlushOffset: BrokerHandler = (_, request) => succeed(request);

export const switchTimerEngine: BrokerHandler = (_, request) => {
  const engine = requiredText(request, 'E_T');
  if (engine === FILE_TIME_WHEEL)
    return responseTo(request, ResponseCode.SUCCESS, 'switch timer engine success');
  const remark =
    engine === ROCKSDB_TIMELINE
      ? 'timerRocksDBEnable must be configured true when broker start'
      : 'param error';
  throw new RequestError(ResponseCode.INVALID_PARAMETER, remark);
};

export const rollBackPops: BrokerHandler = (_, request) => succeed(request);
