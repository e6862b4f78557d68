/** What lies in the store's files, field by field, by the tables that `log dump --explain` has of the formats. */
import { decodeRecord } from '../../../record/decode.ts';
import { MAGIC_V1, MAGIC_V2 } from '../../../record/layout.ts';
import { physicalOffsetOf, totalSizeOf } from '../../../record/view.ts';
import { RECORD } from '../../log/explain/formats/commit-log.ts';
import { fieldOf, type PieceSpec } from '../../log/explain/formats/shape.ts';
import { pieceFields } from '../../log/explain/piece-fields.ts';
import { time } from '../../log/record-fields.ts';
import { FieldList, type Piece, type PieceField } from './piece.ts';
import { propertyMeaning } from './properties.ts';

/** A piece of one of the formats; `from`: where it begins in its file, or in the log. */
export function storedPiece(title: string, spec: PieceSpec, bytes: Uint8Array, from: number): Piece {
  return { title, bytes, from, fields: formatFields(spec, bytes) };
}

export function formatFields(spec: PieceSpec, bytes: Uint8Array): PieceField[] {
  const list = new FieldList(bytes);
  for (const { spec: field, name, bytes: length, value } of pieceFields(spec, bytes)) {
    const meaning = field.type === 'properties' ? propertyMeaning(name) : field.meaning;
    list.add(length, name, withTime(name, value), meaning);
  }
  if (list.at < bytes.length) list.rest('?', 'what the lengths in front do not tell of');
  return list.fields;
}

const TIMES: ReadonlySet<string> = new Set([
  ...['bornTimestamp', 'storeTimestamp', 'beginTimestamp', 'endTimestamp', 'writeTime'],
]);

function withTime(name: string, value: string | number | bigint): string {
  const isTime = TIMES.has(name) && typeof value === 'number' && value > 0;
  return isTime ? `${value} (${time(value)})` : String(value);
}

export function recordFields(bytes: Uint8Array): PieceField[] {
  return formatFields(RECORD, bytes);
}

/** The records that lie one behind the other in the body of an answer, field by field. */
export function recordsIn(body: Uint8Array): PieceField[] {
  const list = new FieldList(body);
  const several = recordsOf(body).length > 1;
  for (const [i, record] of recordsOf(body).entries())
    list.inside(recordFields(record), several ? `[${i}] ` : '');
  return list.fields;
}

/** Whole records at the beginning of `bytes`, until something else stands there. */
export function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    const size = totalSizeOf(view, 0);
    const magic = view.getInt32(4);
    if ((magic !== MAGIC_V1 && magic !== MAGIC_V2) || size <= 0 || at + size > bytes.length) break;
    const record = bytes.subarray(at, at + size);
    if (decodeRecord(record) === undefined) break;
    records.push(record);
    at += size;
  }
  return records;
}

/** Position in the log that a record says it has. */
export function positionOf(record: Uint8Array): number {
  return physicalOffsetOf(new DataView(record.buffer, record.byteOffset, record.length), 0);
}

/** A properties text by itself. */
export function propertiesOf(bytes: Uint8Array): PieceField[] {
  const spec = { ...fieldOf(RECORD, 'properties'), size: bytes.length };
  return formatFields({ name: 'properties', place: '', fields: [spec] }, bytes);
}
