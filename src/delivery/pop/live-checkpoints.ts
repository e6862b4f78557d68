/**
 * What is invisible of what this process has popped, in memory: acks are noted at once, and what is not done by the end
 * of its time is revived exactly then, by elapsed time. What does not fit in here is found in the revive topic, as what
 * the process before has popped.
 */
import { MAX_LIVE_CHECKPOINTS } from '../../lib/limits.ts';
import { Recent } from '../../lib/recent.ts';
import { type Checkpoint, type CheckpointKey, indexIn, keyOf } from './checkpoint.ts';
import type { PopContext } from './pop-context.ts';
import type { LiveCheckpoint, PopQueue, PopStates } from './pop-states.ts';

/** Checkpoints that are over, of which it is remembered that they are: the timer brings them a minute later. */
const OVER = 64 * 1024;

/** Where the checkpoint of what is over is: in the timer, nowhere any more, in the revive topic. */
type Place = 'timer' | 'nowhere' | 'reviveTopic';

export interface LiveParts {
  context: Pick<PopContext, 'clock' | 'timers'>;
  states: PopStates;
  /** Its time is over, and not all of it is done. */
  visible: (live: LiveCheckpoint) => void;
  /** It is over; where its checkpoint stands, -1 if it is not there yet. */
  ended: (live: LiveCheckpoint) => void;
}

export class LiveCheckpoints {
  readonly #parts: LiveParts;
  readonly #over = new Recent<string, Place>(OVER);
  size = 0;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** It is in the log now. What finds no room here is left to the revive topic. */
  add(queue: PopQueue, ck: Checkpoint, reviveQueueId: number): void {
    if (queue.offsets.gone) {
      this.over(ck, 'timer');
      return;
    }
    if (this.size >= MAX_LIVE_CHECKPOINTS) return;
    const { clock, timers } = this.#parts.context;
    const left = ck.popTime + ck.invisibleTime - clock.now();
    const wait = Math.min(Math.max(left, 0), ck.invisibleTime);
    const live: LiveCheckpoint = {
      ck,
      queue,
      reviveQueueId,
      visibleAt: clock.monotonic() + wait,
      reviveOffset: -1,
      isVisible: false,
      cancel: timers.after(wait, () => this.#show(live)),
    };
    const same = queue.live.get(ck.startOffset);
    if (same === undefined) queue.live.set(ck.startOffset, [live]);
    else same.push(live);
    this.size += 1;
  }

  /**
   * Whether more may be popped. What finds no room here is left to the revive topic; where there is none (`acts`) room
   * is left for what is under way, and for messages that get another time.
   */
  mayPop(acts: boolean): boolean {
    return !acts || this.size < MAX_LIVE_CHECKPOINTS / 2;
  }

  /** Whether a message of one may get a time, and with that a checkpoint, of its own. */
  mayChange(acts: boolean): boolean {
    return !acts || this.size < MAX_LIVE_CHECKPOINTS * 0.9;
  }

  find(key: CheckpointKey): LiveCheckpoint | undefined {
    const queue = this.#parts.states.find(key.topic, key.group)?.queues.get(key.queueId);
    return queue?.live.get(key.startOffset)?.find(({ ck }) => ck.popTime === key.popTime);
  }

  /** Whether all of it is known to be done or to have been revived. */
  isOver(key: CheckpointKey): boolean {
    return this.#over.get(keyOf(key)) !== undefined;
  }

  /** Messages of it are done. */
  acknowledge(live: LiveCheckpoint, offsets: readonly number[]): void {
    const { ck } = live;
    for (const offset of offsets) {
      const index = indexIn(ck, offset);
      if (index >= 0) ck.done |= 1 << index;
    }
    if (isDone(ck)) this.end(live);
  }

  /** All of it is done, or was put into the retry topic. */
  end(live: LiveCheckpoint): void {
    const { ck, queue } = live;
    const same = queue.live.get(ck.startOffset);
    if (same?.includes(live)) {
      this.size -= 1;
      if (same.length === 1) queue.live.delete(ck.startOffset);
      else same.splice(same.indexOf(live), 1);
    }
    live.cancel();
    this.over(ck, live.reviveOffset < 0 ? 'timer' : 'reviveTopic');
    this.#parts.ended(live);
  }

  /** Nobody has got its messages: they are visible now, and that was no try. */
  giveBack(key: CheckpointKey): void {
    const live = this.find(key);
    if (live === undefined || live.isVisible) return;
    live.cancel();
    live.ck.suspend = true;
    this.#show(live);
  }

  /** The message at `offset` is not to come again by it, unless it is given back. */
  withhold(live: LiveCheckpoint, offset: number): { back: () => void } {
    const { ck } = live;
    const bit = 1 << indexIn(ck, offset);
    ck.done |= bit;
    const back = () => {
      ck.done &= ~bit;
      // Its time has come meanwhile, or all others are done.
      if (live.isVisible || this.find(ck) !== live)
        this.#parts.visible({ ...live, ck: { ...ck, done: ~bit } });
    };
    return { back };
  }

  #show(live: LiveCheckpoint): void {
    live.isVisible = true;
    this.#parts.visible(live);
  }

  /** Nobody is to get what was popped from the queue. */
  drop(queue: PopQueue): void {
    for (const same of [...queue.live.values()]) for (const live of [...same]) this.end(live);
    queue.live.clear();
  }

  over(key: CheckpointKey, place: Place = 'reviveTopic'): void {
    this.#over.set(keyOf(key), place);
  }

  /** The timer is to bring its checkpoint into the revive topic: not needed where it is over. */
  needsCheckpoint(key: CheckpointKey): boolean {
    const place = this.#over.get(keyOf(key));
    if (place === 'timer') this.#over.set(keyOf(key), 'nowhere');
    return place === undefined;
  }

  /** The same of acks: they are needed wherever the checkpoint is, or may be. */
  needsAck(key: CheckpointKey): boolean {
    return this.#over.get(keyOf(key)) !== 'nowhere';
  }
}

export function isDone({ diffs, done }: Checkpoint): boolean {
  for (let i = 0; i < diffs.length; i++) if ((done & (1 << i)) === 0) return false;
  return true;
}
