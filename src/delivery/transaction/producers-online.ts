/** Producer groups with somebody in them, as control tells; by hash, which a million half messages can carry. */
import { javaHashCode } from '../../lib/java-hash.ts';

/** Never 0, which stands for a group that nobody has looked at. */
export function groupHash(group: string): number {
  return javaHashCode(group) || 1;
}

export class ProducersOnline {
  readonly #groups = new Set<string>();
  /** Groups by hash, which may be several. */
  readonly #hashes = new Map<number, number>();

  set(group: string, online: boolean): void {
    if (online === this.#groups.has(group)) return;
    const hash = groupHash(group);
    const others = this.#hashes.get(hash) ?? 0;
    if (online) {
      this.#groups.add(group);
      this.#hashes.set(hash, others + 1);
    } else {
      this.#groups.delete(group);
      if (others <= 1) this.#hashes.delete(hash);
      else this.#hashes.set(hash, others - 1);
    }
  }

  /** Whether somebody may be there: the hashes of two groups can be the same. */
  mayHave(hash: number): boolean {
    return this.#hashes.has(hash);
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }
}
