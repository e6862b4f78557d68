/** What a client is told when the CommitLog did not take its message. */
import { ResponseCode } from '../../protocol/codes.ts';
import { IS_COPY, QUEUE_RETIRED, TOO_LARGE } from '../../store/log/commit-log.ts';

export const NO_ROOM_REMARK = 'create mapped file failed, server is busy or broken: is the disk full?';

/** RocketMQ's: fewer copies than minInSyncReplicas are in sync. */
export const TOO_FEW_COPIES_REMARK = 'in-sync replicas not enough';

export const SLAVE_TAKES_NO_MESSAGES =
  'service not available now. This broker is a slave (brokerRole=SLAVE): send to its master.';

/** Response code and remark for a negative status of the CommitLog. */
export function appendFailure(status: number): [code: number, remark: string] {
  switch (status) {
    case TOO_LARGE:
      return [ResponseCode.MESSAGE_ILLEGAL, 'the message does not fit into a CommitLog file'];
    case QUEUE_RETIRED:
      return [ResponseCode.TOPIC_NOT_EXIST, 'the topic was deleted, apply first please!'];
    case IS_COPY:
      return [ResponseCode.SERVICE_NOT_AVAILABLE, SLAVE_TAKES_NO_MESSAGES];
    default:
      return [ResponseCode.SYSTEM_ERROR, NO_ROOM_REMARK];
  }
}
