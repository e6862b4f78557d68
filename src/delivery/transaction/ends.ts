/**
 * Ends of transactions, as producers send them: a commit puts the message where it was to go, a rollback only writes
 * down that it has ended. Each half message ends once, whichever of its copies is named, and however often it is said.
 * Success is answered to what was done, now or, as far as is known, before; and to nothing else.
 */
import { HALF_TOPIC } from '../../lib/names.ts';
import { ResponseCode, responseName } from '../../protocol/codes.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { counterPlace } from '../../ring/counters.ts';
import { isStored } from '../../store/put/put-message.ts';
import { standsInQueue } from '../../store/read/store-reads.ts';
import { realQueueOf } from '../real-queue.ts';
import { laterForm } from '../waiting-form.ts';
import type { TransactionContext } from './context.ts';
import type { Copies } from './copies.ts';
import { committedOf, firstOffsetOf, immunityOf, ONLY_QUEUE, producerGroupOf } from './half-message.ts';
import type { OpLog } from './op-log.ts';
import { ENDED, ENDING, HELD, OPEN, type OpenHalves } from './open-halves.ts';
import { COMMITTED, type Outcome, Outcomes, ROLLED_BACK, UNKNOWN } from './outcomes.ts';
import { WaitingEnds } from './waiting-ends.ts';

export interface End {
  readonly commits: boolean;
  /** It answers a check. */
  readonly answersCheck: boolean;
  /** Its sender waits for the answer. */
  readonly waits: boolean;
  readonly logOffset: number;
  readonly queueOffset: number;
  readonly group: string;
  readonly answer: (code: number, remark: string) => void;
}

export interface EndParts {
  context: Pick<
    TransactionContext,
    | 'store'
    | 'dispatched'
    | 'put'
    | 'busy'
    | 'clock'
    | 'timers'
    | 'settings'
    | 'rules'
    | 'log'
    | 'counters'
    | 'figures'
  >;
  halves: OpenHalves;
  copies: Copies;
  ops: OpLog;
  /** Takes in what is new in the half queue, up to this offset. */
  scan: (offset: number) => void;
}

/** Of one transaction, which ends now. */
interface Ending {
  readonly end: End;
  readonly half: StoredMessage;
  /** Of the message when it is committed. */
  readonly topic: string;
  /** Offset of the first half message. */
  readonly first: number;
  /** Of the open half message or copy; undefined when the transaction was given up. */
  readonly target: number | undefined;
}

const TRANSACTIONS_COMMITTED = counterPlace('transactionsCommitted');
const TRANSACTIONS_ROLLED_BACK = counterPlace('transactionsRolledBack');

const NOT_FOUND = 'Find prepared transaction message failed';
const DONE_BEFORE = 'this transaction has been ended before, nothing was done';
const OTHERWISE: Record<Outcome | typeof UNKNOWN, string> = {
  [COMMITTED]: 'this transaction has been committed before, nothing was done',
  [ROLLED_BACK]: 'this transaction has been rolled back before, nothing was done',
  [UNKNOWN]:
    'this transaction has ended before, it is not known any more how, and nothing was done. If it was given up after ' +
    'the last check its message lies in TRANS_CHECK_MAX_TIME_TOPIC: resume it (request 323) to end it',
};

export class Ends {
  readonly #parts: EndParts;
  readonly #waiting: WaitingEnds;
  readonly #outcomes = new Outcomes();
  /** First offsets of given-up messages that are being ended after all. */
  readonly #late = new Set<number>();
  #committing = 0;

  constructor(parts: EndParts) {
    this.#parts = parts;
    this.#waiting = new WaitingEnds(parts.context, (end) => this.take(end));
  }

  stop(): void {
    this.#waiting.stop();
  }

  /** New half messages were dispatched: their ends may have come before them. */
  poke(): void {
    this.#waiting.look();
  }

  /** Ends that are not answered yet. */
  get underWay(): number {
    return this.#waiting.size + this.#committing;
  }

  take(end: End): void {
    const { store, dispatched } = this.#parts.context;
    const inLog = end.logOffset >= store.minPhysicalOffset && end.logOffset < store.maxPhysicalOffset;
    if (!inLog) {
      end.answer(ResponseCode.SYSTEM_ERROR, NOT_FOUND);
    } else if (dispatched() <= end.logOffset) {
      this.#waiting.add(end, () => dispatched() > end.logOffset);
    } else {
      const half = this.#read(end);
      if (half !== undefined) this.#judge(end, half);
    }
  }

  /** The half message that is named; undefined when the answer has been given. */
  #read(end: End): StoredMessage | undefined {
    const { store, log } = this.#parts.context;
    try {
      const record = store.recordAt(end.logOffset);
      const message = record === undefined ? undefined : decodeRecord(record);
      if (message !== undefined && this.#isInQueue(message, end.logOffset)) return message;
      end.answer(ResponseCode.SYSTEM_ERROR, `${NOT_FOUND}: what lies there is no half message`);
    } catch (error) {
      const reason = (error as Error).message;
      log.warn({ position: end.logOffset, reason }, 'a half message cannot be read, so it cannot be ended');
      end.answer(ResponseCode.SYSTEM_ERROR, `${NOT_FOUND}: ${reason}`);
    }
    return undefined;
  }

  /** The half queue knows it. */
  #isInQueue(message: StoredMessage, position: number): boolean {
    if (message.topic !== HALF_TOPIC || message.queueId !== ONLY_QUEUE) return false;
    const known = this.#parts.halves.position(message.queueOffset);
    if (known >= 0) return known === position;
    return standsInQueue(this.#parts.context.store, message, position);
  }

