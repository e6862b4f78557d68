/** Transactions as a kind of messages that become due: their half messages, ends and checks. */
import { MAX_HALVES_SPAN, MAX_OPEN_HALVES } from '../../lib/limits.ts';
import { HALF_TOPIC, OP_HALF_TOPIC } from '../../lib/names.ts';
import { counterPlace } from '../../ring/counters.ts';
import { APPENDED, DISPATCHED } from '../../ring/positions.ts';
import { END } from '../../ring/question-records.ts';
import { queueEndsOf } from '../delivery-shape.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import { Patience, READ_AGAIN_MS } from '../patience.ts';
import { CheckBack } from './check-back.ts';
import type { HalfLimits, TransactionContext } from './context.ts';
import { Copies } from './copies.ts';
import { EndTaker } from './end-taker.ts';
import { Ends } from './ends.ts';
import { ONLY_QUEUE } from './half-message.ts';
import { HalfTopics } from './half-topics.ts';
import { OpLog } from './op-log.ts';
import { OpenHalves } from './open-halves.ts';
import { type TransactionOffsets, TransactionRecovery } from './transaction-recovery.ts';

const LIMITS: HalfLimits = { maxOpenHalves: MAX_OPEN_HALVES, maxHalvesSpan: MAX_HALVES_SPAN };
const TRANSACTIONS_OPEN = counterPlace('transactionsOpen');
/** Half messages taken in by one turn. */
const BATCH = 1_024;

export class TransactionKind implements DueKind {
  readonly topics = [HALF_TOPIC];
  readonly #context: TransactionContext;
  readonly #halves: OpenHalves;
  readonly #copies = new Copies();
  readonly #topics: HalfTopics;
  readonly #ops: OpLog;
  readonly #ends: Ends;
  readonly #checks: CheckBack;
  readonly #recovery: TransactionRecovery;
  readonly #patience: Patience;
  readonly #durable: DurableProgress<TransactionOffsets>;
  #told: TransactionOffsets;
  #ready = false;
  #scanning = false;
  /** No more half messages are taken in until some have left. */
  #isFull = false;

  constructor(parts: DueParts, limits = LIMITS) {
    const context = contextOf(parts, limits);
    this.#context = context;
    const start = startOf(parts, context);
    this.#told = start;
    this.#halves = new OpenHalves(start.half);
    const [halves, copies] = [this.#halves, this.#copies];
    const topics = new HalfTopics(context, halves, context.figures);
    this.#topics = topics;
    this.#ops = new OpLog(context, (offset) => {
      halves.hasEnded(offset);
      copies.hasEnded(offset);
      topics.hasEnded(offset);
      if (this.#isFull) this.#scanSoon();
    });
    const ops = this.#ops;
    this.#ends = new Ends({ context, halves, copies, ops, scan: (offset) => this.#scanTo(offset) });
    this.#checks = new CheckBack({ context, halves, copies, ops, topics, producers: parts.producers });
    const logEnd = parts.positions.get(APPENDED);
    this.#recovery = new TransactionRecovery({ context, halves, copies, ops, logEnd }, start.op, () =>
      this.#recovered(),
    );
    parts.questions.handle([END], new EndTaker(this.#ends, this.#mayTake));
    this.#durable = new DurableProgress(() => this.#news(), parts.positions);
    this.#patience = new Patience(context.clock);
  }

  start(): void {
    this.#recovery.start();
  }

  #recovered(): void {
    this.#ready = true;
    this.#topics.wake();
    this.#scanSoon();
    this.#checks.start();
  }

