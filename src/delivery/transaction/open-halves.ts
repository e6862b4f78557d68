/**
 * The half messages that have no end yet, by offset in the half queue: everything between the first of them and the end
 * of the queue, in flat arrays, for there may be a million. Those in between that have ended take their place until the
 * first one has.
 */
const SMALLEST = 1024;

/** It has an end that the log holds, or its place was taken by a copy. */
export const ENDED = 0;
export const OPEN = 1;
/** It is being committed or rolled back, and the log does not hold that yet. */
export const ENDING = 2;
/** A copy or the given-up message is on its way to the log. */
export const HELD = 3;

export class OpenHalves {
  #first: number;
  #end: number;
  #open = 0;
  #mask = SMALLEST - 1;
  #states = new Uint8Array(SMALLEST);
  #positions = new Float64Array(SMALLEST);
  #dues = new Float64Array(SMALLEST);
  #groups = new Int32Array(SMALLEST);

  /** `first`: offset of the first half message that may have no end. */
  constructor(first: number) {
    this.#first = first;
    this.#end = first;
  }

  /** All before have ended. */
  get first(): number {
    return this.#first;
  }

  /** Offset of the next one to add. */
  get end(): number {
    return this.#end;
  }

  /** How many have not ended. */
  get size(): number {
    return this.#open;
  }

  /** The next one, at `position` in the log; `due`: ms of the monotonic clock from which on it may be checked. */
  add(position: number, due: number, hasEnded: boolean): void {
    if (this.#end - this.#first > this.#mask) this.#resize(2 * (this.#mask + 1));
    const index = this.#end & this.#mask;
    this.#states[index] = hasEnded ? ENDED : OPEN;
    this.#positions[index] = position;
    this.#dues[index] = due;
    this.#groups[index] = 0;
    this.#end += 1;
    if (hasEnded) this.#passEnded();
    else this.#open += 1;
  }

  /** There are none before `offset` any more: an older queue was restored, or retention has taken its front. */
  skipTo(offset: number): void {
    if (this.#first === this.#end && offset > this.#end) {
      this.#first = offset;
      this.#end = offset;
    }
    while (this.#end < offset) this.add(-1, 0, true);
  }

  /** Half messages that there is room for. */
  get capacity(): number {
    return this.#mask + 1;
  }

  /** ENDED for all that are not known. */
  state(offset: number): number {
    return this.#has(offset) ? (this.#states[offset & this.#mask] as number) : ENDED;
  }

  set(offset: number, state: typeof OPEN | typeof ENDING | typeof HELD): void {
    if (this.state(offset) !== ENDED) this.#states[offset & this.#mask] = state;
  }

  hasEnded(offset: number): void {
    if (this.state(offset) === ENDED) return;
    this.#states[offset & this.#mask] = ENDED;
    this.#open -= 1;
    this.#passEnded();
  }

  /** In the log; -1 when it is not known. */
  position(offset: number): number {
    return this.#has(offset) ? (this.#positions[offset & this.#mask] as number) : -1;
  }

  /** Ms of the monotonic clock. */
  due(offset: number): number {
    return this.#has(offset) ? (this.#dues[offset & this.#mask] as number) : Number.POSITIVE_INFINITY;
  }

  setDue(offset: number, due: number): void {
    if (this.#has(offset)) this.#dues[offset & this.#mask] = due;
  }

  /** Hash of its producer group; 0 when nobody has looked yet. */
  group(offset: number): number {
    return this.#has(offset) ? (this.#groups[offset & this.#mask] as number) : 0;
  }

  setGroup(offset: number, hash: number): void {
    if (this.#has(offset)) this.#groups[offset & this.#mask] = hash;
  }

  #has(offset: number): boolean {
    return offset >= this.#first && offset < this.#end;
  }

  /** Memory goes with a burst; half of it stays, so that a steady load does not resize all the time. */
  #passEnded(): void {
    while (this.#first < this.#end && this.#states[this.#first & this.#mask] === ENDED) this.#first += 1;
    const capacity = this.#mask + 1;
    const span = Math.max(this.#end - this.#first, SMALLEST);
    if (span * 8 > capacity) return;
    let fitting = capacity;
    while (span * 4 <= fitting) fitting /= 2;
    this.#resize(fitting);
  }

  #resize(capacity: number): void {
    const [states, positions] = [new Uint8Array(capacity), new Float64Array(capacity)];
    const [dues, groups] = [new Float64Array(capacity), new Int32Array(capacity)];
    for (let offset = this.#first; offset < this.#end; offset++) {
      const [from, to] = [offset & this.#mask, offset & (capacity - 1)];
      states[to] = this.#states[from] as number;
      positions[to] = this.#positions[from] as number;
      dues[to] = this.#dues[from] as number;
      groups[to] = this.#groups[from] as number;
    }
    this.#states = states;
    this.#positions = positions;
    this.#dues = dues;
    this.#groups = groups;
    this.#mask = capacity - 1;
  }
}
