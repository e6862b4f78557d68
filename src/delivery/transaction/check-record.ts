/** What a producer sees when it is asked about a transaction: its message as it was meant, as a record. */
import { crc32 } from 'node:zlib';
import { writeInt64 } from '../../lib/int64.ts';
import type { StoredMessage } from '../../record/decode.ts';
import { encodeRecord } from '../../record/encode.ts';
import { BODY_CRC, PHYSICAL_OFFSET, QUEUE_OFFSET, SYS_COMPRESSED } from '../../record/layout.ts';
import { encodeProperties } from '../../record/properties.ts';
import { storeTimestampOffset, sysFlagOf } from '../../record/view.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { realQueueOf } from '../real-queue.ts';

/**
 * The record of `half` with the real topic and queue, and the properties and the place of its copy. The time is the one
 * at which `half` was stored.
 */
export function meantRecord(
  half: StoredMessage,
  copy: InternalMessage,
  queueOffset: number,
  logOffset: number,
): Uint8Array {
  const { topic, queueId } = realQueueOf(half.properties);
  const { flag, bornTimestamp, bornHost, storeHost, reconsumeTimes, body } = half;
  const head = { queueId, flag, bornTimestamp, bornHost, storeHost, reconsumeTimes };
  const record = encodeRecord(
    { ...head, sysFlag: half.sysFlag & SYS_COMPRESSED, preparedTransactionOffset: 0 },
    Buffer.from(topic),
    body,
    Buffer.from(encodeProperties(copy.properties)),
  );
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  view.setInt32(BODY_CRC, body.length === 0 ? 0 : crc32(body) & 0x7f_ff_ff_ff);
  writeInt64(view, QUEUE_OFFSET, queueOffset);
  writeInt64(view, PHYSICAL_OFFSET, logOffset);
  writeInt64(view, storeTimestampOffset(sysFlagOf(view, 0)), half.storeTimestamp);
  return record;
}
