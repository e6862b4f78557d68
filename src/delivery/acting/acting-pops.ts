/**
 * What control is told of pops on a slave that acts for its master. What is invisible stands in memory alone, so the
 * offset of a group is that of the first message that is not done: where a master that is back, or a slave that is
 * killed, goes on from there, nothing is passed by, and what was popped behind it comes again.
 */
import type { Checkpoint } from '../pop/checkpoint.ts';
import type { PopOffset, PopProgress } from '../pop/pop-progress.ts';
import type { PopQueue, PopStates } from '../pop/pop-states.ts';

export class ActingPopProgress {
  /** Deletions of topics and groups that were heard of. */
  deletions: number;
  readonly #states: Pick<PopStates, 'queues' | 'takeDirty'>;
  /** Of which something is out: their offsets move also by what is acknowledged. */
  readonly #open = new Set<PopQueue>();
  /** What was told last. */
  readonly #told = new WeakMap<PopQueue, number>();

  constructor(states: Pick<PopStates, 'queues' | 'takeDirty'>, deletions: number) {
    this.#states = states;
    this.deletions = deletions;
  }

  /** What has changed since it was asked last; undefined: nothing. */
  news(): PopProgress | undefined {
    for (const queue of this.#states.takeDirty()) this.#open.add(queue);
    const offsets: PopOffset[] = [];
    for (const queue of this.#open) {
      // What was popped last is not among what is out yet.
      if (queue.unwritten) continue;
      const offset = undoneFrom(queue);
      if (offset === queue.offset) this.#open.delete(queue);
      if (offset < 0 || this.#told.get(queue) === offset) continue;
      this.#told.set(queue, offset);
      offsets.push(offsetOf(queue, offset));
    }
    return offsets.length === 0 ? undefined : this.#progress(offsets);
  }

  /** All of it: what `news` said last may be on its way still. */
  state(): PopProgress {
    const known = [...this.#states.queues()].map((queue) => offsetOf(queue, undoneFrom(queue)));
    return this.#progress(known.filter(([, , , offset]) => offset >= 0));
  }

  #progress(offsets: PopOffset[]): PopProgress {
    return { deletions: this.deletions, offsets, orders: [], scanned: -1, journaled: 0, revive: [] };
  }
}

function offsetOf({ offsets: { topic, group }, queueId }: PopQueue, offset: number): PopOffset {
  return [topic, group, queueId, offset];
}

/** The first offset of the queue that is not done; -1: the group has none. */
function undoneFrom({ offset, live }: PopQueue): number {
  let first = offset;
  for (const [startOffset, same] of live) {
    // There may be many, and nearly all of them lie behind.
    if (startOffset >= first) continue;
    for (const { ck } of same) first = Math.min(first, undoneOf(ck));
  }
  return first;
}

function undoneOf({ startOffset, diffs, done }: Checkpoint): number {
  let first = Number.POSITIVE_INFINITY;
  for (let i = 0; i < diffs.length; i++)
    if ((done & (1 << i)) === 0) first = Math.min(first, startOffset + (diffs[i] as number));
  return first;
}
