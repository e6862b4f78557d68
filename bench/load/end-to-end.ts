/** The consuming half of the end-to-end mode: long-polling pulls of what the sending half sends. */
import { Consumers } from './consumers.ts';
import { readHex8 } from './digits.ts';
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
  #consumed = 0;
  #arrived = 0;

  /** `senders` by the number of their connection; `ledger` has their keys. */
  constructor(
    options: LoadOptions,
    ledger: Ledger,
    senders: readonly SentKeys[],
    recorder: Recorder,
    failure: Failure,
  ) {
    this.#options = options;
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
      await this.#failure.wait(Math.min(rest, SILENCE_MILLIS), () => missing() === 0);
      if (rest === 0) break;
    }
    const { duplicates, foreign } = this.#ledger;
    return {
      endToEnd: this.#latency.summary(),
      consumed: this.#consumed,
      lost: missing(),
      duplicates,
      foreign,
    };
  }

  close(): void {
    this.#consumers.close();
  }

  #events(): PullEvents {
    const recorder = this.#recorder;
    return {
      onMessage: (_lane, bytes, keyAt, keyLength, now) => {
        this.#arrived++;
        if (recorder.measuring) this.#consumed++;
        const keys = this.#ledger.see(bytes, keyAt, keyLength, 1);
        if (keys === undefined || keys.run !== this.#options.run || !recorder.measuring) return;
        const sender = this.#senders[keys.connection] as SentKeys;
        this.#latency.record(now - sender.sinceOf(readHex8(bytes, keyAt + COUNTER_AT)));
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
