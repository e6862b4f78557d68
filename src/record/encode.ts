/**
 * Writes a record in place. Everything is final but what only the writer knows: queueOffset, physicalOffset,
 * storeTimestamp and the body's CRC, which it sets while appending (`store/log/commit-log.ts`).
 */
import { writeInt64 } from '../lib/int64.ts';
import {
  BODY_CRC,
  BORN_HOST,
  BORN_TIMESTAMP,
  FLAG,
  MAGIC,
  MAGIC_V1,
  MAGIC_V2,
  MAX_TOPIC_V1,
  PHYSICAL_OFFSET,
  QUEUE_ID,
  QUEUE_OFFSET,
  recordSize,
  SYS_BORN_HOST_V6,
  SYS_FLAG,
  SYS_STORE_HOST_V6,
  TOTAL_SIZE,
} from './layout.ts';
import type { HostAddress } from './message-id.ts';

/** The fixed fields of a record; one instance is reused for many records. */
export interface RecordHead {
  queueId: number;
  flag: number;
  /** Without the host bits; those follow from the hosts. */
  sysFlag: number;
  bornTimestamp: number;
  bornHost: HostAddress;
  storeHost: HostAddress;
  reconsumeTimes: number;
  preparedTransactionOffset: number;
}

/** `sysFlag` with the two host bits set from the address families: a producer's own bits are never trusted. */
export function withHostFlags(sysFlag: number, bornHost: HostAddress, storeHost: HostAddress): number {
  let flags = sysFlag & ~(SYS_BORN_HOST_V6 | SYS_STORE_HOST_V6);
  if (bornHost.address.length === 16) flags |= SYS_BORN_HOST_V6;
  if (storeHost.address.length === 16) flags |= SYS_STORE_HOST_V6;
  return flags;
}

function writeHost(bytes: Uint8Array, view: DataView, at: number, host: HostAddress): number {
  const { address } = host;
  for (let i = 0; i < address.length; i++) bytes[at + i] = address[i] as number;
  view.setInt32(at + address.length, host.port);
  return at + address.length + 4;
}

/**
 * Writes all fixed fields up to and including bodyLength at `at`; returns the offset where the body goes. The caller
 * then writes body, topic (`writeTopicLength`) and properties.
 */
export function writeHead(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  head: RecordHead,
  size: number,
  topicLength: number,
  bodyLength: number,
): number {
  view.setInt32(at + TOTAL_SIZE, size);
  view.setInt32(at + MAGIC, topicLength > MAX_TOPIC_V1 ? MAGIC_V2 : MAGIC_V1);
  view.setInt32(at + BODY_CRC, 0);
  view.setInt32(at + QUEUE_ID, head.queueId);
  view.setInt32(at + FLAG, head.flag);
  writeInt64(view, at + QUEUE_OFFSET, 0);
  writeInt64(view, at + PHYSICAL_OFFSET, 0);
  view.setInt32(at + SYS_FLAG, withHostFlags(head.sysFlag, head.bornHost, head.storeHost));
  writeInt64(view, at + BORN_TIMESTAMP, head.bornTimestamp);
  let next = writeHost(bytes, view, at + BORN_HOST, head.bornHost);
  writeInt64(view, next, 0);
  next = writeHost(bytes, view, next + 8, head.storeHost);
  view.setInt32(next, head.reconsumeTimes);
  writeInt64(view, next + 4, head.preparedTransactionOffset);
  view.setInt32(next + 12, bodyLength);
  return next + 16;
}

/** Writes the topic's length field (1 byte, 2 past 127) and returns the offset where the topic goes. */
export function writeTopicLength(view: DataView, at: number, topicLength: number): number {
  if (topicLength > MAX_TOPIC_V1) {
    view.setInt16(at, topicLength);
    return at + 2;
  }
  view.setInt8(at, topicLength);
  return at + 1;
}

/** A whole record in a buffer of its own: control path, tests and tools. */
export function encodeRecord(
  head: RecordHead,
  topic: Uint8Array,
  body: Uint8Array,
  properties: Uint8Array,
): Uint8Array {
  const flags = withHostFlags(head.sysFlag, head.bornHost, head.storeHost);
  const size = recordSize(body.length, topic.length, properties.length, flags);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = writeHead(bytes, view, 0, head, size, topic.length, body.length);
  bytes.set(body, at);
  at = writeTopicLength(view, at + body.length, topic.length);
  bytes.set(topic, at);
  view.setInt16(at + topic.length, properties.length);
  bytes.set(properties, at + topic.length + 2);
  return bytes;
}
