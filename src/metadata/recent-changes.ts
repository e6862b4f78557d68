/** Which keys of a table have changed lately, in the order of their changes: for who has an older copy of it. */

export interface Changed {
  keys: ReadonlySet<string>;
  /** The copy is of this number when it has these. */
  revision: number;
}

export class RecentChanges {
  /** A ring: the change of number n stands at n modulo its length. */
  readonly #keys: string[] = [];
  readonly #most: number;
  #revision = 0;

  /** So many changes are kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Number of changes. */
  get revision(): number {
    return this.#revision;
  }

  add(key: string): void {
    this.#keys[this.#revision % this.#most] = key;
    this.#revision += 1;
  }

  /** Up to `count` keys that have changed since there were `revision` changes; undefined when that is not known. */
  since(revision: number, count: number): Changed | undefined {
    if (revision > this.#revision || this.#revision - revision > this.#most) return undefined;
    const keys = new Set<string>();
    let at = revision;
    for (; at < this.#revision && keys.size < count; at++) keys.add(this.#keys[at % this.#most] as string);
    return { keys, revision: at };
  }
}
