/**
 * Copies of half messages that another broker has made: they do not say whose copies they are, but they are the same in
 * all that the producer has said. Without them an end that names the first one would be taken for said before.
 */
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { checkTimesOf, firstOffsetOf, type HalfMessage, producerGroupOf } from './half-message.ts';

export class ForeignCopies {
  readonly #offsets = new Map<string, number>();
  readonly #keys = new Map<number, string>();

  /**
   * Notes a half message that is open or was given up, if it is such a copy. Returns the offset of the one whose place
   * was taken by another: the broker before may have died when it had put a copy, and not written that yet.
   */
  meet(half: HalfMessage): number | undefined {
    const { queueOffset } = half;
    if (firstOffsetOf(half) !== queueOffset) return undefined;
    const key = keyOf(half);
    const known = this.#offsets.get(key);
    if (known !== undefined && known >= queueOffset) return known > queueOffset ? queueOffset : undefined;
    if (checkTimesOf(half) === 0) return undefined;
    if (known !== undefined) this.#keys.delete(known);
    this.#offsets.set(key, queueOffset);
    this.#keys.set(queueOffset, key);
    return known;
  }

  /** Where the newest such copy of this half message lies. */
  of(half: HalfMessage): number | undefined {
    const offset = this.#offsets.size === 0 ? undefined : this.#offsets.get(keyOf(half));
    // One that an administrator has resumed lies behind the copy of the one before.
    return offset !== undefined && offset >= half.queueOffset ? offset : undefined;
  }

  /** The transaction whose copy lies at `offset` is over. */
  forget(offset: number): void {
    const key = this.#keys.get(offset);
    if (key === undefined) return;
    this.#keys.delete(offset);
    this.#offsets.delete(key);
  }
}

/** A message that its client sends a second time has another time. */
function keyOf(half: HalfMessage): string {
  const uniqueKey = half.properties.get(PROPERTY_UNIQUE_KEY) ?? '';
  return `${half.bornTimestamp} ${producerGroupOf(half)} ${uniqueKey}`;
}
