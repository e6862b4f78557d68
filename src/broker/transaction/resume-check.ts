/**
 * RESUME_CHECK_HALF_MESSAGE (323): a transaction that was given up after its last check is checked anew. The message id
 * names where its message lies, mostly in TRANS_CHECK_MAX_TIME_TOPIC.
 */
import { resumedOf } from '../../delivery/transaction/half-message.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError, succeed, textField } from '../../protocol/request-fields.ts';
import { decodeRecord } from '../../record/decode.ts';
import { decodeMessageId } from '../../record/message-id.ts';
import { isStored } from '../../store/put/put-message.ts';
import { standsInQueue } from '../../store/read/store-reads.ts';
import type { BrokerHandler } from '../context.ts';

export const resumeCheck: BrokerHandler = async (context, request) => {
  const { store } = context;
  const id = textField(request, 'msgId') ?? '';
  const position = decodeMessageId(id)?.physicalOffset ?? -1;
  const record = store.recordAt(position);
  const message = record === undefined ? undefined : decodeRecord(record);
  if (message === undefined || !standsInQueue(store, message, position))
    throw refused(`no message has the offset message id ${id.slice(0, 64)}`);
  const resumed = resumedOf(message);
  if (typeof resumed === 'string') throw refused(resumed);
  const { status, remark } = await context.put(resumed);
  if (!isStored(status)) throw refused(remark ?? `status ${status}`);
  return succeed(request);
};

function refused(why: string): RequestError {
  const remark = `the message cannot be put back to RMQ_SYS_TRANS_HALF_TOPIC: ${why}`;
  return new RequestError(ResponseCode.SYSTEM_ERROR, remark);
}
