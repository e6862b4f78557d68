/** The key index as a follower of the log. */
import { javaHashOfBytes } from '../../lib/java-hash.ts';
import { SYS_TRANSACTION_MASK, SYS_TRANSACTION_ROLLBACK } from '../../record/layout.ts';
import type { PropertyScan } from '../../record/property-scan.ts';
import { INDEX_COMPLETED_TIME, type Positions } from '../../ring/positions.ts';
import type { LogFollower } from '../follower.ts';
import type { KeyIndex } from '../index/key-index.ts';
import type { TopicQueues } from '../queue/queue-table.ts';

const SPACE = 0x20;
const TAG_PREFIX = new Uint8Array([0x54, 0x23]); // `T#`

export class IndexFollower implements LogFollower {
  readonly #index: KeyIndex;
  readonly #positions: Positions;

  constructor(index: KeyIndex, positions: Positions) {
    this.#index = index;
    this.#positions = positions;
  }

  /**
   * Enters the keys of one record, whose properties begin at `propertiesAt`, unless the index has them; 0 or -errno.
   * Its unique key, each of its keys, and its tag: they read `topic#key`, tags `topic#T#tag`.
   */
  enter(
    topic: TopicQueues,
    bytes: Uint8Array,
    properties: PropertyScan,
    propertiesAt: number,
    sysFlag: number,
    position: number,
    storeTimestamp: number,
  ): number {
    const index = this.#index;
    if (position <= index.endPhysical) return 0;
    if ((sysFlag & SYS_TRANSACTION_MASK) === SYS_TRANSACTION_ROLLBACK) return 0;
    const seed = topic.indexSeed;
    let outcome = 0;
    const { uniqueKeyLength, keysLength, tagsLength } = properties;
    const uniqueKeyOffset = propertiesAt + properties.uniqueKeyOffset;
    const keysOffset = propertiesAt + properties.keysOffset;
    const tagsOffset = propertiesAt + properties.tagsOffset;
    if (uniqueKeyLength > 0) {
      const hash = javaHashOfBytes(bytes, uniqueKeyOffset, uniqueKeyOffset + uniqueKeyLength, seed);
      outcome = index.put(hash, position, storeTimestamp);
    }
    const keysEnd = keysOffset + keysLength;
    for (let from = keysOffset; keysLength > 0 && from < keysEnd && outcome === 0; ) {
      let to = from;
      while (to < keysEnd && bytes[to] !== SPACE) to++;
      if (to > from) outcome = index.put(javaHashOfBytes(bytes, from, to, seed), position, storeTimestamp);
      from = to + 1;
    }
    if (tagsLength > 0 && outcome === 0) {
      const tagSeed = javaHashOfBytes(TAG_PREFIX, 0, 2, seed);
      outcome = index.put(
        javaHashOfBytes(bytes, tagsOffset, tagsOffset + tagsLength, tagSeed),
        position,
        storeTimestamp,
      );
    }
    return outcome;
  }

  /** A fault of the mapping stays: the guard has put zeros where entries were. */
  commit(): number {
    return this.#index.commit();
  }

  publish(): void {
    const { completedTimestamp } = this.#index;
    if (completedTimestamp > 0) this.#positions.set(INDEX_COMPLETED_TIME, completedTimestamp);
  }
}
