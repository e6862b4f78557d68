/** Asks a member of a producer group how a transaction has ended: request 39, one-way; it answers with 37. */
import type { ProducerTable } from '../../clients/producers.ts';
import type { HalfCheck } from '../../delivery/transaction/context.ts';
import { HALF_TOPIC } from '../../lib/names.ts';
import { RequestCode } from '../../protocol/codes.ts';
import { newOnewayRequest } from '../../protocol/outgoing.ts';
import { encodeMessageId, type HostAddress } from '../../record/message-id.ts';

/** Nothing is asked when nobody of the group is there any more: the next round asks whoever is back. */
export function askProducer(
  producers: ProducerTable,
  broker: { name: string; storeHost: HostAddress },
  { group, record, logOffset, queueOffset, uniqueKey }: HalfCheck,
): void {
  const fields = {
    bname: broker.name,
    topic: HALF_TOPIC,
    msgId: uniqueKey,
    transactionId: uniqueKey,
    offsetMsgId: encodeMessageId(broker.storeHost, logOffset),
    commitLogOffset: String(logOffset),
    tranStateTableOffset: String(queueOffset),
  };
  producers.pick(group)?.send(newOnewayRequest(RequestCode.CHECK_TRANSACTION_STATE, fields, record));
}
