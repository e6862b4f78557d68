/** What `log dump` prints: one piece of a file, field by field, as text or as JSON. */
import type { FormatSpec, PieceSpec } from './explain/formats/shape.ts';

export interface Field {
  /** Offset of the field in its piece; undefined for what is computed from others. */
  at?: number;
  name: string;
  value: string | number | bigint;
  /** A few words for who reads the format for the first time. */
  meaning?: string;
}

/** Something that is wrong in a file. */
export interface Damage {
  /** Byte of the file. */
  at: number;
  text: string;
}

export interface Item {
  /** `record`, `queue entry`, … */
  what: string;
  /** Position of the piece in its file (for the CommitLog: in the log). */
  at: number;
  fields: Field[];
  /** The piece itself, for --hex. */
  bytes?: Uint8Array;
  /** All fields on one line: for pieces of which there are many. */
  short?: boolean;
  /** Instead of fields: text of a text file. */
  text?: string;
  /** What the bytes are, for --explain. */
  piece?: PieceSpec;
  /** Byte of the file at which the bytes begin, where that is not `at`. */
  byte?: number;
  damage?: readonly Damage[];
  /** Is told by --explain only. */
  explains?: boolean;
}

export interface DumpFile {
  /** Relative to the store. */
  path: string;
  /** On this machine. */
  source: string;
  /** What kind of file this is and how it is laid out. */
  about: string;
  /** Undefined for a file that no broker puts there. */
  format: FormatSpec | undefined;
  items: Iterable<Item>;
  /** What is wrong with the file as a whole. */
  damage?: () => readonly Damage[];
}

const HEX_WIDTH = 16;

export function formatItem(item: Item, hex: boolean): string {
  if (item.text !== undefined) return `${item.text.trimEnd()}\n`;
  const head = `${item.what} at ${item.at}`;
  const body = item.short === true ? shortFields(item.fields) : longFields(item.fields);
  const dump = hex && item.bytes !== undefined ? hexDump(item.bytes, item.at) : '';
  return item.short === true ? `${head}: ${body}\n${dump}` : `${head}\n${body}${dump}`;
}

/** One line; 64-bit values beyond what JSON readers hold exactly become text. `more`: further members. */
export function formatJson(path: string, item: Item, hex: boolean, more: object = {}): string {
  const fields = Object.fromEntries(item.fields.map(({ name, value }) => [name, jsonValue(value)]));
  const text = item.text === undefined ? {} : { text: item.text };
  const bytes = hex && item.bytes !== undefined ? { hex: Buffer.from(item.bytes).toString('hex') } : {};
  const { what, at } = item;
  return `${JSON.stringify({ file: path, what, at, ...fields, ...text, ...bytes, ...more })}\n`;
}

export function jsonValue(value: string | number | bigint): string | number {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function longFields(fields: readonly Field[]): string {
  const names = Math.max(...fields.map((field) => field.name.length));
  const values = Math.min(28, Math.max(...fields.map((field) => String(field.value).length)));
  let text = '';
  for (const { at, name, value, meaning } of fields) {
    const line = `  ${String(at ?? '').padStart(8)}  ${name.padEnd(names)}  ${String(value).padEnd(values)}  ${meaning ?? ''}`;
    text += `${line.trimEnd()}\n`;
  }
  return text;
}

function shortFields(fields: readonly Field[]): string {
  return fields
    .map(({ name, value, meaning }) => `${name} ${value}${meaning === undefined ? '' : ` (${meaning})`}`)
    .join(', ');
}

/** Rows of 16 bytes; those at `marked` (a place as `start` is one) stand in brackets. */
export function hexDump(bytes: Uint8Array, start: number, marked = -1): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += HEX_WIDTH) {
    const row = Buffer.from(bytes.subarray(at, at + HEX_WIDTH));
    const hex = (row.toString('hex').match(/../g) ?? []).join(' ').padEnd(HEX_WIDTH * 3 - 1);
    const here = marked - start - at;
    const shown = here >= 0 && here < row.length ? bracketed(hex, here) : ` ${hex} `;
    text += `  ${String(start + at).padStart(12)} ${shown} ${printable(row)}\n`;
  }
  return text;
}

function bracketed(hex: string, index: number): string {
  const from = index * 3;
  return `${` ${hex} `.slice(0, from)}[${hex.slice(from, from + 2)}]${` ${hex} `.slice(from + 4)}`;
}

export function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '.');
}
