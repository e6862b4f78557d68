/**
 * Headers that were met before. A client writes the same header again and again: only the opaque and parts of values
 * differ. So a header that was scanned becomes a template, and the next one of its length is compared with it eight
 * bytes at a time; where they differ, only bytes that cannot change the structure are accepted (`header-kinds.ts`).
 * What the scan has found then holds for the new header too.
 */
import { ByteTemplate, MIN_TEMPLATE_BYTES } from '../lib/byte-template.ts';
import { copied } from '../lib/copied.ts';
import { type Template, TemplateShelf } from '../lib/template-shelf.ts';
import { OPAQUE_OFFSET } from './binary-header.ts';
import type { BinaryScan } from './binary-scan.ts';
import { FieldTable } from './field-table.ts';
import { binaryKinds, jsonKinds } from './header-kinds.ts';
import { JsonScan } from './json-scan.ts';
import { KnownProperties } from './known-properties.ts';

const ZERO = 0x30;
const MAX_INT32 = 0x7fffffff;
const NONE = -1;

/** Longer headers are rare, and cheap beside what they come with. */
const LONGEST = 2048;

export type HeaderScan = JsonScan | BinaryScan;

export class HeaderTemplate implements Template {
  readonly code: number;
  readonly flag: number;
  readonly version: number;
  /** Of the header that matched last. */
  opaque = 0;
  readonly fields = new FieldTable(true);
  readonly #text: Uint8Array;
  readonly #template: ByteTemplate;
  readonly #json: boolean;
  /** Where a JSON header has the digits of its opaque, and whether a minus stands before them. */
  #opaqueFrom = 0;
  #opaqueTo = 0;
  #negative = false;
  /** What `properties` found, and in which field. */
  #properties: KnownProperties | undefined;
  #propertiesField = NONE;

  /** Of the header in bytes[from, to), which `scan` has just read into `table`; a JSON header must be ASCII. */
  constructor(bytes: Uint8Array, from: number, to: number, scan: HeaderScan, table: FieldTable) {
    this.code = scan.code;
    this.flag = scan.flag;
    this.version = scan.version;
    this.#text = copied(bytes, from, to);
    this.fields.adopt(table, from);
    this.#json = scan instanceof JsonScan;
    this.#template = new ByteTemplate(
      this.#text,
      scan instanceof JsonScan ? this.#jsonKinds(scan, from) : binaryKinds(this.#text, this.fields),
    );
  }

  /** Whether the header of the same length that begins at bytes[from] has this layout; then `fields` are its own. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean {
    if (!this.#template.matches(view, from)) return false;
    if (!this.#json) this.opaque = view.getInt32(from + OPAQUE_OFFSET);
    else if (!this.#readDigits(bytes, from)) return false;
    this.fields.moveTo(bytes, from);
    return true;
  }

  /** The properties that a field holds, when they can be taken from the template. */
  properties(field: number): KnownProperties | undefined {
    if (field !== this.#propertiesField) {
      const from = this.fields.valueOffset[field] as number;
      const to = from + (this.fields.valueLength[field] as number);
      this.#properties = this.#json
        ? KnownProperties.escaped(this.#text, from, to)
        : KnownProperties.plain(this.#text, from, to);
      this.#propertiesField = field;
    }
    return this.#properties;
  }

  /** False when the number is none that fits: for the scan to find out. */
  #readDigits(bytes: Uint8Array, from: number): boolean {
    let value = 0;
    const end = from + this.#opaqueTo;
    for (let i = from + this.#opaqueFrom; i < end; i++) value = value * 10 + (bytes[i] as number) - ZERO;
    this.opaque = this.#negative ? -value : value;
    return value <= MAX_INT32;
  }

  #jsonKinds(scan: JsonScan, from: number): Uint8Array {
    if (scan.opaqueFrom >= 0) {
      this.#opaqueFrom = scan.opaqueFrom - from;
      this.#opaqueTo = scan.opaqueTo - from;
    }
    this.#negative = scan.opaque < 0;
    return jsonKinds(this.#text, this.fields, this.#opaqueFrom, this.#opaqueTo, this.#negative);
  }
}

/** Of headers of one form: whoever has both forms keeps two, as bytes of one may look like the other. */
export class HeaderTemplates {
  readonly #shelf = new TemplateShelf<HeaderTemplate>(LONGEST);

  /** The template whose layout the header in bytes[from, to) has, moved to it. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): HeaderTemplate | undefined {
    return this.#shelf.find(bytes, view, from, to - from);
  }

  /** Remembers a header that was scanned; a JSON header must be ASCII. */
  learn(bytes: Uint8Array, from: number, to: number, scan: HeaderScan, table: FieldTable): void {
    const length = to - from;
    if (length < MIN_TEMPLATE_BYTES || !this.#shelf.wants(length)) return;
    this.#shelf.put(length, new HeaderTemplate(bytes, from, to, scan, table));
  }
}
