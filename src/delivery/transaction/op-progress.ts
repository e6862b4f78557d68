/**
 * From which op message on a restart has to read: the first that names a half message at or behind the first open one.
 * One stuck half message keeps all that came after it, so they are remembered many together.
 */
import { Fifo } from '../../lib/fifo.ts';

const TOGETHER = 64;

interface Stretch {
  readonly first: number;
  count: number;
  /** Highest offset in the half queue that they name. */
  most: number;
}

export class OpProgress {
  readonly #stretches = new Fifo<Stretch>();
  #end = 0;

  /** Offset of the next op message. */
  get end(): number {
    return this.#end;
  }

  /** Where the op queue begins that it is to follow. */
  startAt(offset: number): void {
    this.#end = offset;
  }

  /** The op message at `offset` names half messages up to `most`. */
  note(offset: number, most: number): void {
    const last = this.#stretches.last();
    if (last !== undefined && last.count < TOGETHER) {
      last.count += 1;
      last.most = Math.max(last.most, most);
    } else {
      this.#stretches.push({ first: offset, count: 1, most });
    }
    this.#end = Math.max(this.#end, offset + 1);
  }

  /** The first op message that is needed while `firstOpen` is the first open half message. */
  needed(firstOpen: number): number {
    for (let stretch = this.#stretches.peek(); stretch !== undefined; stretch = this.#stretches.peek()) {
      if (stretch.most >= firstOpen) return stretch.first;
      this.#stretches.shift();
    }
    return this.#end;
  }
}
