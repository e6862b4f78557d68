/**
 * Pulls that wait for messages. Each completes exactly once: by an arrival in its queue, by its deadline, or with its
 * connection. A parked pull remembers how far it has scanned, so messages that its filter refuses are looked at once.
 *
 * A pull is known under its queue, its connection and its deadline; each of the three finds its pulls without looking
 * at any other, and taking one out costs the same however many there are. News of a queue costs the same too: its pulls
 * are only marked, stay here with their deadline and their connection, and are taken one by one (`next`), as far as the
 * thread has time for them.
 */

import type { ReaderQueue, TagFilter } from '../../store/read/pull-reader.ts';
import type { BrokersOfGroup } from './next-broker.ts';

export interface ParkedPull {
  slot: number;
  generation: number;
  opaque: number;
  serializeType: number;
  group: string;
  topic: string;
  queueId: number;
  queue: ReaderQueue | undefined;
  /** As asked for. */
  offset: number;
  /** Everything before it was looked at and does not match. */
  scanFrom: number;
  maxCount: number;
  filter: TagFilter | undefined;
  /** Where its group goes on. */
  homes: BrokersOfGroup;
  /** Which request it was, when it came (ms of the monotonic clock), and whether it has waited for messages. */
  call: number;
  came: number;
  waited: boolean;
  /** Ms of the monotonic clock. */
  deadline: number;
}

/** Deadlines are kept by steps of so many ms. */
const DEADLINE_STEP_MS = 128;
/** Pulls of one queue that are taken in a row while others are woken too. */
const TURN = 64;

type Pulls = Set<ParkedPull>;

/**
 * Pulls of one queue that are to be looked at. A Set's iterator goes on where it was when entries come and go; looking
 * for the first entry anew each time would pass over all those that were taken before.
 */
interface Woken {
  pulls: Iterator<ParkedPull>;
  /** What it goes through: a queue whose last pull went has another Set when one comes again. */
  of: Pulls;
  /** Those that were parked again meanwhile stand behind: they do not count. */
  left: number;
  turn: number;
}

export class PullHold {
  /** By queue id in the directory; 0 holds pulls of queues that do not exist yet. */
  readonly #byQueue = new Map<number, Pulls>();
  /** By connection slot: pulls of a connection that has gone are taken out before its slot is used again. */
  readonly #bySlot = new Map<number, Pulls>();
  /** By deadline in steps. */
  readonly #byDeadline = new Map<number, Pulls>();
  /** By queue, in the order of their turns. */
  readonly #woken = new Map<number, Woken>();
  /** The first step that may hold pulls, and the first one whose time has not come. */
  #step = 0;
  #dueEnd = 0;
  /** The pulls of `#step`, as far as they were not taken. */
  #expired: Iterator<ParkedPull> | undefined;
  #expiredFirst = false;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Pulls of a connection that wait. */
  sizeOf(slot: number): number {
    return this.#bySlot.get(slot)?.size ?? 0;
  }

  park(pull: ParkedPull): void {
    const step = stepOf(pull);
    add(this.#byQueue, pull.queue?.id ?? 0, pull);
    add(this.#bySlot, pull.slot, pull);
    add(this.#byDeadline, step, pull);
    // It may be past already, and may have a Set of its own then.
    if (step <= this.#step) this.#enterStep(step);
    this.#size++;
  }

  /** Something arrived in a queue: `next` will hand out the pulls that wait there now. */
  wake(queue: number): void {
    const pulls = this.#byQueue.get(queue);
    if (pulls === undefined) return;
    const woken = this.#woken.get(queue);
    const left = pulls.size;
    if (woken === undefined) this.#woken.set(queue, { pulls: pulls.values(), of: pulls, left, turn: 0 });
    else if (woken.of === pulls) woken.left = left;
    else Object.assign(woken, { pulls: pulls.values(), of: pulls, left });
  }

  /** News was lost because a ring was full: all pulls are to be looked at. */
  wakeAll(): void {
    for (const queue of this.#byQueue.keys()) this.wake(queue);
  }

  /**
   * Lets `next` hand out the pulls whose deadline has passed, up to DEADLINE_STEP_MS later. `now`: ms of the monotonic
   * clock.
   */
  expire(now: number): void {
    this.#dueEnd = Math.max(this.#dueEnd, Math.floor(now / DEADLINE_STEP_MS) + 1);
    // After a pause longer than there are steps with pulls it is quicker to look at the steps.
    if (this.#dueEnd - this.#step <= this.#byDeadline.size) return;
    let first = this.#dueEnd;
    for (const step of this.#byDeadline.keys()) first = Math.min(first, step);
    this.#enterStep(first);
  }

  /** Takes the next pull that is woken or whose deadline has passed out of the hold; either kind by turns. */
  next(): ParkedPull | undefined {
    this.#expiredFirst = !this.#expiredFirst;
    const pull = this.#expiredFirst
      ? (this.#nextExpired() ?? this.#nextWoken())
      : (this.#nextWoken() ?? this.#nextExpired());
    if (pull !== undefined) this.#takeOut(pull);
    return pull;
  }

  /** Forgets the pulls of a closed connection. */
  drop(slot: number, generation: number): void {
    for (const pull of [...(this.#bySlot.get(slot) ?? [])]) {
      if (pull.generation === generation) this.#takeOut(pull);
    }
  }

  #nextExpired(): ParkedPull | undefined {
    while (this.#step < this.#dueEnd) {
      this.#expired ??= this.#byDeadline.get(this.#step)?.values();
      const next = this.#expired?.next();
      if (next !== undefined && next.done !== true) return next.value;
      this.#enterStep(this.#step + 1);
    }
    return undefined;
  }

  #enterStep(step: number): void {
    this.#step = step;
    this.#expired = undefined;
  }

  #nextWoken(): ParkedPull | undefined {
    for (const [queue, woken] of this.#woken) {
      const next = woken.left > 0 ? woken.pulls.next() : undefined;
      if (next === undefined || next.done === true) {
        this.#woken.delete(queue);
        continue;
      }
      woken.left--;
      woken.turn++;
      if (woken.turn % TURN === 0 && this.#woken.size > 1) {
        this.#woken.delete(queue);
        this.#woken.set(queue, woken);
      }
      return next.value;
    }
    return undefined;
  }

  #takeOut(pull: ParkedPull): void {
    remove(this.#byQueue, pull.queue?.id ?? 0, pull);
    remove(this.#bySlot, pull.slot, pull);
    remove(this.#byDeadline, stepOf(pull), pull);
    this.#size--;
  }
}

/** The step at whose beginning the deadline has passed. */
function stepOf(pull: ParkedPull): number {
  return Math.ceil(pull.deadline / DEADLINE_STEP_MS);
}

function add(map: Map<number, Pulls>, key: number, pull: ParkedPull): void {
  const pulls = map.get(key);
  if (pulls === undefined) map.set(key, new Set([pull]));
  else pulls.add(pull);
}

function remove(map: Map<number, Pulls>, key: number, pull: ParkedPull): void {
  const pulls = map.get(key);
  if (pulls?.delete(pull) && pulls.size === 0) map.delete(key);
}
