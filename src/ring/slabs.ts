/**
 * Slabs: places for the few bodies that are too large for a ring (more than 256 KiB). One side takes a slab, writes,
 * and names it in a ring record; the other side frees it by one store when it is done. A pool belongs to one taker.
 */
import { addon } from '../native/addon.ts';
import { attachBulk, type Bulk } from './bulk.ts';

export interface SlabShape {
  regions: number[];
  slabBytes: number;
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
  return { regions, slabBytes, states: new SharedArrayBuffer(count * 4) };
}

export class Slabs {
  readonly slabBytes: number;
  readonly #shape: SlabShape;
  readonly #states: Int32Array;
  readonly #bulks: (Bulk | undefined)[];

  constructor(shape: SlabShape) {
    this.#shape = shape;
    this.slabBytes = shape.slabBytes;
    this.#states = new Int32Array(shape.states);
    this.#bulks = shape.regions.map(() => undefined);
  }

  /** Index of a slab that is now the caller's, or NO_SLAB. */
  take(): number {
    for (let i = 0; i < this.#states.length; i++) {
      if (Atomics.compareExchange(this.#states, i, FREE, TAKEN) === FREE) return i;
    }
    return NO_SLAB;
  }

  /** Frees a slab and gives its pages back, so that one burst of large messages does not stay in memory. */
  free(slab: number): void {
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
    const region = this.#shape.regions[slab];
    if (region === undefined) throw new RangeError(`no slab ${slab}`);
    return region;
  }
}
