/**
 * The requests of one connection that wait for their replies: a slot each, found again by arithmetic on the opaque
 * (slot = opaque modulo window), so that an answer needs no map and a wrong or doubled one is noticed.
 */
import { OPAQUE_BASE, OPAQUE_SPAN } from './send-template.ts';

const NONE = 0;

export class RequestWindow {
  readonly size: number;
  /** Opaque that each slot waits for; NONE when it is free. */
  readonly #awaited: Int32Array;
  /** Opaque that each slot uses next. */
  readonly #nextOpaque: Int32Array;
  readonly #since: Float64Array;
  /** Free slots as a queue: the slot that is free for longest comes first, so opaques grow nearly in step. */
  readonly #free: Int32Array;
  #freeHead = 0;
  #freeCount: number;

  constructor(size: number) {
    this.size = size;
    this.#awaited = new Int32Array(size);
    this.#since = new Float64Array(size);
    this.#nextOpaque = Int32Array.from({ length: size }, (_, slot) => OPAQUE_BASE + slot);
    this.#free = Int32Array.from({ length: size }, (_, slot) => slot);
    this.#freeCount = size;
  }

  get free(): number {
    return this.#freeCount;
  }

  get inFlight(): number {
    return this.size - this.#freeCount;
  }

  /** Slot of a request that is in flight or was just closed. */
  slotOf(opaque: number): number {
    return (opaque - OPAQUE_BASE) % this.size;
  }

  /** Takes a slot (one must be free) for a request whose latency counts from `since`; returns its opaque. */
  open(since: number): number {
    const slot = this.#free[this.#freeHead] as number;
    this.#freeHead = this.#freeHead + 1 === this.size ? 0 : this.#freeHead + 1;
    this.#freeCount--;
    const opaque = this.#nextOpaque[slot] as number;
    const following = opaque + this.size;
    this.#nextOpaque[slot] = following < OPAQUE_BASE + OPAQUE_SPAN ? following : OPAQUE_BASE + slot;
    this.#awaited[slot] = opaque;
    this.#since[slot] = since;
    return opaque;
  }

  /** Whether a request in flight has this opaque. */
  awaits(opaque: number): boolean {
    return opaque >= OPAQUE_BASE && this.#awaited[this.slotOf(opaque)] === opaque;
  }

  /** Start time of the request that this opaque answers, now closed; -1 when none waits for it. */
  close(opaque: number): number {
    if (!this.awaits(opaque)) return -1;
    const slot = this.slotOf(opaque);
    this.#awaited[slot] = NONE;
    const tail = this.#freeHead + this.#freeCount;
    this.#free[tail < this.size ? tail : tail - this.size] = slot;
    this.#freeCount++;
    return this.#since[slot] as number;
  }
}
