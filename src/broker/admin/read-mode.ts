/**
 * SET_COMMITLOG_READ_MODE (2004): whether reads of old messages bring what follows them into memory. Who reads on needs
 * it soon; among readers of single messages it drives out what others need. The same as the key dataReadAheadEnable.
 */
import { ResponseCode } from '../../protocol/codes.ts';
import { responseTo } from '../../protocol/command.ts';
import { int32Field, RequestError } from '../../protocol/request-fields.ts';
import { askerOf, type BrokerHandler } from '../context.ts';
import { change } from './broker-config.ts';

/** madvise's numbers, as RocketMQ takes them. */
const NORMAL = 0;
const RANDOM = 1;

export const setReadMode: BrokerHandler = (context, request, connection) => {
  const mode = int32Field(request, 'READ_AHEAD_MODE');
  if (mode === undefined) {
    throw new RequestError(ResponseCode.SYSTEM_ERROR, 'set commitlog readahead mode param error');
  }
  if (mode !== NORMAL && mode !== RANDOM) {
    throw new RequestError(
      ResponseCode.INVALID_PARAMETER,
      `set commitlog readahead mode param value error: ${mode} is neither ${NORMAL} (ahead) nor ${RANDOM} (not)`,
    );
  }
  const changes = new Map([['dataReadAheadEnable', String(mode === NORMAL)]]);
  change(context, changes, askerOf(request, connection));
  const remark = `set commitlog readahead mode success, mode: ${mode}`;
  return responseTo(request, ResponseCode.SUCCESS, remark);
};
