/** The answering half of the request mode: long-polling pulls of the requests, and a reply to each. */
import { Consumers } from './consumers.ts';
import type { LoadOptions } from './options.ts';
import type { Failure } from './phases.ts';
import { PULL_NOT_FOUND, SUCCESS } from './pull-connection.ts';
import type { Recorder } from './recorder.ts';
import { ReplySender } from './reply-sender.ts';

export class Repliers {
  readonly #options: LoadOptions;
  readonly #failure: Failure;
  readonly #consumers: Consumers;
  readonly #senders: ReplySender[];

  constructor(options: LoadOptions, recorder: Recorder, failure: Failure) {
    this.#options = options;
    this.#failure = failure;
    this.#senders = Array.from(
      { length: options.consumers },
      () => new ReplySender(options, recorder, (error) => failure.fail(error)),
    );
    const senderOf = (queueId: number) => this.#senders[queueId % this.#senders.length] as ReplySender;
    this.#consumers = new Consumers(options, options.consumers, {
      onMessage: ({ shape }, bytes, { keyAt }) => senderOf(shape.queueId).add(bytes, keyAt),
      onPull: ({ shape }, code) => {
        if (code !== SUCCESS && code !== PULL_NOT_FOUND) recorder.refusal(code);
        senderOf(shape.queueId).flush();
      },
      onGap: (messages) => recorder.offsetGap(messages),
      onUnexpectedReply: () => recorder.unexpectedReply(),
      onFailure: (error) => failure.fail(error),
    });
  }

  /** From here on every request is answered; what lies in the topic already is not. */
  async open(): Promise<void> {
    await this.#failure.during(Promise.all(this.#senders.map((sender) => sender.open(this.#options))));
    await this.#failure.during(this.#consumers.open());
    for (const span of await this.#failure.during(this.#consumers.spans())) {
      this.#consumers.add(span, { from: span.maxOffset, to: Number.POSITIVE_INFINITY });
    }
    this.#consumers.start();
  }

  /** Replies that have no answer. */
  get inFlight(): number {
    return this.#senders.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  close(): void {
    this.#consumers.close();
    for (const sender of this.#senders) sender.close();
  }
}
