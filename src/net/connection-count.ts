/** How many connections a broker has, over all its network threads, and how many it may have. */
export class ConnectionCount {
  readonly #count: Int32Array;
  readonly #limit: number;

  /** `shared`: a word that all network threads count in. */
  constructor(shared: SharedArrayBuffer, limit: number) {
    this.#count = new Int32Array(shared);
    this.#limit = limit;
  }

  /** Counts one in; false, and not counted, when there are as many as there may be. */
  enter(): boolean {
    if (Atomics.add(this.#count, 0, 1) < this.#limit) return true;
    this.leave();
    return false;
  }

  leave(): void {
    Atomics.sub(this.#count, 0, 1);
  }

  get value(): number {
    return Atomics.load(this.#count, 0);
  }
}
