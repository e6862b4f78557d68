/**
 * What was popped shortly before the process before has died: control's file of offsets is some seconds old then, and
 * the checkpoints in the timer topic say how far its groups had come.
 */
import { javaHashCode } from '../../lib/java-hash.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { decodeRecord } from '../../record/decode.ts';
import { Patience, READ_AGAIN_MS } from '../patience.ts';
import { realQueueOf } from '../real-queue.ts';
import { CK_TAG, parseCheckpoint } from './checkpoint.ts';
import type { PopContext } from './pop-context.ts';
import type { PopStates } from './pop-states.ts';

const CK_HASH = BigInt(javaHashCode(CK_TAG));
/** Entries of the timer topic's queue looked at by one turn. */
const BATCH = 256;

export class PopRecovery {
  /** All is known; nothing may be popped before. */
  done = false;
  readonly #context: PopContext;
  readonly #states: PopStates;
  readonly #patience: Patience;
  readonly #end: number;
  #next: number;
  #running = true;

  /** Entries from `scanned` to `end` may be newer than what control's file says; -1: nobody knows, and none is. */
  constructor(context: PopContext, states: PopStates, scanned: number, end: number) {
    this.#context = context;
    this.#states = states;
    this.#patience = new Patience(context.clock);
    this.#end = end;
    const min = context.store.minOffset(TIMER_TOPIC, 0);
    this.#next = scanned < 0 || scanned > end ? end : Math.max(scanned, min);
  }

  start(): void {
    this.#run();
  }

  stop(): void {
    this.#running = false;
  }

  #run(): void {
    if (!this.#running) return;
    const pause = this.#step();
    this.done = this.#next >= this.#end;
    if (!this.done) this.#context.timers.after(pause, () => this.#run());
  }

  /** ms until the next one. */
  #step(): number {
    const { store, log } = this.#context;
    if (this.#next >= this.#end) return 0;
    try {
      const count = Math.min(BATCH, this.#end - this.#next);
      const entries = store.readQueue(TIMER_TOPIC, 0, this.#next, count);
      if (entries.length === 0) this.#next = this.#end;
      for (const { tagsCode, physicalOffset, queueOffset } of entries) {
        if (BigInt.asIntN(32, tagsCode) === CK_HASH) this.#learn(physicalOffset);
        this.#next = queueOffset + 1;
      }
      this.#patience.worked();
      return 0;
    } catch (error) {
      const isPassedOver = this.#patience.failed();
      const fields = { topic: TIMER_TOPIC, offset: this.#next, reason: (error as Error).message };
      if (isPassedOver) log.error(fields, 'a checkpoint cannot be read, and is passed over');
      else log.error(fields, 'pops wait until the checkpoints can be read');
      if (isPassedOver) this.#next += 1;
      return isPassedOver ? 0 : READ_AGAIN_MS;
    }
  }

  #learn(position: number): void {
    const record = this.#context.store.recordAt(position);
    const message = record === undefined ? undefined : decodeRecord(record);
    if (message === undefined) return;
    if (realQueueOf(message.properties).topic !== this.#context.place.reviveTopic) return;
    const ck = parseCheckpoint(message.body);
    if (ck === undefined || ck.diffs.length === 0) return;
    this.#states.learn(ck.topic, ck.group, ck.queueId, ck.startOffset + Math.max(...ck.diffs) + 1);
  }
}
