/**
 * What a network thread has given to consumers, added up by group and topic until control is told, about once a second:
 * a pull or pop costs two lookups, whatever it brings.
 */
import { MAX_GIVEN } from '../../lib/limits.ts';

/** Messages and bytes of their records. */
export interface Given {
  group: string;
  topic: string;
  messages: number;
  bytes: number;
}

/** In one record to control. */
const TOLD_AT_ONCE = 256;
const TELL_MS = 1_000;

export class GivenCounts {
  /** By group, then by topic. */
  #groups = new Map<string, Map<string, Given>>();
  #size = 0;
  #toldAt = 0;

  /** What comes when MAX_GIVEN pairs wait to be told is not counted. */
  add(group: string, topic: string, messages: number, bytes: number): void {
    const given = this.#groups.get(group)?.get(topic) ?? this.#begin(group, topic);
    if (given === undefined) return;
    given.messages += messages;
    given.bytes += bytes;
  }

  #begin(group: string, topic: string): Given | undefined {
    if (this.#size >= MAX_GIVEN) return undefined;
    this.#size += 1;
    const topics = this.#groups.get(group) ?? new Map<string, Given>();
    this.#groups.set(group, topics);
    const given = { group, topic, messages: 0, bytes: 0 };
    topics.set(topic, given);
    return given;
  }

  /** Tells what was counted, when it is time to. `tell` is false when it has no room now: that is told later. */
  report(now: number, tell: (given: readonly Given[]) => boolean): void {
    if (this.#size === 0 || now < this.#toldAt + TELL_MS) return;
    this.#toldAt = now;
    const all = [...this.#groups.values()].flatMap((topics) => [...topics.values()]);
    this.#groups = new Map();
    this.#size = 0;
    for (let from = 0; from < all.length; from += TOLD_AT_ONCE) {
      const part = all.slice(from, from + TOLD_AT_ONCE);
      if (!tell(part))
        for (const { group, topic, messages, bytes } of part) this.add(group, topic, messages, bytes);
    }
  }
}
