/**
 * Copies of half messages that another broker has made: they do not say whose copies they are, but they are the same in
 * all that the producer has said. Without them an end that names the first one would be taken for said before.
 */
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { checkTimesOf, firstOffsetOf, type HalfMessage, producerGroupOf } from './half-message.ts';

export class ForeignCopies {
  readonly #offsets = new Map<string, number>();
  readonly #keys = new Map<number, string>();

  /** Notes an open half message, if it is such a copy. */
  meet(half: HalfMessage): void {
    if (checkTimesOf(half) === 0 || firstOffsetOf(half) !== half.queueOffset) return;
    const key = keyOf(half);
    this.#keys.delete(this.#offsets.get(key) ?? -1);
    this.#offsets.set(key, half.queueOffset);
    this.#keys.set(half.queueOffset, key);
  }

  /** Where the copy of this half message lies that was open when it was met. */
  of(half: HalfMessage): number | undefined {
    return this.#offsets.size === 0 ? undefined : this.#offsets.get(keyOf(half));
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
