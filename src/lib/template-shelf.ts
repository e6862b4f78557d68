/** Templates by the length of their text, a few of each. Bounded: texts come from outside. */

export interface Template {
  /** Whether the text of the template's length that begins at bytes[from] fits. */
  matches(bytes: Uint8Array, view: DataView, from: number): boolean;
}

const PER_LENGTH = 4;
/** Where all places of a length are taken, one of so many unknown texts gets one: making a template has its price. */
const REPLACE_EVERY = 32;
const MAX_TEMPLATES = 512;

export class TemplateShelf<T extends Template> {
  readonly #longest: number;
  /** With a place for each length: V8 makes a hash table of an array with large gaps. */
  readonly #byLength: (T[] | undefined)[];
  #count = 0;
  #unknown = 0;

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
    return (this.#byLength[length]?.length ?? 0) < PER_LENGTH || this.#unknown % REPLACE_EVERY === 0;
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
      known[Math.floor(this.#unknown / REPLACE_EVERY) % PER_LENGTH] = template;
    }
  }
}
