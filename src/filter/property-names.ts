/**
 * The names of the properties that a filter asks for, to be found by their bytes. Sorted by length and bytes: most
 * properties of a message fall out by the length of their names alone, and nobody can choose names that make the search
 * slow, as with a hash table.
 */
export class PropertyNames {
  /** ASCII, as the grammar has it; a name's index is its slot. */
  readonly names: readonly string[];
  readonly #longest: number;
  /** First slot of each length; one more at the end. */
  readonly #firstSlot: Int32Array;
  readonly #bytes: Uint8Array;
  /** Where the bytes of each slot's name begin. */
  readonly #places: Int32Array;

  constructor(names: Iterable<string>) {
    const sorted = [...new Set(names)].sort(byLengthAndBytes);
    this.names = sorted;
    this.#longest = sorted.at(-1)?.length ?? 0;
    this.#bytes = Buffer.from(sorted.join(''));
    this.#places = new Int32Array(sorted.length);
    this.#firstSlot = new Int32Array(this.#longest + 2);
    let place = 0;
    for (const [slot, name] of sorted.entries()) {
      this.#places[slot] = place;
      place += name.length;
      this.#firstSlot[name.length + 1] = slot + 1;
    }
    for (let length = 1; length < this.#firstSlot.length; length++) {
      this.#firstSlot[length] ||= this.#firstSlot[length - 1] as number;
    }
  }

  slotOf(name: string): number {
    return this.names.indexOf(name);
  }

  /** The slot of the name in bytes[from, to); -1 when the filter does not ask for it. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length > this.#longest) return -1;
    let low = this.#firstSlot[length] as number;
    let high = this.#firstSlot[length + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, bytes, from, length);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #compare(slot: number, bytes: Uint8Array, from: number, length: number): number {
    const own = this.#bytes;
    const place = this.#places[slot] as number;
    for (let i = 0; i < length; i++) {
      const difference = (own[place + i] as number) - (bytes[from + i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

function byLengthAndBytes(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}
