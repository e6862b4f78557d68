/** What the fake broker keeps of a message, and the record that it makes of it. */
import { encodeRecord } from '../../../src/record/encode.ts';
import type { HostAddress } from '../../../src/record/message-id.ts';

const HOST: HostAddress = { address: Uint8Array.of(127, 0, 0, 1), port: 1 };
const HEAD = {
  flag: 0,
  sysFlag: 0,
  bornTimestamp: 0,
  bornHost: HOST,
  storeHost: HOST,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
};

export interface Stored {
  properties: string;
  bornMillis: number;
  storeMillis: number;
}

export function recordOf(
  { properties, bornMillis, storeMillis }: Stored,
  offset: number,
  queueId = 0,
): Buffer {
  const text = (value: string): Buffer => Buffer.from(value, 'latin1');
  const record = Buffer.from(encodeRecord({ ...HEAD, queueId }, text('t'), text('body'), text(properties)));
  record.writeBigInt64BE(BigInt(offset), 20);
  record.writeBigInt64BE(BigInt(bornMillis), 40);
  record.writeBigInt64BE(BigInt(storeMillis), 56);
  return record;
}
