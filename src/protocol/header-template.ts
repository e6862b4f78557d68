/**
 * Headers that were met before. A client writes the same header again and again: only digits of the opaque and parts of
 * values differ. So a header that was scanned becomes a template, and the next one of its length is compared with it
 * four bytes at a time; where they differ, only bytes that cannot change the structure are accepted. What the scan has
 * found then holds for the new header too.
 *
 * Which bytes may differ: digits of the opaque among digits, and plain bytes of quoted values among plain ASCII bytes,
 * except the names inside properties (`name \x01 value \x02`), so that also places of properties hold.
 */
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from '../record/layout.ts';
import { FieldTable } from './field-table.ts';
import { escapeLength, hexUnit, type JsonScan, MEANING, PLAIN } from './json-scan.ts';
import { KnownProperties } from './known-properties.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ZERO = 0x30;
const ONE = 0x31;
const NINE = 0x39;
const MAX_INT32 = 0x7fffffff;
const WORD = 4;
const NONE = -1;

/** Longer headers are rare, and cheap beside what they come with. */
const MAX_BYTES = 2048;
/** Templates of one length: clients whose headers happen to be equally long. */
const PER_LENGTH = 4;
/** Where all places are taken, one of so many unknown headers becomes a template: the others are scanned as ever. */
const REPLACE_EVERY = 32;
const MAX_TEMPLATES = 512;

/** What may stand in place of a byte. */
const FIXED = 0;
const TEXT = 1;
const DIGIT = 2;
const FIRST_DIGIT = 3;

export class HeaderTemplate {
  readonly code: number;
  readonly flag: number;
  readonly version: number;
  /** Of the header that matched last. */
  opaque = 0;
  readonly fields = new FieldTable(true);
  readonly #words: Int32Array;
  readonly #last: number;
  readonly #text: Uint8Array;
  readonly #kinds: Uint8Array;
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
    const length = to - from;
    const view = new DataView(this.#text.buffer);
    // The last word begins four bytes before the end, so that no byte is left over.
    this.#last = length - WORD;
    this.#words = Int32Array.from({ length: Math.floor(length / WORD) }, (_, i) =>
      view.getInt32(i * WORD, true),
    );
    this.fields.adopt(table, from);
    this.#kinds = new Uint8Array(length);
    this.#opaqueFrom = scan.opaqueFrom < 0 ? 0 : scan.opaqueFrom - from;
    this.#opaqueTo = scan.opaqueFrom < 0 ? 0 : scan.opaqueTo - from;
    this.#negative = scan.opaque < 0;
    this.#allowOpaque();
    for (let field = 0; field < this.fields.count; field++) this.#allowValue(field);
  }

  /** Whether the header of the same length that begins at bytes[from] has this layout; then `fields` are its own. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean {
    const words = this.#words;
    let at = from;
    for (let i = 0; i < words.length; i++, at += WORD) {
      if (view.getInt32(at, true) !== words[i] && !this.#allows(bytes, at, i * WORD)) return false;
    }
    if (!this.#allows(bytes, from + this.#last, this.#last) || !this.#readOpaque(bytes, from)) return false;
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

  /** Whether four bytes that differ from the template's do so where they may. */
  #allows(bytes: Uint8Array, at: number, place: number): boolean {
    for (let i = 0; i < WORD; i++) {
      const byte = bytes[at + i] as number;
      const kind = this.#kinds[place + i];
      if (kind === TEXT) {
        if (MEANING[byte] !== PLAIN) return false;
      } else if (kind === FIXED) {
        if (byte !== this.#text[place + i]) return false;
      } else if (byte < (kind === DIGIT ? ZERO : ONE) || byte > NINE) {
        return false;
      }
    }
    return true;
  }

  /** False when the number is none that fits: for the scan to find out. */
  #readOpaque(bytes: Uint8Array, from: number): boolean {
    let value = 0;
    const end = from + this.#opaqueTo;
    for (let i = from + this.#opaqueFrom; i < end; i++) value = value * 10 + (bytes[i] as number) - ZERO;
    this.opaque = this.#negative ? -value : value;
    return value <= MAX_INT32;
  }

  #allowOpaque(): void {
    const length = this.#opaqueTo - this.#opaqueFrom;
    this.#kinds.fill(DIGIT, this.#opaqueFrom, this.#opaqueTo);
    // No leading zero, and no -0.
    if (length > 1 || this.#negative) this.#kinds[this.#opaqueFrom] = FIRST_DIGIT;
    if (length === 0) this.#kinds[this.#opaqueFrom] = FIXED;
  }

  #allowValue(field: number): void {
    const from = this.fields.valueOffset[field] as number;
    const to = from + (this.fields.valueLength[field] as number);
    if (this.#text[from - 1] !== QUOTE) return;
    // In a value without escapes there are no properties.
    let free = !this.fields.isEscaped(field);
    for (let at = from; at < to; ) {
      if (this.#text[at] !== BACKSLASH) {
        this.#kinds[at++] = free ? TEXT : FIXED;
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
  #byLength: (HeaderTemplate[] | undefined)[] = [];
  #count = 0;
  #unknown = 0;

  /** The template whose layout the header in bytes[from, to) has, moved to it. */
  find(bytes: Uint8Array, view: DataView, from: number, to: number): HeaderTemplate | undefined {
    const known = this.#byLength[to - from];
    if (known === undefined) return undefined;
    for (let i = 0; i < known.length; i++) {
      const template = known[i] as HeaderTemplate;
      if (template.matches(bytes, view, from)) return template;
    }
    return undefined;
  }

  /** Remembers a header that was scanned. */
  learn(bytes: Uint8Array, from: number, to: number, scan: JsonScan, table: FieldTable): void {
    const length = to - from;
    if (!scan.ascii || length > MAX_BYTES || length < WORD) return;
    if (this.#count >= MAX_TEMPLATES) {
      this.#byLength = [];
      this.#count = 0;
    }
    const known = this.#byLength[length] ?? [];
    this.#byLength[length] = known;
    this.#unknown++;
    if (known.length < PER_LENGTH) {
      known.push(new HeaderTemplate(bytes, from, to, scan, table));
      this.#count++;
    } else if (this.#unknown % REPLACE_EVERY === 0) {
      known[(this.#unknown / REPLACE_EVERY) % PER_LENGTH] = new HeaderTemplate(bytes, from, to, scan, table);
    }
  }
}
