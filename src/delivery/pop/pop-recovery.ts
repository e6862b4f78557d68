/**
 * What happened to pops shortly before the process before has died: control's files are some seconds old then. The
 * checkpoints in the timer topic say how far its groups had come, and the journal what ordered groups have out.
 */
import { javaHashCode } from '../../lib/java-hash.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { Patience, READ_AGAIN_MS } from '../patience.ts';
import { realQueueOf } from '../real-queue.ts';
import { type Checkpoint, CK_TAG, parseCheckpoint } from './checkpoint.ts';
import { type JournaledOrder, ORDER_JOURNAL_TOPIC, parseJournaled } from './order-journal.ts';
import type { OrderedPops } from './ordered-pops.ts';
import type { PopContext } from './pop-context.ts';
import type { PopStates } from './pop-states.ts';

const CK_HASH = BigInt(javaHashCode(CK_TAG));
/** Entries of a queue looked at by one turn. */
const BATCH = 256;

export interface PopRecoveryParts {
  context: PopContext;
  states: PopStates;
  ordered: OrderedPops;
  /** Entries from there on may be newer than what control's files say; -1: nobody knows, and none is. */
  scanned: number;
  journaled: number;
}

export class PopRecovery {
  readonly #parts: PopRecoveryParts;
  readonly #checkpoints: Replay;
  readonly #journal: Replay;
  /** The last state of each queue of a group. */
  readonly #orders = new Map<string, JournaledOrder>();
  #isTold = false;

  constructor(parts: PopRecoveryParts) {
    this.#parts = parts;
    const { context, scanned, journaled } = parts;
    this.#checkpoints = new Replay(context, TIMER_TOPIC, scanned, CK_HASH, (message) => this.#learn(message));
    this.#journal = new Replay(context, ORDER_JOURNAL_TOPIC, journaled, undefined, ({ body }) => {
      const order = parseJournaled(body);
      if (order !== undefined) this.#orders.set(`${order.topic}@${order.group}@${order.queueId}`, order);
    });
  }

  /** Whether all is known; nothing may be popped before. */
  get done(): boolean {
    const isDone = this.#checkpoints.done && this.#journal.done;
    if (isDone && !this.#isTold) this.#restore();
    return isDone;
  }

  start(): void {
    this.#checkpoints.run();
    this.#journal.run();
  }

  stop(): void {
    this.#checkpoints.stop();
    this.#journal.stop();
  }

  #learn({ properties, body }: StoredMessage): void {
    const { context, states } = this.#parts;
    if (realQueueOf(properties).topic !== context.place.reviveTopic) return;
    const ck = parseCheckpoint(body);
    if (ck !== undefined) learnFrom(ck, states, context);
  }

  #restore(): void {
    this.#isTold = true;
    const { context, states, ordered } = this.#parts;
    for (const { topic, group, queueId, offset, order } of this.#orders.values()) {
      const offsets = states.of(topic, group);
      if (typeof offsets === 'string') continue;
      offsets.whenKnown(() => {
        const isOther = offset > context.store.maxOffset(topic, queueId);
        if (offsets.gone || offsets.set.has(queueId) || isOther) return;
        const queue = offsets.queue(queueId);
        if (queue.offset > offset && offsets.goneOn.has(queueId)) return;
        states.move(queue, offset);
        ordered.restore(queue, order);
      });
    }
    this.#orders.clear();
  }
}

/** Its group has popped the queue up to there, if it is the same queue still. */
export function learnFrom(ck: Checkpoint, states: PopStates, { store }: Pick<PopContext, 'store'>): void {
  const { topic, group, queueId, startOffset, diffs, popTime, logEnd } = ck;
  if (diffs.length === 0) return;
  const last = startOffset + Math.max(...diffs);
  const [entry] = store.readQueue(topic, queueId, last, 1);
  if (entry?.queueOffset !== last) return;
  if (logEnd === undefined) {
    const record = store.recordAt(entry.physicalOffset);
    const message = record === undefined ? undefined : decodeRecord(record);
    if (message === undefined || message.storeTimestamp > popTime) return;
  } else if (entry.physicalOffset >= logEnd) return;
  states.learn(topic, group, queueId, last + 1);
}

/** Reads a queue from an offset to where it ends now, a bounded number of entries at a time. */
class Replay {
  readonly #context: PopContext;
  readonly #topic: string;
  readonly #hash: bigint | undefined;
  readonly #take: (message: StoredMessage) => void;
  readonly #patience: Patience;
  readonly #end: number;
  #next: number;
  #running = true;

  /** `hash`: of the tag of those that are read; undefined = all. */
  constructor(
    context: PopContext,
    topic: string,
    from: number,
    hash: bigint | undefined,
    take: (message: StoredMessage) => void,
  ) {
    this.#context = context;
    this.#topic = topic;
    this.#hash = hash;
    this.#take = take;
    this.#patience = new Patience(context.clock);
    this.#end = context.store.maxOffset(topic, 0);
    this.#next = from < 0 || from > this.#end ? this.#end : Math.max(from, context.store.minOffset(topic, 0));
  }

  get done(): boolean {
    return this.#next >= this.#end;
  }

  stop(): void {
    this.#running = false;
  }

  run(): void {
    if (!this.#running || this.done) return;
    const pause = this.#step();
    if (!this.done) this.#context.timers.after(pause, () => this.run());
  }

  /** ms until the next one. */
  #step(): number {
    const { store, log } = this.#context;
    try {
      const count = Math.min(BATCH, this.#end - this.#next);
      const entries = store.readQueue(this.#topic, 0, this.#next, count);
      if (entries.length === 0) this.#next = this.#end;
      for (const { tagsCode, physicalOffset, queueOffset } of entries) {
        if (this.#hash === undefined || BigInt.asIntN(32, tagsCode) === this.#hash)
          this.#read(physicalOffset);
        this.#next = queueOffset + 1;
      }
      this.#patience.worked();
      return 0;
    } catch (error) {
      const isPassedOver = this.#patience.failed();
      const fields = { topic: this.#topic, offset: this.#next, reason: (error as Error).message };
      if (isPassedOver) log.error(fields, 'a state of pops cannot be read, and is passed over');
      else log.error(fields, 'pops wait until their states can be read');
      if (isPassedOver) this.#next += 1;
      return isPassedOver ? 0 : READ_AGAIN_MS;
    }
  }

  #read(position: number): void {
    const record = this.#context.store.recordAt(position);
    const message = record === undefined ? undefined : decodeRecord(record);
    if (message !== undefined) this.#take(message);
  }
}
