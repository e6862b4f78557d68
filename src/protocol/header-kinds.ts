/**
 * Which bytes of a header may differ in another one without changing its structure: those of the opaque, and those of
 * values. Of properties (`name \x01 value \x02`) only the values, so that also their places hold.
 */
import {
  ANY,
  DIGIT,
  FIRST_DIGIT,
  FIXED,
  isUnseparatedByte,
  PLAIN_TEXT,
  UNSEPARATED,
} from '../lib/byte-template.ts';
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from '../record/layout.ts';
import { OPAQUE_OFFSET } from './binary-header.ts';
import type { FieldTable } from './field-table.ts';
import { escapeLength, hexUnit } from './json-scan.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/**
 * Of a JSON header: digits of the opaque, whose digits stand in text[opaqueFrom, opaqueTo), among digits, and plain
 * bytes of quoted values among plain ASCII bytes. `fields` count from the start of the text.
 */
export function jsonKinds(
  text: Uint8Array,
  fields: FieldTable,
  opaqueFrom: number,
  opaqueTo: number,
  negative: boolean,
): Uint8Array {
  const kinds = new Uint8Array(text.length).fill(FIXED);
  kinds.fill(DIGIT, opaqueFrom, opaqueTo);
  // No leading zero, and no -0.
  if (opaqueTo - opaqueFrom > 1 || negative) kinds[opaqueFrom] = FIRST_DIGIT;
  for (let field = 0; field < fields.count; field++) allowQuoted(text, fields, field, kinds);
  return kinds;
}

function allowQuoted(text: Uint8Array, fields: FieldTable, field: number, kinds: Uint8Array): void {
  const from = fields.valueOffset[field] as number;
  const to = from + (fields.valueLength[field] as number);
  if (text[from - 1] !== QUOTE) return;
  // In a value without escapes there are no properties.
  let free = !fields.isEscaped(field);
  for (let at = from; at < to; ) {
    if (text[at] !== BACKSLASH) {
      kinds[at++] = free ? PLAIN_TEXT : FIXED;
      continue;
    }
    const unit = text[at + 1] === LOWER_U ? hexUnit(text, at + 2) : -1;
    if (unit === PROPERTY_NAME_END) free = true;
    else if (unit === PROPERTY_VALUE_END) free = false;
    at += escapeLength(text, at, to);
  }
}

/** Of a binary header: all of the opaque, and bytes of values that are UNSEPARATED among such. */
export function binaryKinds(text: Uint8Array, fields: FieldTable): Uint8Array {
  const kinds = new Uint8Array(text.length).fill(FIXED);
  kinds.fill(ANY, OPAQUE_OFFSET, OPAQUE_OFFSET + 4);
  for (let field = 0; field < fields.count; field++) allowUnseparated(text, fields, field, kinds);
  return kinds;
}

function allowUnseparated(text: Uint8Array, fields: FieldTable, field: number, kinds: Uint8Array): void {
  const from = fields.valueOffset[field] as number;
  const to = from + (fields.valueLength[field] as number);
  // In a value without separators there are no properties.
  let free = text.subarray(from, to).every(isUnseparatedByte);
  for (let at = from; at < to; at++) {
    const byte = text[at] as number;
    if (byte === PROPERTY_NAME_END) free = true;
    else if (byte === PROPERTY_VALUE_END) free = false;
    else if (free && isUnseparatedByte(byte)) kinds[at] = UNSEPARATED;
  }
}
