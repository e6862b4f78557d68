/** The fields of a piece as they stand in its bytes: where, how long, which value, described by the format's table. */
import { hostText } from '../../../net/addresses.ts';
import { type FieldSpec, numberAt, type PieceSpec, type PlacedField, placeFields } from './formats/shape.ts';

export interface PieceField {
  readonly spec: FieldSpec;
  readonly name: string;
  /** Offset in the piece. */
  readonly at: number;
  readonly bytes: number;
  readonly value: string | number | bigint;
}

const SHOWN_TEXT = 64;
const NAME_END = 1;
const VALUE_END = 2;

/** As many as lie within the bytes; a text of properties becomes a field for each of them. */
export function pieceFields(piece: PieceSpec, bytes: Uint8Array): PieceField[] {
  return placeFields(piece, bytes).flatMap((placed) =>
    placed.spec.type === 'properties' ? properties(placed, bytes) : [fieldOf(placed, bytes)],
  );
}

function fieldOf({ spec, at, bytes: length }: PlacedField, bytes: Uint8Array): PieceField {
  return { spec, name: spec.name, at, bytes: length, value: valueIn(spec, bytes, at, length) };
}

function valueIn(
  { name, type }: FieldSpec,
  bytes: Uint8Array,
  at: number,
  length: number,
): PieceField['value'] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case 'host':
      return hostText({ address: bytes.subarray(at, at + length - 4), port: view.getInt32(at + length - 4) });
    case 'text':
      return Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
    case 'bytes':
      return bytesText(bytes.subarray(at, at + length));
    case 'i64': {
      const number = numberAt(view, at, type);
      return Number.isSafeInteger(number) ? number : view.getBigInt64(at);
    }
    default: {
      const number = numberAt(view, at, type);
      return IN_HEX.has(name) && length === 4 ? hex(number) : number;
    }
  }
}

/** Bits and checksums. */
const IN_HEX: ReadonlySet<string> = new Set(['magic', 'bodyCrc', 'seal', 'ownCrc', 'fieldsCrc']);

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}

/** Text in quotes where it is text, else hex; of long ones the beginning. */
export function bytesText(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SHOWN_TEXT));
  // The cut may go through a character.
  const text = shown.toString('utf8').replace(/\ufffd{1,3}$/, shown.length < bytes.length ? '' : '$&');
  const isText = !/[\p{Cc}\ufffd]/u.test(text.replaceAll(/\s/g, ''));
  return isText ? JSON.stringify(text) : shown.subarray(0, SHOWN_TEXT / 2).toString('hex');
}

/** One for each property, its two separators included; one for the rest that is none. */
function properties({ spec, at, bytes: length }: PlacedField, bytes: Uint8Array): PieceField[] {
  const fields: PieceField[] = [];
  const end = at + length;
  for (let from = at; from < end; ) {
    const found = bytes.indexOf(VALUE_END, from);
    const to = found < 0 || found >= end ? end : found + 1;
    const valueEnd = found < 0 || found >= end ? end : found;
    const nameEnd = bytes.indexOf(NAME_END, from);
    const isProperty = nameEnd > from && nameEnd < valueEnd;
    const text = (start: number, stop: number) => Buffer.from(bytes.subarray(start, stop)).toString('utf8');
    fields.push({
      spec,
      name: isProperty ? `property ${text(from, nameEnd)}` : 'no property',
      at: from,
      bytes: to - from,
      value: isProperty ? text(nameEnd + 1, valueEnd) : bytesText(bytes.subarray(from, valueEnd)),
    });
    from = to;
  }
  return fields;
}
