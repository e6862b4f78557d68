/**
 * Slabs: places for the few payloads that are too large for a ring. The sending side takes a slab, writes, and names it
 * in a ring record; the receiving side frees it by one store when it is done. A pool belongs to one channel.
 *
 * A full pool has the ring's protocol: the taker sets the waiting word and looks once more; whoever frees a slab finds
 * the word, clears it and wakes the taker.
 */
import { addon } from '../native/addon.ts';
import { attachBulk, type Bulk } from './bulk.ts';

export interface SlabShape {
  regions: number[];
  slabBytes: number;
  /** A word for each slab, then the waiting word. */
  states: SharedArrayBuffer;
}

export const NO_SLAB = -1;
const FREE = 0;
const TAKEN = 1;

export function createSlabs(count: number, slabBytes: number): SlabShape {
  const regions: number[] = [];
  for (let i = 0; i < count; i++) {
    const region = addon.allocateRegion(slabBytes);
    if (region < 0) throw new Error(`cannot reserve ${slabBytes} bytes for a slab (errno ${-region})`);
    regions.push(region);
  }
  return { regions, slabBytes, states: new SharedArrayBuffer((count + 1) * 4) };
}

/** One side's view of a pool. */
export class Slabs {
  readonly slabBytes: number;
  readonly #regions: readonly number[];
  readonly #states: Int32Array;
  readonly #waiting: number;
  readonly #bulks: (Bulk | undefined)[];

  constructor(shape: SlabShape) {
    this.slabBytes = shape.slabBytes;
    this.#regions = shape.regions;
    this.#states = new Int32Array(shape.states);
    this.#waiting = shape.regions.length;
    this.#bulks = shape.regions.map(() => undefined);
  }

  /** Index of a slab that is now the caller's, or NO_SLAB. */
  take(): number {
    for (let i = 0; i < this.#regions.length; i++) {
      if (Atomics.compareExchange(this.#states, i, FREE, TAKEN) === FREE) return i;
    }
    return NO_SLAB;
  }

  /** Like `take`; NO_SLAB then means: the side that frees one wakes this one. */
  takeOrAwait(): number {
    const slab = this.take();
    if (slab !== NO_SLAB) return slab;
    Atomics.store(this.#states, this.#waiting, 1);
    return this.take();
  }

  /**
   * Frees a slab and gives its pages back, so that one burst of large messages does not stay in memory. True = the
   * other side waits for one and has to be woken.
   */
  free(slab: number): boolean {
    this.drop(slab);
    return Atomics.exchange(this.#states, this.#waiting, 0) === 1;
  }

  /**
   * Gives back a slab that was taken for nothing. The waiting word stays: it is the taker's own, and the other side may
   * be between freeing this slab and looking whether it has to wake somebody.
   */
  drop(slab: number): void {
    addon.adviseRegion(this.#region(slab), 0, this.slabBytes, 'dontneed');
    Atomics.store(this.#states, slab, FREE);
  }

  bulk(slab: number): Bulk {
    let bulk = this.#bulks[slab];
    if (bulk === undefined) {
      bulk = attachBulk(this.#region(slab));
      this.#bulks[slab] = bulk;
    }
    return bulk;
  }

  #region(slab: number): number {
    const region = this.#regions[slab];
    if (region === undefined) throw new RangeError(`no slab ${slab}`);
    return region;
  }
}
