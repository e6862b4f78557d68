/** A piece of a file with its bytes beside what they mean, and what is wrong with it. */
import { type Damage, type Field, hexDump, type Item, jsonValue, printable } from '../item.ts';
import type { FieldSpec } from './formats/shape.ts';
import { type PieceField, pieceFields } from './piece-fields.ts';
import { lower, wrapped } from './text.ts';

const ROW_BYTES = 8;
/** Rows of a field that are shown without --hex. */
const MOST_ROWS = 4;
const HEX_COLUMNS = ROW_BYTES * 3 - 1;
const MOST_VALUE = 40;
const AROUND_BEFORE = 32;
const AROUND_LENGTH = 80;

export interface Shown {
  /** All bytes of long fields. */
  hex: boolean;
  /** What each field is for, below it. */
  whys: boolean;
}

/** Bytes of the file that the item is of. */
export type ReadBytes = (at: number, length: number) => Uint8Array;

export function explainedItem(item: Item, shown: Shown, read: ReadBytes): string {
  const byte = item.byte ?? item.at;
  const where =
    byte === item.at ? `byte ${byte}` : `position ${item.at} of the log, byte ${byte} of the file`;
  const size = item.bytes === undefined ? '' : `, ${item.bytes.length} bytes`;
  let text = `${item.what}: ${where}${size}\n`;
  text += item.piece === undefined ? plainRows(item, shown) : pieceRows(item, shown);
  for (const damage of item.damage ?? []) text += damageText(damage, read);
  return text;
}

/** What is wrong, and the bytes around it with the one in question in brackets. */
export function damageText({ at, text }: Damage, read: ReadBytes): string {
  const from = Math.max(0, at - AROUND_BEFORE - (at % 16));
  const around = read(from, AROUND_LENGTH);
  return `${wrapped(`  WRONG at byte ${at}: `, text)}${around.length === 0 ? '' : hexDump(around, from, at)}`;
}

function pieceRows(item: Item, shown: Shown): string {
  const bytes = item.bytes ?? new Uint8Array(0);
  const raw = item.piece === undefined ? [] : pieceFields(item.piece, bytes);
  const names = Math.max(4, ...[...raw, ...item.fields].map(({ name }) => name.length));
  let text = '';
  let before: FieldSpec | undefined;
  for (const field of raw) {
    text += fieldRows(field, bytes, meaningOf(field, item), names, shown);
    if (shown.whys && (field.name === field.spec.name || field.spec !== before)) text += whyText(field.spec);
    before = field.spec;
  }
  return text + computedRows(item, raw, names);
}

function whyText({ why, beware }: FieldSpec): string {
  const indent = `${' '.repeat(12 + HEX_COLUMNS)}  `;
  const warning = beware === undefined ? '' : ` Not to be assumed: ${lower(beware)}`;
  return wrapped(indent, why + warning);
}

function fieldRows(
  field: PieceField,
  bytes: Uint8Array,
  meaning: string,
  names: number,
  { hex }: Shown,
): string {
  const { at, bytes: length, name, value } = field;
  const rows = Math.ceil(length / ROW_BYTES);
  const most = hex ? rows : Math.min(rows, MOST_ROWS);
  let text = '';
  for (let row = 0; row < Math.max(1, most); row++) {
    const part = bytes.subarray(at + row * ROW_BYTES, Math.min(at + length, at + (row + 1) * ROW_BYTES));
    const shownBytes = Buffer.from(part)
      .toString('hex')
      .replaceAll(/(..)(?=.)/g, '$1 ');
    const begin = `  ${String(at + row * ROW_BYTES).padStart(8)}  ${shownBytes.padEnd(HEX_COLUMNS)}  `;
    text +=
      row === 0
        ? `${begin}${name.padEnd(names)}  ${valueText(value)}  ${meaning}`.trimEnd()
        : `${begin}${printable(part)}`;
    text += '\n';
  }
  if (most < rows) text += `  ${''.padStart(8)}  … and ${length - most * ROW_BYTES} bytes more\n`;
  return text;
}

function valueText(value: PieceField['value']): string {
  const text = String(value);
  return (text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE)}…` : text).padEnd(14);
}

/** The general words, and what they come to here. */
function meaningOf({ name, spec }: PieceField, item: Item): string {
  const here = item.fields.find((field) => field.name === name)?.meaning ?? '';
  const general = name === spec.name ? spec.meaning : '';
  if (here === '' || here === general) return general;
  return general === '' || here.startsWith(general) ? here : `${general}: ${here}`;
}

/** Fields that do not stand in the bytes. */
function computedRows({ fields }: Item, raw: readonly PieceField[], names: number): string {
  const inBytes = new Set(raw.map(({ name }) => name));
  let text = '';
  for (const { name, value, meaning = '' } of fields.filter((field) => !inBytes.has(field.name)))
    text +=
      `  ${'computed'.padStart(8)}  ${''.padEnd(HEX_COLUMNS)}  ${name.padEnd(names)}  ${valueText(value)}  ${meaning}`.trimEnd() +
      '\n';
  return text;
}

/** Of text files, and of what is no piece: fields with the bytes where they begin, or the bytes alone. */
function plainRows({ fields, bytes, at, byte = at }: Item, { hex }: Shown): string {
  const names = Math.max(...fields.map(({ name }) => name.length), 0);
  const values = Math.min(MOST_VALUE, Math.max(...fields.map(({ value }) => String(value).length), 0));
  let text = '';
  for (const field of fields) text += plainRow(field, names, values);
  return bytes === undefined || (!hex && fields.length > 0) ? text : text + hexDump(bytes, byte);
}

function plainRow({ at, name, value, meaning = '' }: Field, names: number, values: number): string {
  return (
    `  ${String(at ?? '').padStart(8)}  ${name.padEnd(names)}  ${String(value).padEnd(values)}  ${meaning}`.trimEnd() +
    '\n'
  );
}

/** The same for programs: members beside those that `log dump --json` has anyway. */
export function explainedJson(item: Item): object {
  const bytes = item.bytes ?? new Uint8Array(0);
  const raw = item.piece === undefined ? [] : pieceFields(item.piece, bytes);
  const explained = raw.map((field) => ({
    name: field.name,
    at: field.at,
    bytes: field.bytes,
    hex: Buffer.from(bytes.subarray(field.at, field.at + field.bytes)).toString('hex'),
    value: jsonValue(field.value),
    meaning: meaningOf(field, item),
    why: field.spec.why,
  }));
  const others =
    item.piece === undefined
      ? item.fields.map(({ value, ...field }) => ({ ...field, value: jsonValue(value) }))
      : [];
  return {
    byte: item.byte ?? item.at,
    explained: [...explained, ...others],
    ...((item.damage?.length ?? 0) > 0 && { damage: item.damage }),
  };
}
