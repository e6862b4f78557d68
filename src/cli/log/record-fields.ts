/** A record of the CommitLog as fields that explain themselves. */
import { compressionName } from '../../record/compression.ts';
import { decodeRecord, messageIdOf, type StoredMessage } from '../../record/decode.ts';
import {
  MAGIC_V2,
  SYS_BORN_HOST_V6,
  SYS_COMPRESSED,
  SYS_INNER_BATCH,
  SYS_MULTI_TAGS,
  SYS_NEED_UNWRAP,
  SYS_STORE_HOST_V6,
  SYS_TRANSACTION_COMMIT,
  SYS_TRANSACTION_MASK,
  SYS_TRANSACTION_PREPARED,
  SYS_TRANSACTION_ROLLBACK,
} from '../../record/layout.ts';
import { magicOf } from '../../record/view.ts';
import { DAMAGED_PROPERTY, HOLE_TOPIC } from '../../store/recovery/hole.ts';
import { RECORD } from './explain/formats/commit-log.ts';
import { type PieceField, pieceFields } from './explain/piece-fields.ts';
import type { Field } from './item.ts';
import { transactionFields } from './transaction-record.ts';

const SHOWN_BODY = 64;

/** All fields of a whole, well-formed record; empty when it is none. */
export function recordFields(record: Uint8Array, crcHolds: boolean): Field[] {
  const message = decodeRecord(record);
  if (message === undefined) return [];
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  return [
    ...pieceFields(RECORD, record).map((field) =>
      fieldWith(field, meaningOf(field, message, view, crcHolds)),
    ),
    { name: 'messageId', value: messageIdOf(message), meaning: 'computed: store host and position in hex' },
    ...transactionFields(message),
    ...damageFields(message),
  ];
}

/** Of what recovery has put in place of damage. */
function damageFields({ topic, properties }: StoredMessage): Field[] {
  const kept = 'what stood there is kept in ringmq.cut';
  if (topic === HOLE_TOPIC)
    return [{ name: 'fills', value: 'a hole', meaning: `damage stood here; it is in no queue, and ${kept}` }];
  const position = properties.get(DAMAGED_PROPERTY);
  if (position === undefined) return [];
  return [
    {
      name: 'damaged at',
      value: position,
      meaning: `the body was lost; the queue keeps its number, and ${kept}`,
    },
  ];
}

function fieldWith({ at, name, value }: PieceField, meaning: string): Field {
  return meaning === '' ? { at, name, value } : { at, name, value, meaning };
}

function meaningOf(
  { name, spec }: PieceField,
  message: StoredMessage,
  view: DataView,
  crcHolds: boolean,
): string {
  switch (name) {
    case 'magic':
      return magicOf(view, 0) === MAGIC_V2 ? 'V2: topic length in two bytes' : 'V1: topic length in one byte';
    case 'bodyCrc':
      return `${spec.meaning}: ${crcHolds ? 'holds' : 'DOES NOT HOLD'}`;
    case 'sysFlag':
      return sysFlagText(message.sysFlag);
    case 'bornTimestamp':
      return time(message.bornTimestamp);
    case 'storeTimestamp':
      return time(message.storeTimestamp);
    case 'body':
      return message.body.length > SHOWN_BODY ? 'its beginning' : '';
    default:
      return name === spec.name ? spec.meaning : '';
  }
}

/** ISO time of ms since 1970; empty for 0, which means "none" everywhere. */
export function time(milliseconds: number): string {
  const date = new Date(milliseconds);
  return milliseconds === 0 || Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

function sysFlagText(flag: number): string {
  const transaction = flag & SYS_TRANSACTION_MASK;
  const names = [
    flag & SYS_COMPRESSED && `body compressed by ${compressionName(flag) ?? 'an unknown method'}`,
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
