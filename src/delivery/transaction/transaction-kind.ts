/** Transactions as a kind of messages that become due: their half messages, ends and checks. */
import { HALF_TOPIC } from '../../lib/names.ts';
import { APPENDED, DISPATCHED } from '../../ring/positions.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import { CheckBack } from './check-back.ts';
import type { TransactionContext } from './context.ts';
import { Copies } from './copies.ts';
import { EndServer } from './end-server.ts';
import { Ends } from './ends.ts';
import { ONLY_QUEUE } from './half-message.ts';
import { OpLog } from './op-log.ts';
import { OpenHalves } from './open-halves.ts';
import { type TransactionOffsets, TransactionRecovery } from './transaction-recovery.ts';

/** Half messages taken in by one turn. */
const BATCH = 1_024;

export class TransactionKind implements DueKind {
  readonly topics = [HALF_TOPIC];
  readonly #context: TransactionContext;
  readonly #halves: OpenHalves;
  readonly #copies = new Copies();
  readonly #ops: OpLog;
  readonly #ends: Ends;
  readonly #checks: CheckBack;
  readonly #recovery: TransactionRecovery;
  readonly #server: EndServer;
  readonly #durable: DurableProgress<TransactionOffsets>;
  #told: TransactionOffsets;
  #ready = false;
  #scanning = false;

  constructor(parts: DueParts) {
    const context = contextOf(parts);
    this.#context = context;
    const start = startOf(parts, context);
    this.#told = start;
    this.#halves = new OpenHalves(start.half);
    const [halves, copies] = [this.#halves, this.#copies];
    this.#ops = new OpLog(context, (offset) => {
      halves.hasEnded(offset);
      copies.hasEnded(offset);
    });
    const ops = this.#ops;
    this.#ends = new Ends({ context, halves, copies, ops, scan: (offset) => this.#scanTo(offset) });
    this.#checks = new CheckBack({ context, halves, copies, ops, producers: parts.producers });
    const logEnd = parts.positions.get(APPENDED);
    this.#recovery = new TransactionRecovery({ context, halves, copies, ops, logEnd }, start.op, () =>
      this.#recovered(),
    );
    this.#server = new EndServer(parts.shape.ends, parts.shape.broker, this.#ends);
    this.#durable = new DurableProgress(() => this.#news(), parts.positions);
  }

  start(): void {
    this.#recovery.start();
  }

  #recovered(): void {
    this.#ready = true;
    this.#scanSoon();
    this.#checks.start();
  }

  poke(): void {
    this.#scanSoon();
  }

  pokeAll(): void {
    this.#scanSoon();
  }

  /** Ends that have come, then what is urgent to be written. */
  work(): number {
    if (!this.#ready) return 0;
    const done = this.#server.serve(this.#mayTake);
    return done + (this.#ops.flush() ? 1 : 0);
  }

  get pending(): boolean {
    return this.#ready && this.#server.pending && this.#mayTake();
  }

  readonly #mayTake = (): boolean =>
    !this.#context.busy() && this.#ends.underWay < MAX_ENDS_UNDER_WAY && this.#ops.size < MAX_ENDS_UNDER_WAY;

  stop(): void {
    this.#recovery.stop();
    this.#checks.stop();
  }

  get idle(): boolean {
    // What was not known to be open when the stop came is left as it was.
    if (!this.#ready) return true;
    if (this.#server.pending) return false;
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

  #scanSoon(): void {
    if (this.#scanning || !this.#ready) return;
    this.#scanning = true;
    this.#context.timers.after(0, () => {
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
    const { store, clock, settings, log } = this.#context;
    const due = clock.monotonic() + settings().transactionTimeOut;
    try {
      const entries = store.readQueue(HALF_TOPIC, ONLY_QUEUE, this.#halves.end, BATCH);
      for (const { queueOffset, physicalOffset } of entries) {
        // An older queue was restored, or retention has taken the front of it.
        while (this.#halves.end < queueOffset) this.#halves.add(-1, due, true);
        this.#halves.add(physicalOffset, this.#copies.met(queueOffset) ?? due, false);
      }
      return entries.length > 0;
    } catch (error) {
      log.error(
        { topic: HALF_TOPIC, reason: (error as Error).message },
        'half messages wait until their queue can be read',
      );
      return false;
    }
  }
}

/** Ends that wait for the log, and those that no op message names yet. */
const MAX_ENDS_UNDER_WAY = 4_096;

function contextOf(parts: DueParts): TransactionContext {
  const { clock, timers, log, reads, puts, positions, shape, limits, checks } = parts;
  return {
    clock,
    timers,
    log,
    store: reads,
    dispatched: () => positions.get(DISPATCHED),
    put: puts.begin,
    busy: () => puts.busy !== undefined,
    storeHost: shape.storeHost,
    settings: () => limits().transactions,
    rules: () => limits().waiting,
    check: checks.tell,
    checksUnderWay: () => checks.underWay,
  };
}

/** Where the files say that it has come to, within what the queues hold. */
function startOf({ shape }: DueParts, { store, log }: TransactionContext): TransactionOffsets {
  const [end = 0] = new Map(shape.queueEnds).get(HALF_TOPIC) ?? [];
  const { half, op } = shape.transactions;
  const within = Math.max(Math.min(half, end), store.minOffset(HALF_TOPIC, ONLY_QUEUE));
  if (within !== half)
    log.warn({ offset: half, corrected: within }, 'offset of transactions was outside of its queue');
  return { half: within, op };
}
