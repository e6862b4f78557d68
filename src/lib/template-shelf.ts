/**
 * Templates by the length of their text, a few of each. Texts come from outside, so there are only so many, and only so
 * many are made: making one takes as long as reading some dozen texts without.
 */

export interface Template {
  /** Whether the text of the template's length that begins at bytes[from] fits. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean;
}

const PER_LENGTH = 4;
/** After so many texts in a row that fitted none of their length's, only one in a few is compared with them. */
const MISSES_MOST = 64;
const COMPARE_EVERY = 16;
/** So many may be made at once; from then on one for each of so many unknown texts. */
const AT_ONCE = 64;
const EARNED_BY = 32;
const MAX_TEMPLATES = 512;

export class TemplateShelf<T extends Template> {
  readonly #longest: number;
  /** With a place for each length: V8 makes a hash table of an array with large gaps. */
  readonly #byLength: (T[] | undefined)[];
  /** Of each length: how many in a row have fitted none. Comparing with four that differ at the end costs its time. */
  readonly #misses: Uint8Array;
  #skipped = 0;
  #count = 0;
  #unknown = 0;
  /** Templates that may be made now. */
  #credit = AT_ONCE;

  /** `longest`: bytes of the longest text that gets a template. */
  constructor(longest: number) {
    this.#longest = longest;
    this.#byLength = Array.from({ length: longest + 1 }, () => undefined);
    this.#misses = new Uint8Array(longest + 1);
  }

  /** The template that the text bytes[from, +length) fits. */
  find(bytes: Uint8Array, view: DataView, from: number, length: number): T | undefined {
    const known = length <= this.#longest ? this.#byLength[length] : undefined;
    if (known === undefined) return undefined;
    const misses = this.#misses[length] as number;
    if (misses >= MISSES_MOST && ++this.#skipped % COMPARE_EVERY !== 0) return undefined;
    for (let i = 0; i < known.length; i++) {
      const template = known[i] as T;
      if (!template.matches(bytes, view, from)) continue;
      if (misses > 0) this.#misses[length] = 0;
      return template;
    }
    if (misses < MISSES_MOST) this.#misses[length] = misses + 1;
    return undefined;
  }

  /** Whether an unknown text of this length is to become a template. Who is told so has paid, whatever comes of it. */
  wants(length: number): boolean {
    if (length > this.#longest) return false;
    this.#unknown++;
    const earns = this.#unknown % EARNED_BY === 0;
    if (earns && this.#credit < AT_ONCE) this.#credit++;
    const isFull = (this.#byLength[length]?.length ?? 0) >= PER_LENGTH;
    // Where all places of a length are taken, others are replaced one by one.
    if (isFull ? !earns : this.#credit === 0) return false;
    this.#credit--;
    return true;
  }

  put(length: number, template: T): void {
    if (this.#count >= MAX_TEMPLATES) {
      this.#byLength.fill(undefined);
      this.#count = 0;
    }
    const known = this.#byLength[length] ?? [];
    this.#byLength[length] = known;
    if (known.length < PER_LENGTH) {
      known.push(template);
      this.#count++;
    } else {
      known[Math.floor(this.#unknown / EARNED_BY) % PER_LENGTH] = template;
    }
  }
}
