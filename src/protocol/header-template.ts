/**
 * Headers that were met before. A client writes the same header again and again: only digits of the opaque and parts of
 * values differ. So a header that was scanned becomes a template, and the next one of its length is compared with it
 * eight bytes at a time; where they differ, only bytes that cannot change the structure are accepted. What the scan has
 * found then holds for the new header too.
 *
 * Which bytes may differ: digits of the opaque among digits, and plain bytes of quoted values among plain ASCII bytes,
 * except the names inside properties (`name \x01 value \x02`), so that also places of properties hold.
 */
import {
  ByteTemplate,
  DIGIT,
  FIRST_DIGIT,
  FIXED,
  MIN_TEMPLATE_BYTES,
  PLAIN_TEXT,
} from '../lib/byte-template.ts';
import { type Template, TemplateShelf } from '../lib/template-shelf.ts';
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from '../record/layout.ts';
import { FieldTable } from './field-table.ts';
import { escapeLength, hexUnit, type JsonScan } from './json-scan.ts';
import { KnownProperties } from './known-properties.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ZERO = 0x30;
const MAX_INT32 = 0x7fffffff;
const NONE = -1;

/** Longer headers are rare, and cheap beside what they come with. */
const LONGEST = 2048;

export class HeaderTemplate implements Template {
  readonly code: number;
  readonly flag: number;
  readonly version: number;
  /** Of the header that matched last. */
  opaque = 0;
  readonly fields = new FieldTable(true);
  readonly #text: Uint8Array;
  readonly #template: ByteTemplate;
  readonly #opaqueFrom: number;
  readonly #opaqueTo: number;
  readonly #negative: boolean;
  /** What `properties` found, and in which field. */
  #properties: KnownProperties | undefined;
  #propertiesField = NONE;

  /** Of the ASCII header in bytes[from, to), which `scan` has just read into `table`. */
  constructor(bytes: Uint8Array, from: number, to: number, scan: JsonScan, table: FieldTable) {
    this.code = scan.code;
    this.flag = scan.flag;
    this.version = scan.version;
    this.#text = bytes.slice(from, to);
    this.fields.adopt(table, from);
    this.#opaqueFrom = scan.opaqueFrom < 0 ? 0 : scan.opaqueFrom - from;
    this.#opaqueTo = scan.opaqueFrom < 0 ? 0 : scan.opaqueTo - from;
    this.#negative = scan.opaque < 0;
    const kinds = new Uint8Array(to - from).fill(FIXED);
    this.#allowOpaque(kinds);
    for (let field = 0; field < this.fields.count; field++) this.#allowValue(field, kinds);
    this.#template = new ByteTemplate(this.#text, kinds);
  }

  /** Whether the header of the same length that begins at bytes[from] has this layout; then `fields` are its own. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean {
    if (!this.#template.matches(view, from) || !this.#readOpaque(bytes, from)) return false;
    this.fields.moveTo(bytes, from);
    return true;
  }

  /** The properties that a field holds, when they can be taken from the template. */
  properties(field: number): KnownProperties | undefined {
    if (field !== this.#propertiesField) {
      const from = this.fields.valueOffset[field] as number;
      const to = from + (this.fields.valueLength[field] as number);
      this.#properties = KnownProperties.of(this.#text, from, to);
      this.#propertiesField = field;
    }
    return this.#properties;
  }

  /** False when the number is none that fits: for the scan to find out. */
  #readOpaque(bytes: Uint8Array, from: number): boolean {
    let value = 0;
    const end = from + this.#opaqueTo;
    for (let i = from + this.#opaqueFrom; i < end; i++) value = value * 10 + (bytes[i] as number) - ZERO;
    this.opaque = this.#negative ? -value : value;
    return value <= MAX_INT32;
  }

  #allowOpaque(kinds: Uint8Array): void {
    const length = this.#opaqueTo - this.#opaqueFrom;
    kinds.fill(DIGIT, this.#opaqueFrom, this.#opaqueTo);
    // No leading zero, and no -0.
    if (length > 1 || this.#negative) kinds[this.#opaqueFrom] = FIRST_DIGIT;
  }

  #allowValue(field: number, kinds: Uint8Array): void {
    const from = this.fields.valueOffset[field] as number;
    const to = from + (this.fields.valueLength[field] as number);
    if (this.#text[from - 1] !== QUOTE) return;
    // In a value without escapes there are no properties.
    let free = !this.fields.isEscaped(field);
    for (let at = from; at < to; ) {
      if (this.#text[at] !== BACKSLASH) {
        kinds[at++] = free ? PLAIN_TEXT : FIXED;
        continue;
      }
      const unit = this.#text[at + 1] === LOWER_U ? hexUnit(this.#text, at + 2) : -1;
      if (unit === PROPERTY_NAME_END) free = true;
      else if (unit === PROPERTY_VALUE_END) free = false;
      at += escapeLength(this.#text, at, to);
    }
  }
}

export class HeaderTemplates {
  readonly #shelf = new TemplateShelf<HeaderTemplate>(LONGEST);

  /** The template whose layout the header in bytes[from, to) has, moved to it. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): HeaderTemplate | undefined {
    return this.#shelf.find(bytes, view, from, to - from);
  }

  /** Remembers a header that was scanned. */
  learn(bytes: Uint8Array, from: number, to: number, scan: JsonScan, table: FieldTable): void {
    const length = to - from;
    if (!scan.ascii || length < MIN_TEMPLATE_BYTES || !this.#shelf.wants(length)) return;
    this.#shelf.put(length, new HeaderTemplate(bytes, from, to, scan, table));
  }
}
