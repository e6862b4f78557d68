/**
 * The properties of a header whose layout is known (`HeaderTemplate`): where escapes stand and where the broker's
 * own properties are was found out once, so that copying them is all that is left to do.
 */
import { isPlainText } from '../lib/byte-template.ts';
import { copyWords } from '../lib/copy-words.ts';
import { hasNul } from '../record/properties.ts';
import { PropertyScan } from '../record/property-scan.ts';
import { escapeLength, hexUnit } from './json-scan.ts';

const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const UNICODE_ESCAPE = 6;

export class KnownProperties {
  /** Bytes of the properties without escapes. */
  readonly length: number;
  /** Offsets count from the start of the properties. */
  readonly scan = new PropertyScan();
  /** A NUL byte is among them: what may differ is none. */
  readonly nul: boolean;
  /** The unique key is known to mean itself between JSON quotes. */
  readonly plainKey: boolean;
  /** Of JSON: plain bytes, then the byte that the following escape stands for; the last has none. */
  readonly #runs: Int32Array;
  readonly #ends: Uint8Array;
  readonly #json: boolean;

  private constructor(plain: Uint8Array, json?: { runs: number[]; ends: number[] }) {
    this.length = plain.length;
    this.#json = json !== undefined;
    this.#runs = Int32Array.from(json?.runs ?? []);
    this.#ends = Uint8Array.from(json?.ends ?? []);
    const view = new DataView(plain.buffer, plain.byteOffset);
    this.scan.scan(plain, view, 0, plain.length);
    this.nul = hasNul(view, 0, plain.length);
    // What may differ in JSON means itself, and elsewhere may not.
    this.plainKey = this.#json && isPlainText(plain, this.scan.uniqueKeyOffset, this.scan.uniqueKeyLength);
  }

  /** Of properties that stand as they are. */
  static plain(text: Uint8Array, from: number, to: number): KnownProperties {
    return new KnownProperties(text.slice(from, to));
  }

  /** Of JSON text. Undefined when it holds other escapes than those of single ASCII characters as \u00xx. */
  static escaped(text: Uint8Array, from: number, to: number): KnownProperties | undefined {
    const runs: number[] = [];
    const ends: number[] = [];
    const plain: number[] = [];
    let run = 0;
    for (let at = from; at < to; ) {
      if (text[at] !== BACKSLASH) {
        plain.push(text[at++] as number);
        run++;
        continue;
      }
      const unit = text[at + 1] === LOWER_U ? hexUnit(text, at + 2) : -1;
      if (unit < 0 || unit >= 0x80) return undefined;
      plain.push(unit);
      ends.push(unit);
      runs.push(run);
      run = 0;
      at += escapeLength(text, at, to);
    }
    runs.push(run);
    return new KnownProperties(Uint8Array.from(plain), { runs, ends });
  }

  /** Writes the properties that stand at `from` of `source` to `to` of `target`. */
  copy(source: DataView, from: number, target: DataView, to: number): void {
    if (!this.#json) {
      copyWords(source, from, target, to, this.length);
      return;
    }
    const runs = this.#runs;
    const ends = this.#ends;
    let at = from;
    let out = to;
    for (let i = 0; i < runs.length; i++) {
      const end = at + (runs[i] as number);
      // ASCII is no NaN, so its bytes come through a double unchanged.
      for (; at + 8 <= end; at += 8, out += 8) target.setFloat64(out, source.getFloat64(at));
      for (; at + 4 <= end; at += 4, out += 4) target.setInt32(out, source.getInt32(at));
      for (; at < end; at++, out++) target.setInt8(out, source.getInt8(at));
      if (i < ends.length) target.setInt8(out++, ends[i] as number);
      at += UNICODE_ESCAPE;
    }
  }
}
