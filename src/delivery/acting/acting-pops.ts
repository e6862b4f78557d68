/**
 * What control is told of pops on a slave that acts for its master. What is invisible stands in memory alone, so the
 * offset of a group is that of the first message that is not done: where a master that is back, or a slave that is
 * killed, goes on from there, nothing is passed by, and what was popped behind it comes again.
 */
import { indexIn } from '../pop/checkpoint.ts';
import type { PopOffset, PopProgress } from '../pop/pop-progress.ts';
import type { PopQueue, PopStates } from '../pop/pop-states.ts';

export class ActingPopProgress {
  /** Deletions of topics and groups that were heard of. */
  deletions: number;
  readonly #states: Pick<PopStates, 'queues' | 'takeDirty'>;
  /** What was told last. */
  readonly #told = new WeakMap<PopQueue, number>();

  constructor(states: Pick<PopStates, 'queues' | 'takeDirty'>, deletions: number) {
    this.#states = states;
    this.deletions = deletions;
  }

  /** What has changed since it was asked last; undefined: nothing. */
  news(): PopProgress | undefined {
    // Offsets also move by what is acknowledged: all are looked at.
    this.#states.takeDirty();
    const offsets: PopOffset[] = [];
    for (const queue of this.#states.queues()) {
      const offset = undoneFrom(queue);
      if (offset < 0 || this.#told.get(queue) === offset) continue;
      this.#told.set(queue, offset);
      offsets.push([queue.offsets.topic, queue.offsets.group, queue.queueId, offset]);
    }
    return offsets.length === 0 ? undefined : this.#progress(offsets);
  }

  /** All that was not told. */
  state(): PopProgress {
    return this.news() ?? this.#progress([]);
  }

  #progress(offsets: PopOffset[]): PopProgress {
    return { deletions: this.deletions, offsets, orders: [], scanned: -1, journaled: 0, revive: [] };
  }
}

/** The first offset of the queue that is not done; -1: the group has none. */
function undoneFrom({ offset, live }: PopQueue): number {
  let first = offset;
  for (const same of live.values())
    for (const { ck } of same)
      for (const diff of ck.diffs) {
        const at = ck.startOffset + diff;
        if (at < first && (ck.done & (1 << indexIn(ck, at))) === 0) first = at;
      }
  return first;
}
