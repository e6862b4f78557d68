/**
 * Writes down which half messages have ended: messages in the op topic that name them by offset in the half queue, many
 * in one. After a restart these say what needs no check. Ends are gathered for a while; those whose sender waits for
 * the answer are written at the end of the turn. One message is on its way at a time, so that the log names them in the
 * order in which they came: when it says that a copy has ended, it says so of the one whose place that copy took.
 */
import { HALF_TOPIC } from '../../lib/names.ts';
import { isStored } from '../../store/put/put-message.ts';
import type { TransactionContext } from './context.ts';
import { highestOf, opOf } from './half-message.ts';
import { OpProgress } from './op-progress.ts';

type OpContext = Pick<
  TransactionContext,
  'timers' | 'clock' | 'log' | 'put' | 'busy' | 'storeHost' | 'settings'
>;

interface Op {
  readonly offset: number;
  /** Called when the log says it. */
  readonly done?: () => void;
  /** Offset of the first one of its copies: the transaction was given up, and its producer may still end it. */
  readonly givenUp?: number;
}

const BUSY_MS = 1;
const RETRY_STEP_MS = 100;
const RETRY_LONGEST_MS = 10_000;
/** Digits of an offset, at most, and its comma. */
const OFFSET_BYTES = 17;
/** Given-up transactions named by one message, as properties have less room than a body. */
const GIVEN_UP_TOGETHER = 1_000;

export class OpLog {
  readonly progress = new OpProgress();
  readonly #context: OpContext;
  readonly #stored: (offset: number) => void;
  #gathered: Op[] = [];
  #urgent = false;
  #cancelTimer: (() => void) | undefined;
  #underWay: readonly Op[] = [];
  #failures = 0;
  #stopping = false;

  /** `stored`: the log says that this half message has ended. */
  constructor(context: OpContext, stored: (offset: number) => void) {
    this.#context = context;
    this.#stored = stored;
  }

  /** `urgent`: somebody waits for it. */
  add(offset: number, { urgent = false, ...op }: Omit<Op, 'offset'> & { urgent?: boolean } = {}): void {
    this.#gathered.push({ offset, ...op });
    this.#urgent ||= urgent || this.#stopping;
    const { transactionOpBatchInterval, transactionOpMsgMaxSize } = this.#context.settings();
    if (this.#gathered.length * OFFSET_BYTES >= transactionOpMsgMaxSize) this.#urgent = true;
    if (this.#underWay.length === 0) this.#writeAfter(transactionOpBatchInterval);
  }

  /** All is urgent now. What cannot be written is left: after the next start its producers are asked. */
  stop(): void {
    this.#stopping = true;
    this.#failures = 0;
    this.#urgent = this.#gathered.length > 0;
  }

  /** Ends that no message names yet. */
  get size(): number {
    return this.#gathered.length + this.#underWay.length;
  }

  /** Ends a turn: what is urgent is written. True when there was something. */
  flush(): boolean {
    const mayWrite = this.#urgent && this.#failures === 0 && this.#underWay.length === 0;
    if (!mayWrite || this.#context.busy()) return false;
    this.#write();
    return true;
  }

  /** In `ms`, unless it is sooner for other reasons. */
  #writeAfter(ms: number): void {
    this.#cancelTimer ??= this.#context.timers.after(ms, () => this.#write());
  }

  #write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { busy, settings } = this.#context;
    if (this.#gathered.length === 0 || this.#underWay.length > 0) return;
    if (busy()) {
      this.#writeAfter(BUSY_MS);
      return;
    }
    const fitting = Math.max(1, Math.floor(settings().transactionOpMsgMaxSize / OFFSET_BYTES));
    this.#underWay = this.#gathered.splice(0, this.#together(fitting));
    this.#urgent &&= this.#gathered.length > 0;
    this.#put(this.#underWay);
  }

  /** How many go into one message, `most` at most. */
  #together(most: number): number {
    const next = this.#gathered.slice(0, most);
    let givenUp = 0;
    const tooMany = next.findIndex((op) => op.givenUp !== undefined && ++givenUp > GIVEN_UP_TOGETHER);
    return tooMany < 0 ? next.length : tooMany;
  }

  #put(ops: readonly Op[]): void {
    const { put, clock, storeHost } = this.#context;
    const offsets = ops.map(({ offset }) => offset);
    const givenUp = ops.flatMap((op) => op.givenUp ?? []);
    put(opOf(offsets, givenUp, clock.now(), storeHost), ({ status, remark, queueOffset }) => {
      this.#underWay = [];
      if (!isStored(status)) {
        const fields = { topic: HALF_TOPIC, ends: ops.length, status, reason: remark };
        this.#hasFailed(ops, fields);
        return;
      }
      this.#failures = 0;
      this.progress.note(queueOffset, highestOf(offsets));
      for (const { offset, done } of ops) {
        this.#stored(offset);
        done?.();
      }
      if (this.#gathered.length > 0) this.#writeAfter(this.#context.settings().transactionOpBatchInterval);
    });
  }

  #hasFailed(ops: readonly Op[], fields: object): void {
    const { log } = this.#context;
    if (this.#stopping) {
      log.warn(fields, 'ends of transactions could not be written, their producers will be asked again');
      return;
    }
    log.warn(fields, 'ends of transactions could not be written, will be tried again');
    this.#failures += 1;
    this.#gathered.unshift(...ops);
    this.#writeAfter(Math.min(this.#failures * RETRY_STEP_MS, RETRY_LONGEST_MS));
  }
}
