/**
 * A stored message, byte by byte (RocketMQ CommitLog record, big-endian). The same bytes lie in the log, travel to
 * consumers and to replicas.
 *
 *      0 totalSize      i32  the whole record
 *      4 magic          i32  V1 or V2; BLANK marks the unused rest of a file
 *      8 bodyCrc        i32  CRC-32 of the body & 0x7fffffff; 0 without body. Header and properties are not covered:
 *                            three of their fields are known only when the record is appended
 *     12 queueId        i32
 *     16 flag           i32  the application's
 *     20 queueOffset    i64  index in the ConsumeQueue; set by the writer
 *     28 physicalOffset i64  position of this record in the log; set by the writer
 *     36 sysFlag        i32
 *     40 bornTimestamp  i64  ms, the producer's clock
 *     48 bornHost       4 or 16 address bytes + i32 port
 *     56 storeTimestamp i64  ms, set by the writer           (68 with an IPv6 bornHost; all further +12)
 *     64 storeHost      4 or 16 address bytes + i32 port
 *     72 reconsumeTimes i32                                   (+12 with an IPv6 storeHost)
 *     76 preparedTransactionOffset i64
 *     84 bodyLength     i32, body
 *        topicLength    i8 (V1) or i16 (V2), topic
 *        propertiesLength i16, properties: name \x01 value \x02 …
 */
export const TOTAL_SIZE = 0;
export const MAGIC = 4;
export const BODY_CRC = 8;
export const QUEUE_ID = 12;
export const FLAG = 16;
export const QUEUE_OFFSET = 20;
export const PHYSICAL_OFFSET = 28;
export const SYS_FLAG = 36;
export const BORN_TIMESTAMP = 40;
export const BORN_HOST = 48;

/** More bytes of an IPv6 host than of an IPv4 one. */
export const IPV6_EXTRA = 12;
/** Offset of storeTimestamp behind an IPv4 bornHost. */
export const STORE_TIMESTAMP_V4 = 56;
/** Bytes from storeTimestamp to storeHost, and from the end of an IPv4 storeHost to bodyLength. */
export const STORE_HOST_AFTER_TIMESTAMP = 8;
/** Offset of reconsumeTimes with two IPv4 hosts. */
export const RECONSUME_TIMES_V4 = 72;
export const PREPARED_OFFSET_AFTER_RECONSUME = 4;
export const BODY_LENGTH_AFTER_RECONSUME = 12;
/** V1 record with IPv4 hosts, no topic, body or properties. */
export const FIXED_BYTES_V1_IPV4 = 91;

export const MAGIC_V1 = 0xdaa320a7 | 0;
export const MAGIC_V2 = 0xdaa320ab | 0;
export const MAGIC_BLANK = 0xcbd43194 | 0;

/** Bytes of a BLANK record, and what must stay free behind every record of a file. */
export const BLANK_BYTES = 8;

export const SYS_COMPRESSED = 0x1;
export const SYS_MULTI_TAGS = 0x2;
export const SYS_TRANSACTION_MASK = 0xc;
export const SYS_TRANSACTION_PREPARED = 0x4;
export const SYS_TRANSACTION_COMMIT = 0x8;
export const SYS_TRANSACTION_ROLLBACK = 0xc;
export const SYS_BORN_HOST_V6 = 0x10;
export const SYS_STORE_HOST_V6 = 0x20;
export const SYS_NEED_UNWRAP = 0x40;
export const SYS_INNER_BATCH = 0x80;

/** Longest topic that a V1 record holds (its length is a signed byte). */
export const MAX_TOPIC_V1 = 127;
/** Longest properties text (its length is a signed int16). */
export const MAX_PROPERTIES = 32767;

export const PROPERTY_NAME_END = 1;
export const PROPERTY_VALUE_END = 2;

/** Bytes of a whole record. Lengths in bytes; V2 exactly when the topic does not fit V1. */
export function recordSize(
  bodyLength: number,
  topicLength: number,
  propertiesLength: number,
  sysFlag: number,
): number {
  return (
    FIXED_BYTES_V1_IPV4 +
    ((sysFlag & SYS_BORN_HOST_V6) !== 0 ? IPV6_EXTRA : 0) +
    ((sysFlag & SYS_STORE_HOST_V6) !== 0 ? IPV6_EXTRA : 0) +
    (topicLength > MAX_TOPIC_V1 ? 1 : 0) +
    bodyLength +
    topicLength +
    propertiesLength
  );
}
