/** A record of the CommitLog as fields that explain themselves. */

import { hostText } from '../../net/addresses.ts';
import { decodeRecord, messageIdOf, type StoredMessage } from '../../record/decode.ts';
import {
  BODY_CRC,
  BORN_HOST,
  BORN_TIMESTAMP,
  FLAG,
  MAGIC,
  MAGIC_V2,
  PHYSICAL_OFFSET,
  QUEUE_ID,
  QUEUE_OFFSET,
  STORE_HOST_AFTER_TIMESTAMP,
  SYS_BORN_HOST_V6,
  SYS_COMPRESSED,
  SYS_FLAG,
  SYS_INNER_BATCH,
  SYS_MULTI_TAGS,
  SYS_NEED_UNWRAP,
  SYS_STORE_HOST_V6,
  SYS_TRANSACTION_COMMIT,
  SYS_TRANSACTION_MASK,
  SYS_TRANSACTION_PREPARED,
  SYS_TRANSACTION_ROLLBACK,
  TOTAL_SIZE,
} from '../../record/layout.ts';
import {
  bodyCrcOf,
  bodyLengthOffset,
  magicOf,
  RecordParts,
  storeTimestampOffset,
  totalSizeOf,
} from '../../record/view.ts';
import type { Field } from './item.ts';
import { transactionFields } from './transaction-record.ts';

const SHOWN_BODY = 64;

/** All fields of a whole, well-formed record; empty when it is none. */
export function recordFields(record: Uint8Array, crcHolds: boolean): Field[] {
  const message = decodeRecord(record);
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const parts = new RecordParts();
  if (message === undefined || !parts.locate(view, 0, record.length)) return [];
  return [
    ...headFields(message, view, crcHolds),
    ...variableFields(message, view, parts),
    ...transactionFields(message),
  ];
}

function headFields(message: StoredMessage, view: DataView, crcHolds: boolean): Field[] {
  const magic = magicOf(view, 0);
  const storeTime = storeTimestampOffset(message.sysFlag);
  const reconsume = bodyLengthOffset(message.sysFlag) - 12;
  return [
    field(TOTAL_SIZE, 'totalSize', totalSizeOf(view, 0), 'bytes of the whole record'),
    field(
      MAGIC,
      'magic',
      hex(magic),
      magic === MAGIC_V2 ? 'V2: topic length in two bytes' : 'V1: topic length in one byte',
    ),
    field(
      BODY_CRC,
      'bodyCrc',
      hex(bodyCrcOf(view, 0)),
      `CRC-32 of the body & 0x7fffffff: ${crcHolds ? 'holds' : 'DOES NOT HOLD'}`,
    ),
    field(QUEUE_ID, 'queueId', message.queueId),
    field(FLAG, 'flag', message.flag, "the application's"),
    field(QUEUE_OFFSET, 'queueOffset', message.queueOffset, 'number of its entry in the ConsumeQueue'),
    field(PHYSICAL_OFFSET, 'physicalOffset', message.physicalOffset, 'position of this record in the log'),
    field(SYS_FLAG, 'sysFlag', message.sysFlag, sysFlagText(message.sysFlag)),
    field(BORN_TIMESTAMP, 'bornTimestamp', message.bornTimestamp, time(message.bornTimestamp)),
    field(BORN_HOST, 'bornHost', hostText(message.bornHost), 'the producer'),
    field(storeTime, 'storeTimestamp', message.storeTimestamp, time(message.storeTimestamp)),
    field(storeTime + STORE_HOST_AFTER_TIMESTAMP, 'storeHost', hostText(message.storeHost), 'the broker'),
    field(reconsume, 'reconsumeTimes', message.reconsumeTimes, 'failed deliveries so far'),
    field(reconsume + 4, 'preparedTransactionOffset', message.preparedTransactionOffset),
  ];
}

function variableFields(message: StoredMessage, view: DataView, parts: RecordParts): Field[] {
  const topicLengthBytes = magicOf(view, 0) === MAGIC_V2 ? 2 : 1;
  const fields: Field[] = [
    field(parts.bodyOffset - 4, 'bodyLength', parts.bodyLength),
    field(
      parts.bodyOffset,
      'body',
      bodyText(message.body),
      message.body.length > SHOWN_BODY ? 'its beginning' : '',
    ),
    field(parts.topicOffset - topicLengthBytes, 'topicLength', parts.topicLength),
    field(parts.topicOffset, 'topic', message.topic),
    field(parts.propertiesOffset - 2, 'propertiesLength', parts.propertiesLength),
  ];
  let at: number | undefined = parts.propertiesOffset;
  for (const [name, value] of message.properties) {
    fields.push(field(at, `property ${name}`, value));
    at = undefined;
  }
  fields.push(
    field(undefined, 'messageId', messageIdOf(message), 'computed: store host and position in hex'),
  );
  return fields;
}

function field(at: number | undefined, name: string, value: Field['value'], meaning = ''): Field {
  const made: Field = { name, value };
  if (at !== undefined) made.at = at;
  if (meaning !== '') made.meaning = meaning;
  return made;
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/** ISO time of ms since 1970; empty for 0, which means "none" everywhere. */
export function time(milliseconds: number): string {
  const date = new Date(milliseconds);
  return milliseconds === 0 || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

function bodyText(body: Uint8Array): string {
  const shown = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SHOWN_BODY));
  // The cut may go through a character.
  const text = shown.toString('utf8').replace(/\ufffd{1,3}$/, shown.length < body.length ? '' : '$&');
  const isText = !/[\p{Cc}\ufffd]/u.test(text.replaceAll(/\s/g, ''));
  return isText ? JSON.stringify(text) : shown.subarray(0, SHOWN_BODY / 2).toString('hex');
}

function sysFlagText(flag: number): string {
  const transaction = flag & SYS_TRANSACTION_MASK;
  const names = [
    flag & SYS_COMPRESSED && 'body compressed',
    flag & SYS_MULTI_TAGS && 'several tags',
    transaction === SYS_TRANSACTION_PREPARED && 'transaction: prepared',
    transaction === SYS_TRANSACTION_COMMIT && 'transaction: committed',
    transaction === SYS_TRANSACTION_ROLLBACK && 'transaction: rolled back',
    flag & SYS_BORN_HOST_V6 && 'bornHost is IPv6',
    flag & SYS_STORE_HOST_V6 && 'storeHost is IPv6',
    flag & SYS_NEED_UNWRAP && 'body to be unwrapped',
    flag & SYS_INNER_BATCH && 'body is a batch',
  ];
  return names.filter((name) => typeof name === 'string').join(', ');
}
