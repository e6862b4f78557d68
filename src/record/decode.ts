/** A whole stored record as an object, for the control path; the data path reads fields in place (view.ts). */

import { BORN_HOST, MAGIC_V1, MAGIC_V2, SYS_BORN_HOST_V6, SYS_STORE_HOST_V6 } from './layout.ts';
import { encodeMessageId, type HostAddress } from './message-id.ts';
import { parseProperties } from './properties.ts';
import {
  bornTimestampOf,
  flagOf,
  magicOf,
  physicalOffsetOf,
  preparedTransactionOffsetOf,
  queueIdOf,
  queueOffsetOf,
  RecordParts,
  reconsumeTimesOf,
  storeTimestampOf,
  storeTimestampOffset,
  sysFlagOf,
  totalSizeOf,
} from './view.ts';

const TIMESTAMP_BYTES = 8;

export interface StoredMessage {
  topic: string;
  queueId: number;
  /** Offset in its queue. */
  queueOffset: number;
  /** Position in the log. */
  physicalOffset: number;
  /** The application's own 32 bits. */
  flag: number;
  /** Bits of RocketMQ: 1 = the body is compressed, 0xc = the transaction's state. */
  sysFlag: number;
  /** Times in ms since the epoch. */
  bornTimestamp: number;
  storeTimestamp: number;
  bornHost: HostAddress;
  storeHost: HostAddress;
  /** How often a consumer has given it back. */
  reconsumeTimes: number;
  preparedTransactionOffset: number;
  /** As stored: a compressed body stays compressed. */
  body: Uint8Array;
  properties: Map<string, string>;
}

/** Offset message id: store host and position in the log, in hex. */
export function messageIdOf({ storeHost, physicalOffset }: StoredMessage): string {
  return encodeMessageId(storeHost, physicalOffset);
}

/**
 * Body and hosts are views of `record`. Undefined when the bytes are no whole record. The body's CRC is not checked.
 */
export function decodeRecord(record: Uint8Array): StoredMessage | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const parts = new RecordParts();
  if (!parts.locate(view, 0, record.length) || parts.size !== totalSizeOf(view, 0)) return undefined;
  const magic = magicOf(view, 0);
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return undefined;
  const sysFlag = sysFlagOf(view, 0);
  const storeHostAt = storeTimestampOffset(sysFlag) + TIMESTAMP_BYTES;
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  const text = (at: number, length: number) => bytes.toString('utf8', at, at + length);
  return {
    topic: text(parts.topicOffset, parts.topicLength),
    queueId: queueIdOf(view, 0),
    queueOffset: queueOffsetOf(view, 0),
    physicalOffset: physicalOffsetOf(view, 0),
    flag: flagOf(view, 0),
    sysFlag,
    bornTimestamp: bornTimestampOf(view, 0),
    storeTimestamp: storeTimestampOf(view, 0),
    bornHost: hostAt(record, view, BORN_HOST, (sysFlag & SYS_BORN_HOST_V6) !== 0),
    storeHost: hostAt(record, view, storeHostAt, (sysFlag & SYS_STORE_HOST_V6) !== 0),
    reconsumeTimes: reconsumeTimesOf(view, 0),
    preparedTransactionOffset: preparedTransactionOffsetOf(view, 0),
    body: record.subarray(parts.bodyOffset, parts.bodyOffset + parts.bodyLength),
    properties: parseProperties(text(parts.propertiesOffset, parts.propertiesLength)),
  };
}

function hostAt(record: Uint8Array, view: DataView, at: number, isV6: boolean): HostAddress {
  const length = isV6 ? 16 : 4;
  return { address: record.subarray(at, at + length), port: view.getInt32(at + length) };
}
