/**
 * Finding the broker's properties in records of which many look alike: what a scan has found in one holds for all whose
 * names and separators stand at the same places.
 */
import { ByteTemplate, FIXED, MIN_TEMPLATE_BYTES, PLAIN_TEXT } from '../lib/byte-template.ts';
import { copied } from '../lib/copied.ts';
import { type Template, TemplateShelf } from '../lib/template-shelf.ts';
import { PROPERTY_NAME_END, PROPERTY_VALUE_END } from './layout.ts';
import { PropertyScan } from './property-scan.ts';

const LONGEST = 1024;
const SPACE = 0x20;

class PropertyTemplate implements Template {
  readonly places = new PropertyScan();
  readonly #template: ByteTemplate;

  constructor(text: Uint8Array) {
    this.places.scan(text, new DataView(text.buffer, text.byteOffset), 0, text.length);
    this.#template = new ByteTemplate(text, kindsOf(text));
  }

  matches(_bytes: Uint8Array, view: DataView, from: number): boolean {
    return this.#template.matches(view, from);
  }
}

/** Values may differ, names and separators not. */
function kindsOf(text: Uint8Array): Uint8Array {
  const kinds = new Uint8Array(text.length).fill(FIXED);
  let inValue = false;
  for (const [at, byte] of text.entries()) {
    if (byte === PROPERTY_VALUE_END) inValue = false;
    else if (byte === PROPERTY_NAME_END) inValue = true;
    else if (inValue && byte >= SPACE) kinds[at] = PLAIN_TEXT;
  }
  return kinds;
}

/** ASCII without NUL: bytes with others have no template. */
function isAscii(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (view.getInt8(at) <= 0) return false;
  return true;
}

export class PropertyTemplates {
  readonly #shelf = new TemplateShelf<PropertyTemplate>(LONGEST);
  readonly #scan = new PropertyScan();

  /** Scans bytes[from, to); offsets of what it returns count from `from`. Valid until the next call. */
  scan(bytes: Uint8Array, view: DataView, from: number, to: number): PropertyScan {
    const length = to - from;
    const known = this.#shelf.find(bytes, view, from, length);
    if (known !== undefined) return known.places;
    if (length >= MIN_TEMPLATE_BYTES && this.#shelf.wants(length) && isAscii(view, from, to))
      this.#shelf.put(length, new PropertyTemplate(copied(bytes, from, to)));
    this.#scan.scan(bytes, view, from, to, from);
    return this.#scan;
  }
}
