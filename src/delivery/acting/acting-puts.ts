/**
 * Puts of delivery on a slave that acts for its master: its log takes no message but its master's. What is for
 * consumers goes to another master, by way of control. What pops write down for a process that follows is dropped: the
 * offsets of groups tell a master that is back where to go on (acting-pops.ts).
 */
import { Fifo } from '../../lib/fifo.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { type BeginPut, type InternalMessage, type PutResult, refused } from '../../store/put/put-message.ts';
import { ORDER_JOURNAL_TOPIC } from '../pop/order-journal.ts';
import { realQueueOf } from '../real-queue.ts';

/** Messages on their way to other masters. */
export const MAX_ESCAPES = 64;

/** A message for another master; control answers under the same number. */
export interface EscapeReport {
  kind: 'escape';
  id: number;
  message: InternalMessage;
}

/** What has become of it, as JSON of a command ESCAPED. */
export interface Escaped {
  id: number;
  status: number;
  remark: string | undefined;
}

/** No other master has the topic; another master takes no such message, however often it is sent. */
const NOBODYS: ReadonlySet<number> = new Set([ResponseCode.TOPIC_NOT_EXIST, ResponseCode.MESSAGE_ILLEGAL]);

/** Whether only this broker's own master can take the message. */
export function isNobodys(status: number): boolean {
  return NOBODYS.has(status);
}

export interface ActingPutsParts {
  reviveTopic: string;
  escape: (report: EscapeReport) => void;
  /** What the master's pops have written down has become due: it is for the revive topic. */
  revives: (message: InternalMessage) => void;
}

/** Where the message is to go in the end. */
export function realTopicOf({ topic, properties }: InternalMessage): string {
  return topic === TIMER_TOPIC ? realQueueOf(properties).topic : topic;
}

const DROPPED: PutResult = {
  status: ResponseCode.SUCCESS,
  remark: undefined,
  queueOffset: -1,
  physicalOffset: -1,
};

export class ActingPuts {
  readonly #parts: ActingPutsParts;
  readonly #escaping = new Map<number, (result: PutResult) => void>();
  /** Dropped in this turn: who puts hears of it in the next one, as from a writer. */
  readonly #dropped = new Fifo<() => void>();
  #lastId = 0;

  constructor(parts: ActingPutsParts) {
    this.#parts = parts;
  }

  /** Whether no more may be put until some of what is under way has ended. */
  get full(): boolean {
    return this.#escaping.size >= MAX_ESCAPES;
  }

  get underWay(): number {
    return this.#escaping.size + this.#dropped.size;
  }

  /** Whether `drain` would find something. */
  get pending(): boolean {
    return this.#dropped.size > 0;
  }

  /** What no other master takes now fails, and is to be put again: also where none will (isNobodys). */
  readonly begin: BeginPut = (message, done) => {
    if (this.#isWrittenDown(message)) this.#drop(done);
    else
      this.#escape(message, (result) => {
        const { status, remark = '' } = result;
        done(isNobodys(status) ? refused(ResponseCode.SERVICE_NOT_AVAILABLE, remark) : result);
      });
  };

  /** What timers deliver; see isNobodys. */
  readonly deliver: BeginPut = (message, done) => {
    if (this.#isWrittenDown(message)) {
      // One whose time is far ahead is the master's, which has it wait on.
      if (message.topic !== TIMER_TOPIC) this.#parts.revives(message);
      this.#drop(done);
    } else this.#escape(message, done);
  };

  /** A checkpoint, an ack, or what an ordered group has out. */
  #isWrittenDown(message: InternalMessage): boolean {
    const real = realTopicOf(message);
    return real === this.#parts.reviveTopic || real === ORDER_JOURNAL_TOPIC;
  }

  #drop(done: (result: PutResult) => void): void {
    this.#dropped.push(() => done(DROPPED));
  }

  #escape(message: InternalMessage, done: (result: PutResult) => void): void {
    this.#lastId += 1;
    this.#escaping.set(this.#lastId, done);
    this.#parts.escape({ kind: 'escape', id: this.#lastId, message });
  }

  escaped({ id, status, remark }: Escaped): void {
    const done = this.#escaping.get(id);
    this.#escaping.delete(id);
    done?.({ status, remark, queueOffset: -1, physicalOffset: -1 });
  }

  /** Returns how many have ended. */
  drain(): number {
    let ended = 0;
    for (let done = this.#dropped.shift(); done !== undefined; done = this.#dropped.shift()) {
      done();
      ended += 1;
    }
    return ended;
  }

  publish(): void {}
}
