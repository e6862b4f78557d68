/** A set of tag hashes; most subscriptions name one to three tags. */
import type { TagFilter } from '../store/read/pull-reader.ts';

export class TagSet implements TagFilter {
  readonly #codes: ReadonlySet<number>;

  constructor(codes: Iterable<number>) {
    this.#codes = new Set(codes);
  }

  matches(tagHash: number): boolean {
    return this.#codes.has(tagHash);
  }
}
