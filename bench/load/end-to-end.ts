/** The consuming half of the end-to-end mode: long-polling pulls of what the sending half sends. */
import { Consumers } from './consumers.ts';
import { readHex8 } from './digits.ts';
import { delayMillis } from './due.ts';
import { micros } from './frame-socket.ts';
import type { Ledger } from './ledger.ts';
import type { LoadOptions } from './options.ts';
import type { Failure } from './phases.ts';
import { PULL_NOT_FOUND, type PullEvents, SUCCESS } from './pull-connection.ts';
import { LatencyRecorder, type LoadResult, type Recorder } from './recorder.ts';
import type { SentKeys } from './sent-keys.ts';
import { COUNTER_AT } from './unique-key.ts';

/** What is lost stays away; what is late comes, and each arrival gives the rest this long again. */
const SILENCE_MILLIS = 5000;

export class EndToEnd {
  readonly #options: LoadOptions;
  readonly #ledger: Ledger;
  readonly #senders: readonly SentKeys[];
  readonly #recorder: Recorder;
  readonly #failure: Failure;
  readonly #consumers: Consumers;
  readonly #latency = new LatencyRecorder();
  /** From the sending of a message to when it is due. */
  readonly #delayMicros: number;
  #consumed = 0;
  #arrived = 0;
  #firstSend = 0;
  #lastArrival = 0;

  /** `senders` by the number of their connection; `ledger` has their keys. */
  constructor(
    options: LoadOptions,
    ledger: Ledger,
    senders: readonly SentKeys[],
    recorder: Recorder,
    failure: Failure,
  ) {
    this.#options = options;
    this.#delayMicros = delayMillis(options.due) * 1000;
    this.#ledger = ledger;
    this.#senders = senders;
    this.#recorder = recorder;
    this.#failure = failure;
    this.#consumers = new Consumers(options, options.consumers, this.#events());
  }

  /** From here on everything that is sent will be pulled; what lies in the topic already will not. */
  async open(): Promise<void> {
    await this.#failure.during(this.#consumers.open());
    const spans = await this.#failure.during(this.#consumers.spans());
    for (const span of spans) {
      this.#consumers.add(span, { from: span.maxOffset, to: Number.POSITIVE_INFINITY });
    }
    this.#consumers.start();
  }

  sendingBegins(): void {
    this.#firstSend = micros();
  }

  /** Waits until all that was acknowledged has arrived, or nothing comes any more. */
  async verdict(): Promise<Partial<LoadResult>> {
    const { drainSeconds, run } = this.#options;
    const deadline = performance.now() + drainSeconds * 1000;
    const missing = (): number => {
      let count = 0;
      for (const keys of this.#ledger.all()) if (keys.run === run) count += keys.missing;
      return count;
    };
    for (let before = -1; before !== this.#arrived && missing() > 0; ) {
      before = this.#arrived;
      const rest = Math.max(0, deadline - performance.now());
      const silence = SILENCE_MILLIS + this.#delayMicros / 1000;
      await this.#failure.wait(Math.min(rest, silence), () => missing() === 0);
      if (rest === 0) break;
    }
    await this.#readToTheEnds();
    const { duplicates, foreign } = this.#ledger;
    const seconds = (this.#lastArrival - this.#firstSend) / 1e6;
    return {
      throughMessages: this.#arrived,
      throughRate: this.#arrived > 0 ? Math.round(this.#arrived / seconds) : 0,
      endToEnd: this.#latency.summary(),
      consumed: this.#consumed,
      lost: missing(),
      duplicates,
      foreign,
    };
  }

  /** What lies in the queues beside what was expected is a second copy, or nobody's. */
  async #readToTheEnds(): Promise<void> {
    const spans = await this.#failure.during(this.#consumers.spans());
    const end = spans.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
    const read = (): number => this.#consumers.lanes.reduce((sum, { next }) => sum + next, 0);
    await this.#failure.wait(SILENCE_MILLIS, () => read() >= end);
  }

  close(): void {
    this.#consumers.close();
  }

  #events(): PullEvents {
    const recorder = this.#recorder;
    return {
      onMessage: (_lane, bytes, { keyAt, keyLength }, now) => {
        this.#arrived++;
        this.#lastArrival = now;
        if (recorder.measuring) this.#consumed++;
        const keys = this.#ledger.see(bytes, keyAt, keyLength, 1);
        if (keys === undefined || keys.run !== this.#options.run || !recorder.measuring) return;
        const sender = this.#senders[keys.connection] as SentKeys;
        const due = sender.sinceOf(readHex8(bytes, keyAt + COUNTER_AT)) + this.#delayMicros;
        this.#latency.record(now - due);
      },
      onPull: (_lane, code) => {
        // a pull that was held for its whole time and found nothing is no error
        if (code !== SUCCESS && code !== PULL_NOT_FOUND) recorder.refusal(code);
      },
      onGap: (messages) => recorder.offsetGap(messages),
      onUnexpectedReply: () => recorder.unexpectedReply(),
      onFailure: (error) => this.#failure.fail(error),
    };
  }
}
