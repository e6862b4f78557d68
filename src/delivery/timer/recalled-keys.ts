/**
 * Which messages were recalled, by what each is known by (timed-record.ts). Of a key its digest is kept: all take the
 * same room, however long a client has made them, and nobody finds two keys with one digest. The digests lie in many
 * small sets, as a set that grows is copied; the salt keeps clients from filling one of them alone.
 */
import { hash, randomBytes } from 'node:crypto';

const SALT = randomBytes(16).toString('hex');

/** As a text of 32 characters below 256. */
export type KeyDigest = string;

export function digestOf(key: string): KeyDigest {
  return hash('sha256', `${SALT}${key}`, 'binary');
}

/** Keys for which there is room, in all sets together. */
export class RecallRoom {
  left: number;

  constructor(keys: number) {
    this.left = keys;
  }
}

export class RecalledKeys {
  readonly #room: RecallRoom;
  readonly #sets: (Set<KeyDigest> | undefined)[] = [];
  #size = 0;
  /** There was no room for some: of a message that is not found here nobody knows. */
  isPartial = false;

  constructor(room: RecallRoom) {
    this.#room = room;
  }

  /** Whether no message was recalled. */
  get isEmpty(): boolean {
    return this.#size === 0 && !this.isPartial;
  }

  add(digest: KeyDigest): void {
    if (this.has(digest)) return;
    if (this.#room.left <= 0) {
      this.isPartial = true;
      return;
    }
    this.#room.left -= 1;
    this.#size += 1;
    const set = digest.charCodeAt(0);
    const keys = this.#sets[set] ?? new Set();
    keys.add(digest);
    this.#sets[set] = keys;
  }

  has(digest: KeyDigest): boolean {
    return this.#sets[digest.charCodeAt(0)]?.has(digest) ?? false;
  }

  /** They are not asked for any more: their room is free. */
  release(): void {
    this.#room.left += this.#size;
    this.#sets.length = 0;
    this.#size = 0;
    this.isPartial = false;
  }
}

/** Whether the message of the digest is among them; undefined when nobody knows. */
export function recalledIn(digest: KeyDigest, sets: Iterable<RecalledKeys>): boolean | undefined {
  let known: false | undefined = false;
  for (const keys of sets) {
    if (keys.has(digest)) return true;
    if (keys.isPartial) known = undefined;
  }
  return known;
}