  poke(): void {
    this.#scanSoon();
    if (this.#ready) this.#ends.poke();
  }

  pokeAll(): void {
    this.poke();
  }

  /** What is urgent to be written. */
  work(): number {
    this.#context.counters.set(TRANSACTIONS_OPEN, this.#halves.size);
    return this.#ready && this.#ops.flush() ? 1 : 0;
  }

  readonly #mayTake = (): boolean =>
    this.#ready &&
    !this.#context.busy() &&
    this.#ends.underWay < MAX_ENDS_UNDER_WAY &&
    this.#ops.size < MAX_ENDS_UNDER_WAY;

  stop(): void {
    this.#recovery.stop();
    this.#checks.stop();
    this.#ends.stop();
    this.#ops.stop();
  }

  get idle(): boolean {
    // What was not known to be open when the stop came is left as it was.
    if (!this.#ready) return true;
    return this.#checks.idle && this.#ends.underWay === 0 && this.#ops.size === 0;
  }

  progress() {
    const transactions = this.#durable.take();
    return transactions === undefined ? {} : { transactions };
  }

  lastProgress() {
    return { transactions: this.#offsets() };
  }

  /** While what was open at the start is not known nothing has ended. */
  #offsets(): TransactionOffsets {
    if (!this.#ready) return this.#told;
    const half = this.#halves.first;
    return { half, op: this.#ops.progress.needed(half) };
  }

  #news(): TransactionOffsets | undefined {
    const offsets = this.#offsets();
    if (offsets.half === this.#told.half && offsets.op === this.#told.op) return undefined;
    this.#told = offsets;
    return offsets;
  }

  #scanSoon(ms = 0): void {
    if (this.#scanning || !this.#ready) return;
    this.#scanning = true;
    this.#context.timers.after(ms, () => {
      this.#scanning = false;
      if (this.#scan()) this.#scanSoon();
    });
  }

  /** A commit may come before the news of its half message. */
  #scanTo(offset: number): void {
    if (this.#ready && offset < this.#halves.end + BATCH) this.#scan();
  }

  /** Takes in what is new in the half queue; true when there may be more. */
  #scan(): boolean {
    const { store, clock, settings } = this.#context;
    const due = clock.monotonic() + settings().transactionTimeOut;
    const count = Math.min(BATCH, this.#room());
    this.#isFull = count <= 0;
    if (this.#isFull) return false;
    try {
      const entries = store.readQueue(HALF_TOPIC, ONLY_QUEUE, this.#halves.end, count);
      for (const { queueOffset, physicalOffset } of entries) {
        // An older queue was restored, or retention has taken the front of it.
        this.#halves.skipTo(queueOffset);
        this.#halves.add(physicalOffset, this.#copies.met(queueOffset) ?? due, false);
      }
      this.#patience.worked();
      if (entries.length > 0) this.#checks.wake();
      if (entries.length > 0) this.#topics.wake();
      return entries.length > 0;
    } catch (error) {
      this.#cannotScan(error as Error);
      return false;
    }
  }

  /**
   * Half messages that may be taken in. Those beyond wait in their queue: they are taken in as fast as others are given
   * up or moved, and memory stays bounded however fast they come.
   */
  #room(): number {
    const { maxOpenHalves, maxHalvesSpan } = this.#context.limits;
    const { size, first, end } = this.#halves;
    return Math.min(maxOpenHalves + BATCH - size, 2 * maxHalvesSpan - (end - first));
  }

  #cannotScan({ message: reason }: Error): void {
    const fields = { topic: HALF_TOPIC, offset: this.#halves.end, reason };
    const isPassedOver = this.#patience.failed();
    if (isPassedOver) {
      this.#context.log.error(fields, 'an entry of the half queue cannot be read, and is passed over');
      this.#halves.skipTo(this.#halves.end + 1);
    } else {
      this.#context.log.error(fields, 'half messages wait until their queue can be read');
    }
    this.#scanSoon(isPassedOver ? 0 : READ_AGAIN_MS);
  }
}

/** Ends that wait for the log, and those that no op message names yet. */
const MAX_ENDS_UNDER_WAY = 4_096;

function contextOf(parts: DueParts, halves: HalfLimits): TransactionContext {
  const { clock, timers, log, counters, figures, reads, put, busy, positions, shape, limits, checks } = parts;
  return {
    clock,
    timers,
    log,
    ...{ counters, figures },
    store: reads,
    dispatched: () => positions.get(DISPATCHED),
    put,
    busy,
    storeHost: shape.storeHost,
    limits: halves,
    settings: () => limits().transactions,
    rules: () => limits().waiting,
    check: checks.tell,
    checksUnderWay: () => checks.underWay,
  };
}

/**
 * Where the files say that it has come to. Where a queue does not reach as far they are of another store, and both are
 * read from their beginning: the op queue then says what has ended.
 */
function startOf({ shape }: DueParts, { store, log }: TransactionContext): TransactionOffsets {
  const [halfEnd = 0] = queueEndsOf(shape, HALF_TOPIC);
  const { half, op } = shape.transactions;
  const [halfStart, opStart] = [
    store.minOffset(HALF_TOPIC, ONLY_QUEUE),
    store.minOffset(OP_HALF_TOPIC, ONLY_QUEUE),
  ];
  const opEnd = store.maxOffset(OP_HALF_TOPIC, ONLY_QUEUE);
  const isBeyond = half > halfEnd || op > opEnd;
  const start = isBeyond
    ? { half: halfStart, op: opStart }
    : { half: Math.max(half, halfStart), op: Math.max(op, opStart) };
  if (start.half !== half || start.op !== op)
    log.warn({ half, op, corrected: start }, 'offsets of transactions were outside of their queues');
  return start;
}
