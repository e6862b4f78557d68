/**
 * Asks producers how transactions have ended that nobody has ended. In rounds: each goes through the open half messages
 * from the first on, a few a turn. A check puts a copy of the half message at the end of its queue, which counts the
 * checks and takes the place of the one before, and so the queue always moves on; after the last check it is given up.
 *
 * Other than in RocketMQ only a question that was asked is counted: nothing happens while nobody of the group is there,
 * or while the sender has asked to be left alone. What cannot stay where it is (overdue.ts) is moved to the end of the
 * queue or given up, asked or not. While nothing is open there are no rounds.
 */

import { HALF_TOPIC } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { counterPlace } from '../../ring/counters.ts';
import { type InternalMessage, isStored } from '../../store/put/put-message.ts';
import { realQueueOf } from '../real-queue.ts';
import { meantRecord } from './check-record.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import { checkTimesOf, firstOffsetOf, givenUpOf, producerGroupOf, replacementOf } from './half-message.ts';
import type { HalfTopics } from './half-topics.ts';
import { learn } from './learn.ts';
import type { OpLog } from './op-log.ts';
import { HELD, OPEN, type OpenHalves } from './open-halves.ts';
import { LEAVES, MOVES, Overdue, STAYS } from './overdue.ts';
import type { ProducersOnline } from './producers-online.ts';

export interface CheckParts {
  context: TransactionContext;
  halves: OpenHalves;
  copies: Copies;
  ops: OpLog;
  topics: HalfTopics;
  producers: ProducersOnline;
}

/** Open half messages looked at in a turn, and those of them that are read from the log. */
const TRANSACTIONS_GIVEN_UP = counterPlace('transactionsGivenUp');
const LOOKED_AT = 4_096;
const READ = 16;
const GO_ON_MS = 1;
/** Questions that nobody has taken yet. */
const MAX_CHECKS_UNDER_WAY = 32;
/** The configuration may change, and too many may be open: looked at so often while anything is open. */
const LOOK_MS = 1_000;

export class CheckBack {
  readonly #parts: CheckParts;
  /** Next one to look at, and where the round ends. */
  #next = 0;
  #end = 0;
  #underWay = 0;
  readonly #overdue: Overdue;
  /** Ms of the monotonic clock at which the last round began. */
  #lastRound = 0;
  #cancelTimer: (() => void) | undefined;
  #inRound = false;
  #running = false;

  constructor(parts: CheckParts) {
    this.#parts = parts;
    this.#overdue = new Overdue(parts.context, parts.halves);
  }

  start(): void {
    this.#running = true;
    this.wake();
  }

  /** Something may be open. */
  wake(): void {
    if (!this.#running || this.#inRound || this.#cancelTimer !== undefined) return;
    this.#lastRound = this.#parts.context.clock.monotonic();
    this.#later();
  }

  stop(): void {
    this.#running = false;
    this.#cancelTimer?.();
  }

  /** Whether no put is under way. */
  get idle(): boolean {
    return this.#underWay === 0;
  }

  #later(): void {
    const { halves } = this.#parts;
    this.#inRound = false;
    this.#cancelTimer = undefined;
    if (halves.first === halves.end) return;
    this.#after(Math.min(this.#untilNext(), LOOK_MS), () => this.#lookAtClock());
  }

  /** Ms until the next round. */
  #untilNext(): number {
    const { clock, settings } = this.#parts.context;
    return Math.max(0, this.#lastRound + settings().transactionCheckInterval - clock.monotonic());
  }

