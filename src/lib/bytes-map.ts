/**
 * A map from names to values that is asked with bytes in place: no string is built to look up the topic of a frame or
 * of a record. Names are UTF-8 and come from clients, so their hash has a key that nobody knows: a chained hash table
 * beside a map by strings, which has the order in which they came.
 */
import { halfSipHash } from './half-sip-hash.ts';

interface Entry<V> {
  readonly key: Uint8Array;
  readonly hash: number;
  value: V;
  next: Entry<V> | undefined;
}

const FIRST_BUCKETS = 64;
const [KEY0, KEY1] = crypto.getRandomValues(new Int32Array(2)) as unknown as [number, number];

function hashOf(bytes: Uint8Array, offset: number, length: number): number {
  return halfSipHash(KEY0, KEY1, bytes, offset, length);
}

/** From the end: names that differ often begin alike. */
function sameBytes(key: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (key.length !== length) return false;
  for (let i = length - 1; i >= 0; i--) if (key[i] !== bytes[offset + i]) return false;
  return true;
}

export class BytesMap<V> {
  readonly #byName = new Map<string, Entry<V>>();
  #buckets: (Entry<V> | undefined)[] = new Array(FIRST_BUCKETS).fill(undefined);
  /** Found last: who asks for many often asks for the same again, which then takes no hash. */
  #last: Entry<V> | undefined;

  get size(): number {
    return this.#byName.size;
  }

  /** The value of the name that stands in bytes[offset, +length). */
  get(bytes: Uint8Array, offset: number, length: number): V | undefined {
    const last = this.#last;
    if (last !== undefined && sameBytes(last.key, bytes, offset, length)) return last.value;
    const hash = hashOf(bytes, offset, length);
    let entry = this.#buckets[hash & (this.#buckets.length - 1)];
    while (entry !== undefined) {
      if (entry.hash === hash && sameBytes(entry.key, bytes, offset, length)) {
        this.#last = entry;
        return entry.value;
      }
      entry = entry.next;
    }
    return undefined;
  }

  getByName(name: string): V | undefined {
    return this.#byName.get(name)?.value;
  }

  set(name: string, value: V): void {
    const found = this.#byName.get(name);
    if (found !== undefined) {
      found.value = value;
      return;
    }
    if (this.size >= this.#buckets.length) this.#grow();
    const key = Buffer.from(name, 'utf8');
    const entry = { key, hash: hashOf(key, 0, key.length), value, next: undefined };
    this.#byName.set(name, entry);
    this.#enter(entry);
  }

  delete(name: string): boolean {
    const found = this.#byName.get(name);
    if (found === undefined) return false;
    this.#byName.delete(name);
    this.#last = undefined;
    const bucket = found.hash & (this.#buckets.length - 1);
    let before: Entry<V> | undefined;
    for (let entry = this.#buckets[bucket]; entry !== found; entry = entry?.next) before = entry;
    if (before === undefined) this.#buckets[bucket] = found.next;
    else before.next = found.next;
    return true;
  }

  /** In the order in which their names came. */
  *values(): IterableIterator<V> {
    for (const { value } of this.#byName.values()) yield value;
  }

  #enter(entry: Entry<V>): void {
    const bucket = entry.hash & (this.#buckets.length - 1);
    entry.next = this.#buckets[bucket];
    this.#buckets[bucket] = entry;
  }

  #grow(): void {
    this.#buckets = new Array(this.#buckets.length * 2).fill(undefined);
    for (const entry of this.#byName.values()) this.#enter(entry);
  }
}
