/**
 * Writes down which half messages have ended: messages in the op topic that name them by offset in the half queue, many
 * in one. After a restart these say what needs no check. Ends are gathered for a while; those whose sender waits for
 * the answer are written at the end of the turn.
 */
import { HALF_TOPIC } from '../../lib/names.ts';
import { isStored } from '../../store/put/put-message.ts';
import type { TransactionContext } from './context.ts';
import { opOf } from './half-message.ts';
import { OpProgress } from './op-progress.ts';

type OpContext = Pick<
  TransactionContext,
  'timers' | 'clock' | 'log' | 'put' | 'busy' | 'storeHost' | 'settings'
>;

interface Op {
  readonly offset: number;
  readonly done: () => void;
}

const RETRY_STEP_MS = 100;
const RETRY_LONGEST_MS = 10_000;
/** Digits of an offset, at most, and its comma. */
const OFFSET_BYTES = 17;

export class OpLog {
  readonly progress = new OpProgress();
  readonly #context: OpContext;
  readonly #stored: (offset: number) => void;
  #gathered: Op[] = [];
  #urgent = false;
  #cancelTimer: (() => void) | undefined;
  #underWay = 0;
  #failures = 0;

  /** `stored`: the log says that this half message has ended. */
  constructor(context: OpContext, stored: (offset: number) => void) {
    this.#context = context;
    this.#stored = stored;
  }

  /** `done` is called when the log says it. `urgent`: somebody waits for that. */
  add(offset: number, urgent = false, done: () => void = () => {}): void {
    this.#gathered.push({ offset, done });
    this.#urgent ||= urgent;
    const { transactionOpBatchInterval, transactionOpMsgMaxSize } = this.#context.settings();
    if (this.#gathered.length * OFFSET_BYTES >= transactionOpMsgMaxSize) this.#urgent = true;
    this.#cancelTimer ??= this.#context.timers.after(transactionOpBatchInterval, () => this.#write());
  }

  /** Ends that no message names yet, and messages on their way. */
  get size(): number {
    return this.#gathered.length + this.#underWay;
  }

  /** Ends a turn: what is urgent is written. True when there was something. */
  flush(): boolean {
    if (!this.#urgent || this.#failures > 0 || this.#context.busy()) return false;
    this.#write();
    return true;
  }

  #write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { busy, timers, settings } = this.#context;
    if (this.#gathered.length === 0) return;
    if (busy()) {
      this.#cancelTimer = timers.after(1, () => this.#write());
      return;
    }
    const together = Math.max(1, Math.floor(settings().transactionOpMsgMaxSize / OFFSET_BYTES));
    const ops = this.#gathered.splice(0, together);
    this.#urgent &&= this.#gathered.length > 0;
    this.#put(ops);
    if (this.#gathered.length > 0) this.#cancelTimer = timers.after(0, () => this.#write());
  }

  #put(ops: Op[]): void {
    const { put, clock, storeHost, log } = this.#context;
    const offsets = ops.map(({ offset }) => offset);
    this.#underWay += 1;
    put(opOf(offsets, clock.now(), storeHost), ({ status, remark, queueOffset }) => {
      this.#underWay -= 1;
      if (!isStored(status)) {
        const fields = { topic: HALF_TOPIC, ends: ops.length, status, reason: remark };
        log.warn(fields, 'ends of transactions could not be written, will be tried again');
        this.#tryAgain(ops);
        return;
      }
      this.#failures = 0;
      this.progress.note(queueOffset, Math.max(...offsets));
      for (const { offset, done } of ops) {
        this.#stored(offset);
        done();
      }
    });
  }

  #tryAgain(ops: Op[]): void {
    this.#failures += 1;
    this.#gathered.unshift(...ops);
    this.#cancelTimer?.();
    const pause = Math.min(this.#failures * RETRY_STEP_MS, RETRY_LONGEST_MS);
    this.#cancelTimer = this.#context.timers.after(pause, () => this.#write());
  }
}
