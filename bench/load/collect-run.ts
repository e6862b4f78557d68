/**
 * Consumes messages that were sent before and come later, from the start of the topic until everything in the ledger
 * has arrived, and compares when each came with when it was due. Another process than the one that sent them, since a
 * broker that is killed in between takes the connections of both along.
 */
import { Consumers } from './consumers.ts';
import { readHex8 } from './digits.ts';
import { delayMillis, deliverTime, lastDue } from './due.ts';
import { micros } from './frame-socket.ts';
import type { Ledger } from './ledger.ts';
import { readLedger } from './ledger-file.ts';
import type { LoadOptions } from './options.ts';
import { Failure, type OnPhase } from './phases.ts';
import { PULL_NOT_FOUND, type PullEvents, SUCCESS } from './pull-connection.ts';
import type { RecordReader } from './record-reader.ts';
import { type Arrivals, LatencyRecorder, type LoadResult, Recorder } from './recorder.ts';
import { COUNTER_AT } from './unique-key.ts';

/** A second copy of a message comes soon after the first one, or later than anyone waits. */
const SECOND_COPIES_MILLIS = 2000;

/** What the clock of `micros` lacks to that of the broker. The first look at it takes longer: it counts not. */
function wallMinusSteadyMillis(): number {
  micros();
  return Date.now() - micros() / 1000;
}

export class CollectRun {
  readonly #options: LoadOptions;
  readonly #failure = new Failure();
  readonly #recorder = new Recorder();
  readonly #ledger: Ledger;
  readonly #consumers: Consumers;
  readonly #arrivals: ArrivalRecorder;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ledger = readLedger(options.ledger);
    this.#arrivals = new ArrivalRecorder(options);
    this.#consumers = new Consumers(options, options.consumers, this.#events());
  }

  async run(onPhase: OnPhase): Promise<LoadResult> {
    try {
      await this.#failure.during(this.#consumers.open());
      for (const span of await this.#failure.during(this.#consumers.spans()))
        this.#consumers.add(span, { from: span.minOffset, to: Number.POSITIVE_INFINITY });
      await onPhase('warming');
      await onPhase('measuring');
      this.#recorder.start();
      this.#consumers.start();
      await this.#collect();
      this.#recorder.stop();
      await onPhase('draining');
      const { duplicates, foreign, missing } = this.#ledger;
      const arrivals = this.#arrivals.result();
      return { ...this.#recorder.result(0, false), arrivals, lost: missing, duplicates, foreign };
    } finally {
      this.#consumers.close();
    }
  }

  /** Until all has arrived, or `drainSeconds` after the last message was due nothing has come for so long. */
  async #collect(): Promise<void> {
    const { due, drainSeconds } = this.#options;
    const done = (): boolean => this.#ledger.missing === 0;
    await this.#failure.wait(Math.max(0, lastDue(due, Date.now()) - Date.now()), done);
    for (let before = -1; before !== this.#arrivals.count && !done(); ) {
      before = this.#arrivals.count;
      await this.#failure.wait(drainSeconds * 1000, done);
    }
    await this.#failure.wait(Math.min(SECOND_COPIES_MILLIS, drainSeconds * 1000));
  }

  #events(): PullEvents {
    const recorder = this.#recorder;
    return {
      onMessage: (_lane, bytes, record, now) => {
        const { keyAt, keyLength } = record;
        if (this.#ledger.see(bytes, keyAt, keyLength, 1) !== undefined)
          this.#arrivals.add(readHex8(bytes, keyAt + COUNTER_AT), record, now);
      },
      onPull: (_lane, code, messages, elapsed) => {
        // a pull that was held for its whole time and found nothing is no error
        if (code !== PULL_NOT_FOUND) recorder.reply(code === SUCCESS ? 0 : code, elapsed, messages);
      },
      onGap: (messages) => recorder.offsetGap(messages),
      onUnexpectedReply: () => recorder.unexpectedReply(),
      onFailure: (error) => this.#failure.fail(error),
    };
  }
}

/** Messages against the times at which they were due. */
class ArrivalRecorder {
  count = 0;
  readonly #options: LoadOptions;
  readonly #seen = new LatencyRecorder();
  readonly #stored = new LatencyRecorder();
  readonly #delayMillis: number;
  readonly #wallMinusSteady = wallMinusSteadyMillis();
  #early = 0;
  #earliestMillis = 0;
  #firstDue = Number.POSITIVE_INFINITY;
  #lastSeen = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#delayMillis = delayMillis(options.due);
  }

  /** Message `counter` of its connection came with a read at `nowMicros`. */
  add(counter: number, { bornMillis, storeMillis }: RecordReader, nowMicros: number): void {
    const { due } = this.#options;
    const dueMillis = due.deliverAt > 0 ? deliverTime(due, counter) : bornMillis + this.#delayMillis;
    const seenMillis = nowMicros / 1000 + this.#wallMinusSteady;
    this.count++;
    this.#seen.record((seenMillis - dueMillis) * 1000);
    this.#stored.record((storeMillis - dueMillis) * 1000);
    if (storeMillis < dueMillis) this.#early++;
    this.#earliestMillis = Math.max(this.#earliestMillis, dueMillis - storeMillis);
    this.#firstDue = Math.min(this.#firstDue, dueMillis);
    this.#lastSeen = Math.max(this.#lastSeen, seenMillis);
  }

  result(): Arrivals {
    const seconds = this.count === 0 ? 0 : (this.#lastSeen - this.#firstDue) / 1000;
    return {
      count: this.count,
      seen: this.#seen.summary(),
      stored: this.#stored.summary(),
      early: this.#early,
      earliestMillis: this.#earliestMillis,
      seconds,
      rate: seconds > 0 ? Math.round(this.count / seconds) : 0,
    };
  }
}
