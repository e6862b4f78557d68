/**
 * Requests about features of which a broker without them knows the answer: RESET_MASTER_FLUSH_OFFSET (908), a number
 * that a slave of RocketMQ begins with, SWITCH_TIMER_ENGINE (5001) to the one engine that there is, and POP_ROLLBACK
 * (200056) of pop states that are never in RocksDB.
 */
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import { RequestError, requiredInt64, requiredText, succeed } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

const FILE_TIME_WHEEL = 'F';
const ROCKSDB_TIMELINE = 'R';

/** As in RocketMQ a slave keeps and shows it, and a master passes it over. */
export const resetMasterFlushOffset: BrokerHandler = ({ replication, masterFlushed }, request) => {
  if ('master' in replication())
    masterFlushed.masterFlushedOffset = requiredInt64(request, 'masterFlushOffset');
  return succeed(request);
};

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
