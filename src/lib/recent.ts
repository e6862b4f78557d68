/**
 * A map of what was set last: at least `least` entries, and less than twice as many. A map from which the oldest entry
 * is taken at every step has to go through the places of all that were taken before.
 */
export class Recent<Key, Value> {
  readonly #least: number;
  #new = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(least: number) {
    this.#least = least;
  }

  get(key: Key): Value | undefined {
    return this.#new.get(key) ?? this.#old.get(key);
  }

  set(key: Key, value: Value): void {
    this.#new.set(key, value);
    if (this.#new.size < this.#least) return;
    this.#old = this.#new;
    this.#new = new Map();
  }

  get size(): number {
    return this.#new.size + this.#old.size;
  }
}
