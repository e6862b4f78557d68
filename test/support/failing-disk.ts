/** A simulated disk on which reads of some log positions fail, and opens when told so. */
import type { Mapping, RangeFile } from '../../src/store/disk/disk.ts';
import { SimDisk } from '../sim/sim-disk.ts';
import { LOG } from './messages.ts';

const EIO = 5;

export class FailingDisk extends SimDisk {
  /** Log positions [from, to) that the device cannot read. */
  bad: [from: number, to: number][] = [];
  /** errno of every open and mapping of a file whose path contains `failing`; 0 = they work. */
  openError = 0;
  failing = '';
  opens = 0;
  /** Pages that a mapping has lost stay lost in it, as with the fault guard. */
  readonly #lost: [from: number, to: number][] = [];

  override map(path: string, size: number, create?: number): Mapping | number {
    const refused = this.#refuse(path);
    if (refused !== 0) return refused;
    const mapping = super.map(path, size, create);
    if (typeof mapping === 'number' || !path.startsWith(LOG)) return mapping;
    const start = Number(path.slice(-20));
    const sync = mapping.sync.bind(mapping);
    mapping.error = (from = 0, length = size) => {
      this.#lost.push(...this.bad);
      return overlaps(this.#lost, start + from, length) ? EIO : 0;
    };
    mapping.sync = (from, to) => (overlaps(this.bad, start + from, to - from) ? -EIO : sync(from, to));
    return mapping;
  }

  override open(path: string, size: number): RangeFile | number {
    const refused = this.#refuse(path);
    if (refused !== 0) return refused;
    const file = super.open(path, size);
    if (typeof file === 'number' || !path.startsWith(LOG)) return file;
    const start = Number(path.slice(-20));
    const read = file.read.bind(file);
    file.read = (offset, target, at, length) =>
      overlaps(this.bad, start + offset, length) ? -EIO : read(offset, target, at, length);
    return file;
  }

  #refuse(path: string): number {
    if (this.openError === 0 || !path.includes(this.failing)) return 0;
    this.opens++;
    return -this.openError;
  }
}

function overlaps(ranges: readonly [number, number][], from: number, length: number): boolean {
  return ranges.some(([start, end]) => start < from + length && end > from);
}