  #after(ms: number, task: () => void): void {
    this.#cancelTimer = this.#parts.context.timers.after(ms, task);
  }

  #lookAtClock(): void {
    if (this.#untilNext() === 0 || this.#overdue.crowded) this.#round();
    else this.#later();
  }

  #round(): void {
    const { halves, context } = this.#parts;
    this.#inRound = true;
    this.#lastRound = context.clock.monotonic();
    this.#overdue.beginRound();
    this.#next = halves.first;
    this.#end = halves.end;
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#running) return;
    const { halves, context } = this.#parts;
    this.#next = Math.max(this.#next, halves.first);
    let read = 0;
    for (let looked = 0; this.#next < this.#end; looked++) {
      const full = context.busy() || context.checksUnderWay() + this.#underWay >= MAX_CHECKS_UNDER_WAY;
      if (looked >= LOOKED_AT || read >= READ || full) {
        this.#after(GO_ON_MS, () => this.#goOn());
        return;
      }
      if (this.#look(this.#next)) read += 1;
      this.#next += 1;
    }
    this.#later();
  }

  /** True when it had to be read. */
  #look(offset: number): boolean {
    const { halves, context, producers } = this.#parts;
    if (halves.state(offset) !== OPEN) return false;
    const fate = this.#overdue.of(offset);
    const isDue = () => halves.due(offset) <= context.clock.monotonic();
    const hash = halves.group(offset);
    const mayAsk = isDue() && (hash === 0 || producers.mayHave(hash));
    if (!mayAsk && fate === STAYS) return false;
    const half = this.#read(offset, fate);
    if (half === undefined) return true;
    if (hash === 0) learn(this.#parts, offset, half);
    if (halves.state(offset) !== OPEN) return true;
    if (fate === LEAVES) this.#giveUp(offset, half);
    else if (isDue() && producers.has(producerGroupOf(half))) this.#check(offset, half);
    else if (fate === MOVES) this.#move(offset, half);
    return true;
  }

  /** Undefined when there is nothing to read, or not now. */
  #read(offset: number, fate: number): StoredMessage | undefined {
    const { halves, context, ops } = this.#parts;
    const position = halves.position(offset);
    const fields = { topic: HALF_TOPIC, offset, position };
    try {
      const record = context.store.recordAt(position);
      const half = record === undefined ? undefined : decodeRecord(record);
      if (half !== undefined) return half;
      context.log.error(fields, 'a half message is gone from the log before its end');
    } catch (error) {
      const { message: reason } = error as Error;
      // One that is only old may be readable before its file goes.
      if (fate === STAYS || !this.#overdue.crowded) {
        context.log.error({ ...fields, reason }, 'a half message cannot be read');
        return undefined;
      }
      context.log.error(
        { ...fields, reason },
        'a half message cannot be read, and its transaction is given up',
      );
    }
    halves.set(offset, HELD);
    this.#overdue.leaving += 1;
    ops.add(offset, { done: this.#hasLeft });
    return undefined;
  }

  readonly #hasLeft = (): void => {
    this.#overdue.leaving -= 1;
  };

  #check(offset: number, half: StoredMessage): void {
    const { context } = this.#parts;
    const times = checkTimesOf(half);
    if (times >= context.settings().transactionCheckMax) {
      this.#giveUp(offset, half);
      return;
    }
    const copy = replacementOf(half, times + 1);
    this.#replace(offset, half, copy, (queueOffset, logOffset) => {
      const record = meantRecord(half, copy, queueOffset, logOffset);
      const uniqueKey = half.properties.get(PROPERTY_UNIQUE_KEY) ?? '';
      this.#noteDue(queueOffset, 0);
      context.check({ group: producerGroupOf(half), record, logOffset, queueOffset, uniqueKey });
    });
  }

  #move(offset: number, half: StoredMessage): void {
    const due = this.#parts.halves.due(offset);
    const copy = replacementOf(half, checkTimesOf(half));
    this.#replace(offset, half, copy, (queueOffset) => this.#noteDue(queueOffset, due));
  }

  /** Puts a copy in the place of the one at `offset`. */
  #replace(
    offset: number,
    half: StoredMessage,
    copy: InternalMessage,
    done: (queueOffset: number, logOffset: number) => void,
  ): void {
    const { context, copies, halves, ops, topics } = this.#parts;
    halves.set(offset, HELD);
    this.#underWay += 1;
    context.put(copy, ({ status, remark, queueOffset, physicalOffset }) => {
      this.#underWay -= 1;
      if (!isStored(status)) {
        halves.set(offset, OPEN);
        // It had no room for what a copy says of itself.
        if (status === ResponseCode.MESSAGE_ILLEGAL) this.#giveUp(offset, half);
        else
          context.log.warn(
            { offset, status, reason: remark },
            'a half message could not be checked, will be tried again',
          );
        return;
      }
      copies.add(firstOffsetOf(half), queueOffset);
      topics.hasMoved(offset, queueOffset, realQueueOf(half.properties).topic);
      ops.add(offset);
      done(queueOffset, physicalOffset);
    });
  }

  /** The copy may be in the queue already, or be met there later. */
  #noteDue(queueOffset: number, due: number): void {
    const { halves, copies } = this.#parts;
    if (queueOffset < halves.end) halves.setDue(queueOffset, due);
    else copies.expect(queueOffset, due);
  }

  #giveUp(offset: number, half: StoredMessage): void {
    const { context, copies, halves, ops } = this.#parts;
    halves.set(offset, HELD);
    this.#underWay += 1;
    this.#overdue.leaving += 1;
    context.put(givenUpOf(half), ({ status, remark }) => {
      this.#underWay -= 1;
      const fields = { group: producerGroupOf(half), offset, checks: checkTimesOf(half) };
      if (!isStored(status)) {
        halves.set(offset, OPEN);
        this.#hasLeft();
        context.log.warn(
          { ...fields, reason: remark },
          'a transaction could not be given up, will be tried again',
        );
        return;
      }
      context.counters.add(TRANSACTIONS_GIVEN_UP);
      context.log.warn(fields, 'a transaction was given up: its message lies in TRANS_CHECK_MAX_TIME_TOPIC');
      const first = firstOffsetOf(half);
      copies.giveUp(first, ops.progress.end);
      ops.add(offset, { done: this.#hasLeft, givenUp: first });
    });
  }
}
