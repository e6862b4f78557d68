/**
 * Follows the queues of the revive topic: checkpoints and acks come into it from the timer, those of this process and
 * those of the ones before, also of RocketMQ. What this process has popped is known without it (live-checkpoints.ts);
 * of the rest, what is not acknowledged in time is revived.
 *
 * The offset of a queue up to which all is done is what RocketMQ keeps for the group CID_RMQ_SYS_REVIVE_GROUP: the last
 * one that is done.
 */

import { MAX_ACKED_TOGETHER, MAX_EARLY_ACKS } from '../../lib/limits.ts';
import { decodeRecord } from '../../record/decode.ts';
import { PROPERTY_TAGS } from '../../record/properties.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import type { QueueEntry } from '../../store/read/store-reads.ts';
import { figureKey } from '../figures.ts';
import { Patience } from '../patience.ts';
import type { TimerMark } from '../timer/timer-mark.ts';
import {
  ACK_TAG,
  type Ack,
  BATCH_ACK_TAG,
  type Checkpoint,
  type CheckpointKey,
  CK_AHEAD_MS,
  CK_TAG,
  indexIn,
  keyOf,
  parseAck,
  parseCheckpoint,
  visibleAt,
} from './checkpoint.ts';
import { isDone, type LiveCheckpoints } from './live-checkpoints.ts';
import type { PopContext } from './pop-context.ts';
import type { LiveCheckpoint } from './pop-states.ts';
import type { Reviver } from './reviver.ts';

/** Entries read by one turn. */
const BATCH = 64;
const READ_AGAIN_MS = 1_000;
/** Acks of processes before are waited for so much longer: their puts may have taken longer than the checkpoint's. */
const MARGIN_MS = 2_000;
const LOOK_MS = 10;

/** A checkpoint that this process has not made. */
interface Foreign {
  readonly ck: Checkpoint;
  readonly queue: ReviveQueue;
  readonly offset: number;
}

interface Ripe {
  readonly foreign: Foreign;
  readonly mark: TimerMark;
}

/** A checkpoint or an ack, as it is stored. */
type Written = Pick<InternalMessage, 'properties' | 'body'>;

class ReviveQueue {
  readonly queueId: number;
  /** Offset of the next entry that is read. */
  next: number;
  /** What is before there was put by a process before. What came later from the timer was read there at the start. */
  readonly endAtStart: number;
  /** Offsets of checkpoints that are not over, ascending. */
  readonly open = new Set<number>();
  scheduled = false;

  constructor(queueId: number, next: number, endAtStart: number) {
    this.queueId = queueId;
    this.next = next;
    this.endAtStart = endAtStart;
  }

  /** The last offset before which, with itself, all is over; -1: none is. */
  get done(): number {
    const [first = this.next] = this.open;
    return first - 1;
  }
}

export interface ReviveLogParts {
  context: PopContext;
  live: LiveCheckpoints;
  reviver: Reviver;
  /** What timers deliver by now; and whether all of that, as it was noted, has been delivered and can be read. */
  mark: () => TimerMark;
  hasPassed: (mark: TimerMark) => boolean;
  /** A checkpoint says how far a queue was popped. */
  learn: (ck: Checkpoint) => void;
  /** Nothing else says how far: RocketMQ has died and left its store. */
  learnsAll: boolean;
}

export class ReviveLog {
  readonly #parts: ReviveLogParts;
  readonly #queues: readonly ReviveQueue[];
  readonly #foreign = new Map<string, Foreign>();
  /** Offsets that were acknowledged before their checkpoint has come, by its key: the clock may have been set. */
  readonly #early = new Map<string, number[]>();
  /** Whose time is over, and whose acks may still be on their way. */
  readonly #ripe: Ripe[] = [];
  readonly #patience: Patience;
  #looking = false;
  #running = true;

