/** A message of a retry topic of pops as consumers know it: of its own topic, with the receipt among its properties. */
import { writeInt64 } from '../../lib/int64.ts';
import { decodeRecord } from '../../record/decode.ts';
import { encodeRecord } from '../../record/encode.ts';
import { BODY_CRC, MAX_PROPERTIES, PHYSICAL_OFFSET, QUEUE_OFFSET } from '../../record/layout.ts';
import { encodeProperties } from '../../record/properties.ts';
import { storeTimestampOffset, sysFlagOf } from '../../record/view.ts';

const POP_CK = 'POP_CK';

/** `record`: the stored one. Where the receipt finds no room the consumer makes it from the answer's fields. */
export function asOriginal(record: Uint8Array, topic: string, receipt: string): Uint8Array {
  const message = decodeRecord(record);
  if (message === undefined) return record;
  const { properties } = message;
  const stored = encodeProperties(properties);
  if (!properties.has(POP_CK)) properties.set(POP_CK, receipt);
  let encoded = Buffer.from(encodeProperties(properties));
  if (encoded.length > MAX_PROPERTIES) encoded = Buffer.from(stored);
  const original = encodeRecord(message, Buffer.from(topic), message.body, encoded);
  const view = new DataView(original.buffer, original.byteOffset, original.length);
  const from = new DataView(record.buffer, record.byteOffset, record.length);
  view.setInt32(BODY_CRC, from.getInt32(BODY_CRC));
  writeInt64(view, QUEUE_OFFSET, message.queueOffset);
  writeInt64(view, PHYSICAL_OFFSET, message.physicalOffset);
  writeInt64(view, storeTimestampOffset(sysFlagOf(view, 0)), message.storeTimestamp);
  return original;
}
