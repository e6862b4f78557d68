/** A table of numbers by index that grows without copying what it has: a large copy would be seen as a slow message. */

const CHUNK_BITS = 16;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;

export class Chunked<T extends Uint16Array | Float64Array> {
  readonly #make: (length: number) => T;
  readonly #chunks: T[] = [];

  constructor(make: (length: number) => T) {
    this.#make = make;
  }

  /** 0 where nothing was set. */
  get(index: number): number {
    const chunk = this.#chunks[index >>> CHUNK_BITS];
    return chunk === undefined ? 0 : (chunk[index & CHUNK_MASK] as number);
  }

  set(index: number, value: number): void {
    const number = index >>> CHUNK_BITS;
    while (this.#chunks.length <= number) this.#chunks.push(this.#make(CHUNK_MASK + 1));
    (this.#chunks[number] as T)[index & CHUNK_MASK] = value;
  }
}
