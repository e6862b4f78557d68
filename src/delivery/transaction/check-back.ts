/**
 * Asks producers how transactions have ended that nobody has ended. In rounds: each goes through the open half messages
 * from the first on, a few a turn. A check puts a copy of the half message at the end of its queue, which counts the
 * checks and takes the place of the one before, and so the queue always moves on; after the last check it is given up.
 *
 * Other than in RocketMQ only a question that was asked is counted: nothing happens while nobody of the group is there,
 * or while the sender has asked to be left alone. What waits so long that its file would be deleted, or that more lies
 * behind it than can be kept in mind, is moved to the end of the queue.
 */

import { MAX_HALVES_SPAN, MAX_OPEN_HALVES } from '../../lib/limits.ts';
import { HALF_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { type InternalMessage, isStored } from '../../store/put/put-message.ts';
import { meantRecord } from './check-record.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import {
  checkTimesOf,
  copyOf,
  firstOffsetOf,
  givenUpOf,
  groupHashOf,
  immunityOf,
  producerGroupOf,
} from './half-message.ts';
import type { OpLog } from './op-log.ts';
import { HELD, OPEN, type OpenHalves } from './open-halves.ts';
import type { ProducersOnline } from './producers-online.ts';

export interface CheckParts {
  context: TransactionContext;
  halves: OpenHalves;
  copies: Copies;
  ops: OpLog;
  producers: ProducersOnline;
}

/** Open half messages looked at in a turn, and those of them that are read from the log. */
const LOOKED_AT = 4_096;
const READ = 16;
const GO_ON_MS = 1;
/** Questions that nobody has taken yet. */
const MAX_CHECKS_UNDER_WAY = 32;
const HOUR_MS = 3_600_000;
/** What has waited for this share of the time for which files are kept is moved. */
const MOVED_AT = 1 / 4;

export class CheckBack {
  readonly #parts: CheckParts;
  /** Next one to look at, and where the round ends. */
  #next = 0;
  #end = 0;
  #underWay = 0;
  #cancelTimer: () => void = () => {};
  #running = false;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = true;
    this.#later();
  }

  stop(): void {
    this.#running = false;
    this.#cancelTimer();
  }

  /** Whether no put is under way. */
  get idle(): boolean {
    return this.#underWay === 0;
  }

  #later(): void {
    const { timers, settings } = this.#parts.context;
    this.#cancelTimer = timers.after(settings().transactionCheckInterval, () => this.#round());
  }

  #round(): void {
    const { halves } = this.#parts;
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
        this.#cancelTimer = context.timers.after(GO_ON_MS, () => this.#goOn());
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
    const isDue = halves.due(offset) <= context.clock.monotonic();
    const hash = halves.group(offset);
    const mayAsk = isDue && (hash === 0 || producers.mayHave(hash));
    if (!mayAsk && !this.#mustMove(offset)) return false;
    const half = this.#read(offset);
    if (half === undefined) return true;
    if (hash === 0) halves.setGroup(offset, groupHashOf(half));
    if (this.#isImmune(offset, half)) return true;
    if (isDue && producers.has(producerGroupOf(half))) this.#check(offset, half);
    else if (this.#mustMove(offset)) this.#move(offset, half);
    return true;
  }

  /** Only the first one may be: the others are younger, and their turn comes. */
  #mustMove(offset: number): boolean {
    const { halves, context } = this.#parts;
    if (offset !== halves.first) return false;
    if (halves.size > MAX_OPEN_HALVES || halves.end - halves.first > MAX_HALVES_SPAN) return true;
    const { fileReservedTime } = context.settings();
    const stored = context.store.storeTimeOf(halves.position(offset));
    return stored >= 0 && context.clock.now() - stored > fileReservedTime * HOUR_MS * MOVED_AT;
  }

  #read(offset: number): StoredMessage | undefined {
    const { halves, context, ops } = this.#parts;
    const position = halves.position(offset);
    try {
      const record = context.store.recordAt(position);
      const half = record === undefined ? undefined : decodeRecord(record);
      if (half !== undefined) return half;
      context.log.error(
        { topic: HALF_TOPIC, offset, position },
        'a half message is gone from the log before its end',
      );
    } catch (error) {
      const reason = (error as Error).message;
      context.log.error({ topic: HALF_TOPIC, offset, position, reason }, 'a half message cannot be read');
      return undefined;
    }
    halves.set(offset, HELD);
    ops.add(offset);
    return undefined;
  }

  /** It is checked no sooner than its sender has asked for. */
  #isImmune(offset: number, half: StoredMessage): boolean {
    const { halves, context } = this.#parts;
    const { transactionTimeOut } = context.settings();
    const immunity = immunityOf(half, transactionTimeOut);
    if (immunity === undefined || checkTimesOf(half) > 0) return false;
    const due = context.clock.monotonic() + immunity - Math.max(0, context.clock.now() - half.storeTimestamp);
    if (due <= context.clock.monotonic()) return false;
    halves.setDue(offset, due);
    return true;
  }

  #check(offset: number, half: StoredMessage): void {
    const { context } = this.#parts;
    const times = checkTimesOf(half);
    if (times >= context.settings().transactionCheckMax) {
      this.#giveUp(offset, half);
      return;
    }
    const copy = copyOf(half, times + 1);
    this.#replace(offset, half, copy, (queueOffset, logOffset) => {
      const record = meantRecord(half, copy, queueOffset, logOffset);
      const uniqueKey = half.properties.get(PROPERTY_UNIQUE_KEY) ?? '';
      this.#noteDue(queueOffset, 0);
      context.check({ group: producerGroupOf(half), record, logOffset, queueOffset, uniqueKey });
    });
  }

  #move(offset: number, half: StoredMessage): void {
    const { halves } = this.#parts;
    if (halves.size > MAX_OPEN_HALVES) {
      this.#giveUp(offset, half);
      return;
    }
    const due = halves.due(offset);
    const copy = copyOf(half, checkTimesOf(half));
    this.#replace(offset, half, copy, (queueOffset) => this.#noteDue(queueOffset, due));
  }

  /** Puts a copy in the place of the one at `offset`. */
  #replace(
    offset: number,
    half: StoredMessage,
    copy: InternalMessage,
    done: (queueOffset: number, logOffset: number) => void,
  ): void {
    const { context, copies, halves, ops } = this.#parts;
    halves.set(offset, HELD);
    this.#underWay += 1;
    context.put(copy, ({ status, remark, queueOffset, physicalOffset }) => {
      this.#underWay -= 1;
      if (!isStored(status)) {
        halves.set(offset, OPEN);
        context.log.warn(
          { offset, status, reason: remark },
          'a half message could not be checked, will be tried again',
        );
        return;
      }
      copies.add(firstOffsetOf(half), queueOffset);
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
    context.put(givenUpOf(half), ({ status, remark }) => {
      this.#underWay -= 1;
      const fields = { group: producerGroupOf(half), offset, checks: checkTimesOf(half) };
      if (!isStored(status)) {
        halves.set(offset, OPEN);
        context.log.warn(
          { ...fields, reason: remark },
          'a transaction could not be given up, will be tried again',
        );
        return;
      }
      context.log.warn(fields, 'a transaction was given up: its message lies in TRANS_CHECK_MAX_TIME_TOPIC');
      copies.giveUp(firstOffsetOf(half));
      ops.add(offset);
    });
  }
}
