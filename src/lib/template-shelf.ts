/**
 * Templates by the length of their text, a few of each. Texts come from outside, so there are only so many, and only so
 * many are made: making one takes as long as reading some dozen texts without.
 */

export interface Template {
  /** Whether the text of the template's length that begins at bytes[from] fits. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean;
}

const PER_LENGTH = 4;
/** So many may be made at once; from then on one for each of so many unknown texts. */
const AT_ONCE = 64;
const EARNED_BY = 32;
const MAX_TEMPLATES = 512;

export class TemplateShelf<T extends Template> {
  readonly #longest: number;
  /** With a place for each length: V8 makes a hash table of an array with large gaps. */
  readonly #byLength: (T[] | undefined)[];
  #count = 0;
  #unknown = 0;
  /** Templates that may be made now. */
  #credit = AT_ONCE;

  /** `longest`: bytes of the longest text that gets a template. */
  constructor(longest: number) {
    this.#longest = longest;
    this.#byLength = Array.from({ length: longest + 1 }, () => undefined);
  }

  /** The template that the text bytes[from, +length) fits. */
  find(bytes: Uint8Array, view: DataView, from: number, length: number): T | undefined {
    const known = length <= this.#longest ? this.#byLength[length] : undefined;
    if (known === undefined) return undefined;
    for (let i = 0; i < known.length; i++) {
      const template = known[i] as T;
      if (template.matches(bytes, view, from)) return template;
    }
    return undefined;
  }

  /** Whether an unknown text of this length should become a template. */
  wants(length: number): boolean {
    if (length > this.#longest) return false;
    this.#unknown++;
    const earns = this.#unknown % EARNED_BY === 0;
    if (earns && this.#credit < AT_ONCE) this.#credit++;
    if ((this.#byLength[length]?.length ?? 0) < PER_LENGTH) return this.#credit > 0;
    // Where all places of a length are taken, others are replaced one by one.
    return earns;
  }

  put(length: number, template: T): void {
    this.#credit--;
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
