/** Units that are due soon, the first one on top: a heap in typed arrays, which grows to a fixed capacity. */

const FIRST_CAPACITY = 256;

export class DueHeap {
  #due = new Float64Array(FIRST_CAPACITY);
  #position = new Float64Array(FIRST_CAPACITY);
  #piece = new Int32Array(FIRST_CAPACITY);
  size = 0;

  /** When the first is due; infinite when there is none. */
  get due(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.#due[0] as number);
  }

  /** Position in the timer log of the first. */
  get position(): number {
    return this.#position[0] as number;
  }

  /** What it was loaded with. */
  get piece(): number {
    return this.#piece[0] as number;
  }

  push(due: number, position: number, piece: number): void {
    if (this.size === this.#due.length) this.#resize(this.size * 2);
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(due, position, this.#due[parent] as number, this.#position[parent] as number)) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#put(at, due, position, piece);
  }

  /** Takes the first away. */
  pop(): void {
    const last = --this.size;
    if (last === 0) {
      // A burst's memory goes with the burst.
      if (this.#due.length > FIRST_CAPACITY) this.#resize(FIRST_CAPACITY);
      return;
    }
    const due = this.#due[last] as number;
    const position = this.#position[last] as number;
    let at = 0;
    for (;;) {
      const child = this.#firstChild(at, last);
      if (child < 0) break;
      if (!isBefore(this.#due[child] as number, this.#position[child] as number, due, position)) break;
      this.#copy(child, at);
      at = child;
    }
    this.#put(at, due, position, this.#piece[last] as number);
  }

  #firstChild(at: number, size: number): number {
    const left = 2 * at + 1;
    if (left >= size) return -1;
    const right = left + 1;
    const takesRight =
      right < size &&
      isBefore(
        this.#due[right] as number,
        this.#position[right] as number,
        this.#due[left] as number,
        this.#position[left] as number,
      );
    return takesRight ? right : left;
  }

  #copy(from: number, to: number): void {
    this.#put(to, this.#due[from] as number, this.#position[from] as number, this.#piece[from] as number);
  }

  #put(at: number, due: number, position: number, piece: number): void {
    this.#due[at] = due;
    this.#position[at] = position;
    this.#piece[at] = piece;
  }

  #resize(capacity: number): void {
    const due = new Float64Array(capacity);
    const position = new Float64Array(capacity);
    const piece = new Int32Array(capacity);
    due.set(this.#due.subarray(0, this.size));
    position.set(this.#position.subarray(0, this.size));
    piece.set(this.#piece.subarray(0, this.size));
    this.#due = due;
    this.#position = position;
    this.#piece = piece;
  }
}

/** Of the same time, in the order in which they came. */
export function isBefore(due: number, position: number, otherDue: number, otherPosition: number): boolean {
  return due < otherDue || (due === otherDue && position < otherPosition);
}