  #judge(end: End, half: StoredMessage): void {
    const { clock, settings } = this.#parts.context;
    const immunity = end.answersCheck ? undefined : immunityOf(half, settings().transactionTimeOut);
    if (immunity !== undefined && clock.now() - half.storeTimestamp > immunity) {
      const remark = 'the time is over in which only its sender may end this transaction: it will be checked';
      end.answer(ResponseCode.ILLEGAL_OPERATION, remark);
    } else if (producerGroupOf(half) !== end.group) {
      end.answer(
        ResponseCode.SYSTEM_ERROR,
        'The producer group wrong: it is not the one that has sent the message',
      );
    } else if (half.queueOffset !== end.queueOffset) {
      const remark = 'The transaction state table offset wrong: the half message lies at another one';
      end.answer(ResponseCode.SYSTEM_ERROR, remark);
    } else {
      this.#end(end, half);
    }
  }

  #end(end: End, half: StoredMessage): void {
    const { halves, copies, ops, scan } = this.#parts;
    const { queueOffset } = half;
    const { topic } = realQueueOf(half.properties);
    if (queueOffset >= halves.end) scan(queueOffset);
    const hasCopy = halves.state(queueOffset) === ENDED;
    const foreign = hasCopy ? copies.foreign.of(half) : undefined;
    const first = foreign ?? firstOffsetOf(half);
    const target = hasCopy ? (copies.newestOf(first) ?? foreign ?? queueOffset) : queueOffset;
    // A copy may be stored, and its place be taken in later.
    if (target >= halves.end) scan(target);
    const state = halves.state(target);
    const isBeingEnded = () => halves.state(target) === ENDING || this.#late.has(first);
    if (target >= halves.end) {
      this.#waiting.add(end, () => target < halves.end);
    } else if (state === HELD) {
      this.#waiting.add(end, () => halves.state(target) !== HELD);
    } else if (isBeingEnded()) {
      // Whether the other end succeeds is not known yet. Who does not wait for that has said nothing new.
      if (end.waits) this.#waiting.add(end, () => !isBeingEnded());
    } else if (state === OPEN) {
      halves.set(target, ENDING);
      this.#carryOut({ end, half, topic, first, target });
    } else if (copies.isGivenUp(first, ops.progress.end)) {
      this.#late.add(first);
      this.#carryOut({ end, half, topic, first, target: undefined });
    } else {
      this.#answerAgain(end, half, first);
    }
  }

  #carryOut(ending: Ending): void {
    if (ending.end.commits) this.#commit(ending);
    else this.#rollBack(ending);
  }

  #commit(ending: Ending): void {
    const { context, halves, ops } = this.#parts;
    const { end, half, first, target } = ending;
    const committed = committedOf(half, end.logOffset);
    const failed = (status: number, remark: string | undefined): void => {
      if (target === undefined) this.#late.delete(first);
      else halves.set(target, OPEN);
      end.answer(status, remark ?? responseName(status));
    };
    if (typeof committed === 'string') {
      failed(ResponseCode.SYSTEM_ERROR, committed);
      return;
    }
    this.#committing += 1;
    context.put(laterForm(committed, context.rules(), context.clock.now()), ({ status, remark }) => {
      this.#committing -= 1;
      if (isStored(status)) {
        this.#hasEnded(ending, COMMITTED);
        ops.add(target ?? first);
        end.answer(status, '');
      } else {
        failed(status, remark);
      }
    });
  }

  #rollBack(ending: Ending): void {
    const { end, first, target } = ending;
    const done = () => {
      this.#hasEnded(ending, ROLLED_BACK);
      end.answer(ResponseCode.SUCCESS, '');
    };
    this.#parts.ops.add(target ?? first, { urgent: end.waits, done });
  }

  #hasEnded({ topic, half, first, target }: Ending, outcome: Outcome): void {
    this.#count(topic, half, outcome);
    for (const offset of [first, half.queueOffset, target ?? first]) this.#outcomes.note(offset, outcome);
    if (target !== undefined) return;
    this.#late.delete(first);
    this.#parts.copies.endLate(first);
  }

  #count(topic: string, { bornTimestamp }: StoredMessage, outcome: Outcome): void {
    const { counters, figures, clock } = this.#parts.context;
    const isCommitted = outcome === COMMITTED;
    counters.add(isCommitted ? TRANSACTIONS_COMMITTED : TRANSACTIONS_ROLLED_BACK);
    figures.count(isCommitted ? 'commits' : 'rollbacks', topic);
    if (isCommitted) figures.observe('committed', topic, Math.floor((clock.now() - bornTimestamp) / 1_000));
  }

  /** Nothing of it is open. Its sender may not wait for the answer, so a commit that is not done stands in the log. */
  #answerAgain(end: End, half: StoredMessage, first: number): void {
    const outcome = this.#outcomes.of(half.queueOffset) || this.#outcomes.of(first);
    if (outcome === (end.commits ? COMMITTED : ROLLED_BACK)) {
      end.answer(ResponseCode.SUCCESS, DONE_BEFORE);
      return;
    }
    const reason = OTHERWISE[outcome];
    if (end.commits)
      this.#parts.context.log.warn(
        { group: end.group, topic: HALF_TOPIC, offset: half.queueOffset, reason },
        'a transaction was not committed',
      );
    end.answer(ResponseCode.ILLEGAL_OPERATION, reason);
  }
}
