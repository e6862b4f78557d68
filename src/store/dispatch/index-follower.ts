/** The key index as a follower of the log. */
import type { PropertyScan } from '../../record/property-scan.ts';
import { INDEX_COMPLETED_TIME, type Positions } from '../../ring/positions.ts';
import type { LogFollower } from '../follower.ts';
import type { KeyIndex } from '../index/key-index.ts';
import type { TopicQueues } from '../queue/queue-table.ts';
import { dispatchKeys } from './index-keys.ts';

export class IndexFollower implements LogFollower {
  readonly #index: KeyIndex;
  readonly #positions: Positions;

  constructor(index: KeyIndex, positions: Positions) {
    this.#index = index;
    this.#positions = positions;
  }

  /** Enters the record's keys unless the index has them; 0 or -errno. */
  enter(
    topic: TopicQueues,
    bytes: Uint8Array,
    properties: PropertyScan,
    propertiesAt: number,
    sysFlag: number,
    position: number,
    storeTimestamp: number,
  ): number {
    if (position <= this.#index.endPhysical) return 0;
    return dispatchKeys(
      this.#index,
      topic,
      bytes,
      properties,
      propertiesAt,
      sysFlag,
      position,
      storeTimestamp,
    );
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
