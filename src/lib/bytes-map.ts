/**
 * A map from names to values that is asked with bytes in place: no string is built to look up the topic of a frame or
 * of a record. Names are UTF-8; a chained hash table over FNV-1a.
 */
interface Entry<V> {
  readonly key: Uint8Array;
  readonly name: string;
  readonly hash: number;
  value: V;
  next: Entry<V> | undefined;
}

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const FIRST_BUCKETS = 64;

function hashOf(bytes: Uint8Array, offset: number, length: number): number {
  let hash = FNV_OFFSET;
  const end = offset + length;
  for (let i = offset; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
  return hash;
}

/** From the end: names that differ often begin alike. */
function sameBytes(key: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (key.length !== length) return false;
  for (let i = length - 1; i >= 0; i--) if (key[i] !== bytes[offset + i]) return false;
  return true;
}

export class BytesMap<V> {
  #buckets: (Entry<V> | undefined)[] = new Array(FIRST_BUCKETS).fill(undefined);
  #size = 0;
  /** Found last: who asks for many often asks for the same again, which then takes no hash. */
  #last: Entry<V> | undefined;

  get size(): number {
    return this.#size;
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
    return this.#find(name)?.value;
  }

  set(name: string, value: V): void {
    const found = this.#find(name);
    if (found !== undefined) {
      found.value = value;
      return;
    }
    if (this.#size >= this.#buckets.length) this.#grow();
    const key = Buffer.from(name, 'utf8');
    const hash = hashOf(key, 0, key.length);
    const bucket = hash & (this.#buckets.length - 1);
    this.#buckets[bucket] = { key, name, hash, value, next: this.#buckets[bucket] };
    this.#size++;
  }

  delete(name: string): boolean {
    const key = Buffer.from(name, 'utf8');
    const bucket = hashOf(key, 0, key.length) & (this.#buckets.length - 1);
    let before: Entry<V> | undefined;
    this.#last = undefined;
    for (let entry = this.#buckets[bucket]; entry !== undefined; before = entry, entry = entry.next) {
      if (entry.name !== name) continue;
      if (before === undefined) this.#buckets[bucket] = entry.next;
      else before.next = entry.next;
      this.#size--;
      return true;
    }
    return false;
  }

  *values(): IterableIterator<V> {
    for (const first of this.#buckets) {
      for (let entry = first; entry !== undefined; entry = entry.next) yield entry.value;
    }
  }

  #find(name: string): Entry<V> | undefined {
    const key = Buffer.from(name, 'utf8');
    let entry = this.#buckets[hashOf(key, 0, key.length) & (this.#buckets.length - 1)];
    while (entry !== undefined && entry.name !== name) entry = entry.next;
    return entry;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array(old.length * 2).fill(undefined);
    for (const first of old) {
      let entry = first;
      while (entry !== undefined) {
        const { next } = entry;
        const bucket = entry.hash & (this.#buckets.length - 1);
        entry.next = this.#buckets[bucket];
        this.#buckets[bucket] = entry;
        entry = next;
      }
    }
  }
}