  /** `starts`: by queue, the first offset that may not be done. */
  constructor(parts: ReviveLogParts, starts: readonly number[]) {
    this.#parts = parts;
    this.#patience = new Patience(parts.context.clock);
    const { store, place } = parts.context;
    this.#queues = starts.map((start, queueId) => {
      return new ReviveQueue(queueId, start, store.maxOffset(place.reviveTopic, queueId));
    });
  }

  start(): void {
    for (const { queueId } of this.#queues) this.poke(queueId);
  }

  stop(): void {
    this.#running = false;
  }

  /** Entries were dispatched to the queue. */
  poke(queueId: number): void {
    const queue = this.#queues[queueId];
    if (queue !== undefined) this.#readSoon(queue, 0);
  }

  pokeAll(): void {
    this.start();
  }

  /** What the processes before have left there is read: how far groups had popped is known. */
  get hasRead(): boolean {
    return this.#queues.every(({ next, endAtStart }) => next >= endAtStart);
  }

  /** Checkpoints of processes before that are not over. */
  get size(): number {
    return this.#foreign.size;
  }

  /** By queue: see ReviveQueue. */
  get done(): number[] {
    return this.#queues.map(({ done }) => done);
  }

  /** Messages of a checkpoint of a process before are done. */
  acknowledge(key: CheckpointKey, offsets: readonly number[]): void {
    const foreign = this.#foreign.get(keyOf(key));
    if (foreign !== undefined) this.#acknowledge(foreign, offsets);
    else this.#noteEarly(keyOf(key), offsets);
  }

  /** Its checkpoint is still in the timer, or is nobody's. */
  #noteEarly(key: string, offsets: readonly number[]): void {
    const early = new Set([...(this.#early.get(key) ?? []), ...offsets]);
    this.#early.set(key, [...early].slice(0, MAX_ACKED_TOGETHER));
    const [oldest = ''] = this.#early.keys();
    if (this.#early.size > MAX_EARLY_ACKS) this.#early.delete(oldest);
  }

  /** What is invisible by a checkpoint of a process before. */
  find(key: CheckpointKey): Checkpoint | undefined {
    return this.#foreign.get(keyOf(key))?.ck;
  }

  /** One of this process is over. */
  ended({ reviveQueueId, reviveOffset }: LiveCheckpoint): void {
    this.#queues[reviveQueueId]?.open.delete(reviveOffset);
  }

  /**
   * What the timer brings on a slave that acts for its master, and the log does not take: it stands before all that is
   * in the queue.
   */
  take({ queueId, ...message }: Written & { queueId: number }): void {
    const queue = this.#queues[queueId] ?? this.#queues[0];
    try {
      if (queue !== undefined) this.#takeMessage(queue, -1, message);
    } catch (error) {
      const { log, place } = this.#parts.context;
      const fields = { topic: place.reviveTopic, queueId, reason: (error as Error).message };
      log.error(fields, 'popped messages are left to the master, as a queue cannot be read');
    }
  }

  #readSoon(queue: ReviveQueue, ms: number): void {
    if (queue.scheduled || !this.#running) return;
    queue.scheduled = true;
    this.#parts.context.timers.after(ms, () => {
      queue.scheduled = false;
      if (this.#running) this.#read(queue);
    });
  }

  #read(queue: ReviveQueue): void {
    const { store, place, log } = this.#parts.context;
    const topic = place.reviveTopic;
    try {
      for (const entry of store.readQueue(topic, queue.queueId, queue.next, BATCH)) {
        this.#take(queue, entry);
        queue.next = entry.queueOffset + 1;
      }
      this.#patience.worked();
    } catch (error) {
      const isPassedOver = this.#patience.failed();
      const fields = { topic, queueId: queue.queueId, offset: queue.next, reason: (error as Error).message };
      if (isPassedOver) log.error(fields, 'an entry of the revive topic cannot be read, and is passed over');
      else log.error(fields, 'popped messages wait until the revive topic can be read');
      if (isPassedOver) queue.next += 1;
      this.#readSoon(queue, isPassedOver ? 0 : READ_AGAIN_MS);
      return;
    }
    if (queue.next < store.maxOffset(topic, queue.queueId)) this.#readSoon(queue, 0);
  }

  #take(queue: ReviveQueue, { physicalOffset, queueOffset }: QueueEntry): void {
    const { store } = this.#parts.context;
    const record = store.recordAt(physicalOffset);
    const message = record === undefined ? undefined : decodeRecord(record);
    if (message !== undefined) this.#takeMessage(queue, queueOffset, message);
  }

  #takeMessage(queue: ReviveQueue, queueOffset: number, { properties, body }: Written): void {
    const { figures } = this.#parts.context;
    const tag = properties.get(PROPERTY_TAGS);
    if (tag === CK_TAG) {
      const ck = parseCheckpoint(body);
      if (ck === undefined) return;
      figures.count('checkpointsOut', figureKey(ck.topic, ck.group, queue.queueId));
      this.#takeCheckpoint(queue, queueOffset, ck);
    } else if (tag === ACK_TAG || tag === BATCH_ACK_TAG) {
      const ack = parseAck(body);
      if (ack === undefined) return;
      figures.count('acksOut', figureKey(ack.topic, ack.group, queue.queueId));
      this.#takeAck(ack);
    }
  }

  #takeCheckpoint(queue: ReviveQueue, offset: number, ck: Checkpoint): void {
    const { live, learn, context } = this.#parts;
    const known = live.find(ck);
    if (known !== undefined) {
      if (known.reviveOffset < 0) queue.open.add(offset);
      if (known.reviveOffset < 0) known.reviveOffset = offset;
      return;
    }
    if (live.isOver(ck) || ck.diffs.length === 0) return;
    if (offset < queue.endAtStart || this.#parts.learnsAll) learn(ck);
    const key = keyOf(ck);
    if (isDone(ck) || this.#foreign.has(key)) return;
    const foreign = { ck, queue, offset };
    queue.open.add(offset);
    this.#foreign.set(key, foreign);
    const early = this.#early.get(key);
    this.#early.delete(key);
    if (early !== undefined) this.#acknowledge(foreign, early);
    const { clock, timers } = context;
    const left = Math.min(Math.max(visibleAt(ck) - clock.now(), 0), CK_AHEAD_MS);
    timers.after(left + MARGIN_MS, () => this.#ripen(foreign));
  }

  #takeAck(ack: Ack): void {
    const foreign = this.#foreign.get(keyOf(ack));
    if (foreign !== undefined) this.#acknowledge(foreign, ack.offsets);
    else if (!this.#parts.live.isOver(ack) && this.#parts.live.find(ack) === undefined)
      this.#noteEarly(keyOf(ack), ack.offsets);
  }

  #acknowledge(foreign: Foreign, offsets: readonly number[]): void {
    const { ck } = foreign;
    for (const offset of offsets) {
      const index = indexIn(ck, offset);
      if (index >= 0) ck.done |= 1 << index;
    }
    if (isDone(ck)) this.#end(foreign);
  }

  #end({ ck, queue, offset }: Foreign): void {
    this.#foreign.delete(keyOf(ck));
    queue.open.delete(offset);
    this.#parts.live.over(ck);
  }

  /** Its acks are all under way now: when the timer has delivered what is due by now, they have been read. */
  #ripen(foreign: Foreign): void {
    if (!this.#foreign.has(keyOf(foreign.ck))) return;
    this.#ripe.push({ foreign, mark: this.#parts.mark() });
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#looking || !this.#running || this.#ripe.length === 0) return;
    this.#looking = true;
    this.#parts.context.timers.after(LOOK_MS, () => {
      this.#looking = false;
      if (this.#running) this.#look();
    });
  }

  #look(): void {
    const { hasPassed, reviver } = this.#parts;
    let done = 0;
    for (const { foreign, mark } of this.#ripe) {
      if (!hasPassed(mark) || this.#hasUnread(foreign.queue)) break;
      done += 1;
      if (this.#foreign.has(keyOf(foreign.ck)))
        reviver.revive(foreign.ck, foreign.queue.queueId, () => this.#end(foreign));
    }
    this.#ripe.splice(0, done);
    this.#lookSoon();
  }

  #hasUnread({ queueId, next }: ReviveQueue): boolean {
    const { store, place } = this.#parts.context;
    return next < store.maxOffset(place.reviveTopic, queueId);
  }
}
