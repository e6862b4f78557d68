/**
 * Pulls that wait for messages. Each completes exactly once: by an arrival in its queue, by its deadline, or with its
 * connection. A parked pull remembers how far it has scanned, so messages that its filter refuses are looked at once.
 *
 * A pull is known under its queue, its connection and its deadline; each of the three finds its pulls without looking
 * at any other, and taking one out costs the same however many there are.
 */
import type { ReaderQueue, TagFilter } from '../../store/read/pull-reader.ts';

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
  suggestedBrokerId: number;
  /** Ms of the monotonic clock. */
  deadline: number;
}

/** Deadlines are kept by steps of so many ms. */
const DEADLINE_STEP_MS = 128;

type Pulls = Set<ParkedPull>;

export class PullHold {
  /** By queue id in the directory; 0 holds pulls of queues that do not exist yet. */
  readonly #byQueue = new Map<number, Pulls>();
  /** By connection slot: pulls of a connection that has gone are taken out before its slot is used again. */
  readonly #bySlot = new Map<number, Pulls>();
  /** By deadline in steps. */
  readonly #byDeadline = new Map<number, Pulls>();
  /** The first step that may hold pulls. */
  #step = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Pulls of a connection that wait. */
  sizeOf(slot: number): number {
    return this.#bySlot.get(slot)?.size ?? 0;
  }

  park(pull: ParkedPull): void {
    add(this.#byQueue, pull.queue?.id ?? 0, pull);
    add(this.#bySlot, pull.slot, pull);
    add(this.#byDeadline, stepOf(pull), pull);
    this.#size++;
  }

  /** Takes all pulls of a queue out of the hold. */
  take(queue: number): ParkedPull[] {
    return this.#takeOut(this.#byQueue.get(queue));
  }

  /** Takes the pulls whose deadline has passed. `now`: ms of the monotonic clock. */
  takeExpired(now: number): ParkedPull[] {
    const end = Math.floor(now / DEADLINE_STEP_MS);
    const expired: ParkedPull[] = [];
    // After a pause longer than there are steps with pulls it is quicker to look at the steps.
    if (end - this.#step > this.#byDeadline.size) {
      for (const [step, pulls] of this.#byDeadline) if (step < end) expired.push(...this.#takeOut(pulls));
    } else {
      for (let step = this.#step; step < end; step++) {
        expired.push(...this.#takeOut(this.#byDeadline.get(step)));
      }
    }
    this.#step = Math.max(this.#step, end);
    const due = [...(this.#byDeadline.get(end) ?? [])].filter((pull) => pull.deadline <= now);
    return [...expired, ...this.#takeOut(due)];
  }

  /** Forgets the pulls of a closed connection. */
  drop(slot: number, generation: number): void {
    const pulls = this.#bySlot.get(slot);
    const [any] = pulls ?? [];
    if (any?.generation === generation) this.#takeOut(pulls);
  }

  /** Takes every pull: after news was lost because a ring was full. */
  takeAll(): ParkedPull[] {
    return [...this.#byQueue.values()].flatMap((pulls) => this.#takeOut(pulls));
  }

  #takeOut(pulls: Iterable<ParkedPull> | undefined): ParkedPull[] {
    if (pulls === undefined) return [];
    const taken = [...pulls];
    for (const pull of taken) {
      remove(this.#byQueue, pull.queue?.id ?? 0, pull);
      remove(this.#bySlot, pull.slot, pull);
      remove(this.#byDeadline, stepOf(pull), pull);
    }
    this.#size -= taken.length;
    return taken;
  }
}

function stepOf(pull: ParkedPull): number {
  return Math.floor(pull.deadline / DEADLINE_STEP_MS);
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
