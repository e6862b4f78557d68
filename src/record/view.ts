/** Accessors of a stored record: (view, offset of the record) to field, without objects. See layout.ts. */
import { readInt64 } from '../lib/int64.ts';
import {
  BODY_CRC,
  BODY_LENGTH_AFTER_RECONSUME,
  BORN_TIMESTAMP,
  FLAG,
  IPV6_EXTRA,
  MAGIC,
  MAGIC_V2,
  PHYSICAL_OFFSET,
  PREPARED_OFFSET_AFTER_RECONSUME,
  QUEUE_ID,
  QUEUE_OFFSET,
  RECONSUME_TIMES_V4,
  STORE_TIMESTAMP_V4,
  SYS_BORN_HOST_V6,
  SYS_FLAG,
  SYS_STORE_HOST_V6,
  TOTAL_SIZE,
} from './layout.ts';

export function totalSizeOf(view: DataView, at: number): number {
  return view.getInt32(at + TOTAL_SIZE);
}

export function magicOf(view: DataView, at: number): number {
  return view.getInt32(at + MAGIC);
}

export function bodyCrcOf(view: DataView, at: number): number {
  return view.getInt32(at + BODY_CRC);
}

export function queueIdOf(view: DataView, at: number): number {
  return view.getInt32(at + QUEUE_ID);
}

export function flagOf(view: DataView, at: number): number {
  return view.getInt32(at + FLAG);
}

export function queueOffsetOf(view: DataView, at: number): number {
  return readInt64(view, at + QUEUE_OFFSET);
}

export function physicalOffsetOf(view: DataView, at: number): number {
  return readInt64(view, at + PHYSICAL_OFFSET);
}

export function sysFlagOf(view: DataView, at: number): number {
  return view.getInt32(at + SYS_FLAG);
}

export function bornTimestampOf(view: DataView, at: number): number {
  return readInt64(view, at + BORN_TIMESTAMP);
}

/** Offset of storeTimestamp within a record with these flags. */
export function storeTimestampOffset(sysFlag: number): number {
  return (sysFlag & SYS_BORN_HOST_V6) !== 0 ? STORE_TIMESTAMP_V4 + IPV6_EXTRA : STORE_TIMESTAMP_V4;
}

export function storeTimestampOf(view: DataView, at: number): number {
  return readInt64(view, at + storeTimestampOffset(sysFlagOf(view, at)));
}

function reconsumeTimesOffset(sysFlag: number): number {
  return (
    RECONSUME_TIMES_V4 +
    ((sysFlag & SYS_BORN_HOST_V6) !== 0 ? IPV6_EXTRA : 0) +
    ((sysFlag & SYS_STORE_HOST_V6) !== 0 ? IPV6_EXTRA : 0)
  );
}

export function reconsumeTimesOf(view: DataView, at: number): number {
  return view.getInt32(at + reconsumeTimesOffset(sysFlagOf(view, at)));
}

export function preparedTransactionOffsetOf(view: DataView, at: number): number {
  return readInt64(view, at + reconsumeTimesOffset(sysFlagOf(view, at)) + PREPARED_OFFSET_AFTER_RECONSUME);
}

/** Offset, within the record, of the bodyLength field. */
export function bodyLengthOffset(sysFlag: number): number {
  return reconsumeTimesOffset(sysFlag) + BODY_LENGTH_AFTER_RECONSUME;
}

export function bodyLengthOf(view: DataView, at: number): number {
  return view.getInt32(at + bodyLengthOffset(sysFlagOf(view, at)));
}

/**
 * Where the variable parts of one record lie; offsets are absolute in the view. One instance is reused for many
 * records.
 */
export class RecordParts {
  bodyOffset = 0;
  bodyLength = 0;
  topicOffset = 0;
  topicLength = 0;
  propertiesOffset = 0;
  propertiesLength = 0;
  /** Recomputed size of the whole record; a sound record has it in totalSize too. */
  size = 0;

  /**
   * Locates the parts of the record at `at`, looking at no byte from `end` on. False when the lengths do not fit.
   */
  locate(view: DataView, at: number, end: number): boolean {
    if (at + 48 > end) return false;
    const bodyLengthAt = at + bodyLengthOffset(view.getInt32(at + SYS_FLAG));
    if (bodyLengthAt + 4 > end) return false;
    this.bodyLength = view.getInt32(bodyLengthAt);
    this.bodyOffset = bodyLengthAt + 4;
    const afterBody = this.bodyOffset + this.bodyLength;
    if (this.bodyLength < 0 || afterBody + 2 > end) return false;
    if (view.getInt32(at + MAGIC) === MAGIC_V2) {
      this.topicLength = view.getInt16(afterBody);
      this.topicOffset = afterBody + 2;
    } else {
      this.topicLength = view.getInt8(afterBody);
      this.topicOffset = afterBody + 1;
    }
    const afterTopic = this.topicOffset + this.topicLength;
    if (this.topicLength < 0 || afterTopic + 2 > end) return false;
    this.propertiesLength = view.getInt16(afterTopic);
    this.propertiesOffset = afterTopic + 2;
    this.size = this.propertiesOffset + this.propertiesLength - at;
    return this.propertiesLength >= 0 && at + this.size <= end;
  }
}
