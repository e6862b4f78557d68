/**
 * Pulls a backlog from its start to its end, again and again or once. Ends are those of the start of the run: what
 * others send meanwhile is not pulled.
 */
import { Consumers } from './consumers.ts';
import type { Ledger } from './ledger.ts';
import { ledgerOf } from './ledger-file.ts';
import type { LoadOptions } from './options.ts';
import { Failure, type OnPhase } from './phases.ts';
import { type PullEvents, SUCCESS } from './pull-connection.ts';
import { cutIntoRanges, type PullLane, type QueueSpan } from './pull-lane.ts';
import { type LoadResult, Recorder } from './recorder.ts';

/** How long a broker may take until the queues have what it acknowledged. */
const DISPATCH_MILLIS = 10_000;
const DISPATCH_POLL_MILLIS = 100;
/** A backlog that is read once has no time limit, but something must come. */
const STALL_MILLIS = 30_000;
const LAST_REPLIES_MILLIS = 20_000;

export class PullRun {
  readonly #options: LoadOptions;
  readonly #failure = new Failure();
  readonly #recorder = new Recorder();
  readonly #consumers: Consumers;
  readonly #ledger: Ledger | undefined;
  #pulled = 0;
  /** Lanes that have not yet reached their end. */
  #unfinished = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ledger = ledgerOf(options);
    this.#consumers = new Consumers(options, options.connections, this.#events());
  }

  async run(onPhase: OnPhase): Promise<LoadResult> {
    try {
      await this.#failure.during(this.#consumers.open());
      this.#cutLanes(await this.#backlog());
      if (this.#options.once) await this.#pullOnce(onPhase);
      else await this.#pullRepeatedly(onPhase);
      this.#consumers.stop();
      await this.#failure.wait(LAST_REPLIES_MILLIS, () => this.#consumers.inFlight === 0);
      return { ...this.#recorder.result(this.#consumers.inFlight, false), ...this.#verdict() };
    } finally {
      this.#consumers.close();
    }
  }

  #events(): PullEvents {
    const ledger = this.#ledger;
    return {
      onMessage: (lane, bytes, { keyAt, keyLength }) => {
        if (ledger !== undefined) ledger.see(bytes, keyAt, keyLength, lane.pass);
      },
      onPull: (lane, code, messages, micros) => {
        this.#pulled += messages;
        this.#recorder.reply(code, micros, messages);
        if (code === SUCCESS) this.#endOfPass(lane);
      },
      onGap: (messages) => this.#recorder.offsetGap(messages),
      onUnexpectedReply: () => this.#recorder.unexpectedReply(),
      onFailure: (error) => this.#failure.fail(error),
    };
  }

  #endOfPass(lane: PullLane): void {
    if (lane.next < lane.range.to) return;
    if (lane.passes++ === 0) this.#unfinished--;
    if (!this.#options.once) lane.next = lane.range.from;
  }

  /** The queues as they are when all that must be there has arrived in them. */
  async #backlog(): Promise<QueueSpan[]> {
    const acknowledged = this.#ledger?.missing ?? 0;
    const deadline = performance.now() + Math.min(DISPATCH_MILLIS, this.#options.drainSeconds * 1000);
    for (;;) {
      const spans = await this.#failure.during(this.#consumers.spans());
      const stored = spans.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
      if (stored >= acknowledged || performance.now() > deadline) return spans;
      await this.#failure.wait(DISPATCH_POLL_MILLIS);
    }
  }

  #cutLanes(spans: QueueSpan[]): void {
    const parts = Math.ceil(this.#options.connections / spans.length);
    for (const span of spans) {
      for (const range of cutIntoRanges(span, parts, this.#options.fromFraction)) {
        this.#consumers.add(span, range);
      }
    }
    this.#unfinished = this.#consumers.lanes.length;
    if (this.#unfinished === 0) {
      throw new Error(`there is nothing to pull in ${this.#options.topic}`);
    }
  }

  async #pullOnce(onPhase: OnPhase): Promise<void> {
    await onPhase('warming');
    await onPhase('measuring');
    this.#recorder.start();
    this.#consumers.start();
    for (;;) {
      const before = this.#pulled;
      await this.#failure.wait(STALL_MILLIS, () => this.#unfinished === 0);
      if (this.#unfinished === 0 || this.#pulled === before) break;
    }
    this.#recorder.stop();
    await onPhase('draining');
  }

  async #pullRepeatedly(onPhase: OnPhase): Promise<void> {
    const { warmupSeconds, warmupMessages, seconds, drainSeconds } = this.#options;
    await onPhase('warming');
    this.#consumers.start();
    const enough = (): boolean => warmupMessages > 0 && this.#pulled >= warmupMessages;
    await this.#failure.wait(warmupSeconds * 1000, enough);
    await onPhase('measuring');
    this.#recorder.start();
    await this.#failure.wait(seconds * 1000);
    this.#recorder.stop();
    await onPhase('draining');
    // only a whole pass proves that nothing is lost
    if (this.#ledger !== undefined) {
      await this.#failure.wait(drainSeconds * 1000, () => this.#unfinished === 0);
    }
  }

  #verdict(): Partial<LoadResult> {
    const wholePasses = this.#consumers.lanes.reduce(
      (least, { passes }) => Math.min(least, passes),
      Infinity,
    );
    const ledger = this.#ledger;
    if (ledger === undefined) return { wholePasses };
    const { duplicates, foreign, missing } = ledger;
    const whole = wholePasses > 0 && this.#options.fromFraction === 0;
    return { wholePasses, duplicates, foreign, ...(whole ? { lost: missing } : {}) };
  }
}
