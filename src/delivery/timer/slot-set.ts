/**
 * An ordered set of slot numbers: a tree of bitmaps, 1024 ways wide. However many slots it holds and however far apart
 * they are, the next one is found by looking at two bitmaps a level at most.
 */
import { assert } from '../../lib/assert.ts';

const WAYS = 1024;
/** Numbers below 2^50: of milliseconds, more than a slot may be short. */
const LEVELS = 5;
const UNITS = Array.from({ length: LEVELS }, (_, level) => WAYS ** level);
const LAST = WAYS ** LEVELS - 1;

class Node {
  readonly bits = new Uint32Array(WAYS / 32);
  /** None at the lowest level. */
  readonly children = new Map<number, Node>();
  /** Bits that are set. */
  size = 0;

  has(way: number): boolean {
    return (((this.bits[way >> 5] as number) >>> (way & 31)) & 1) === 1;
  }

  flip(way: number): void {
    this.size += this.has(way) ? -1 : 1;
    this.bits[way >> 5] = (this.bits[way >> 5] as number) ^ (1 << (way & 31));
  }

  /** First way that is set at or behind `way`; -1 = none. */
  next(way: number): number {
    for (let at = way; at < WAYS; at = (at | 31) + 1) {
      const word = (this.bits[at >> 5] as number) >>> (at & 31);
      if (word !== 0) return at + 31 - Math.clz32(word & -word);
    }
    return -1;
  }
}

export class SlotSet {
  readonly #root = new Node();
  size = 0;

  has(slot: number): boolean {
    if (slot < 0 || slot > LAST) return false;
    let node: Node | undefined = this.#root;
    for (let level = LEVELS - 1; level > 0; level--) node = node?.children.get(wayOf(slot, level));
    return node?.has(wayOf(slot, 0)) ?? false;
  }

  add(slot: number): void {
    assert(slot >= 0 && slot <= LAST, 'a slot has a number');
    if (this.has(slot)) return;
    this.size += 1;
    let node = this.#root;
    for (let level = LEVELS - 1; level > 0; level--) {
      const way = wayOf(slot, level);
      const child = node.children.get(way) ?? new Node();
      if (child.size === 0) {
        node.children.set(way, child);
        node.flip(way);
      }
      node = child;
    }
    node.flip(wayOf(slot, 0));
  }

  delete(slot: number): void {
    if (!this.has(slot)) return;
    this.size -= 1;
    remove(this.#root, LEVELS - 1, slot);
  }

  /** The lowest number at or behind `slot`; infinite when there is none. */
  next(slot: number): number {
    const found = slot > LAST ? -1 : nextIn(this.#root, LEVELS - 1, Math.max(0, slot));
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  }
}

function wayOf(slot: number, level: number): number {
  return Math.floor(slot / (UNITS[level] as number)) % WAYS;
}

function remove(node: Node, level: number, slot: number): void {
  const way = wayOf(slot, level);
  const child = node.children.get(way);
  if (child !== undefined) {
    remove(child, level - 1, slot);
    if (child.size > 0) return;
    node.children.delete(way);
  }
  node.flip(way);
}

/** Within the node, whose first number is 0; -1 = none. */
function nextIn(node: Node, level: number, from: number): number {
  const unit = UNITS[level] as number;
  const way = Math.floor(from / unit);
  if (level === 0) return node.next(way);
  const same = node.children.get(way);
  const found = same === undefined ? -1 : nextIn(same, level - 1, from - way * unit);
  if (found >= 0) return way * unit + found;
  const next = node.next(way + 1);
  const child = node.children.get(next);
  return child === undefined ? -1 : next * unit + nextIn(child, level - 1, 0);
}
