/**
 * Sends by one of the loops; in the end-to-end mode consumes the same messages meanwhile, in the request mode replies to
 * them.
 */
import { Commits } from './commits.ts';
import { type ConnectionEvents, LoadConnection } from './connection.ts';
import { EndToEnd } from './end-to-end.ts';
import { FrameRing } from './frame-ring.ts';
import { ProxySender } from './grpc/proxy-sender.ts';
import { Resets } from './grpc/resets.ts';
import type { Ledger } from './ledger.ts';
import { ledgerToExtend, writeLedger } from './ledger-file.ts';
import { ClosedLoop, type Loop, OpenLoop } from './loops.ts';
import type { LoadOptions } from './options.ts';
import { Failure, type OnPhase } from './phases.ts';
import { type LoadResult, Recorder } from './recorder.ts';
import { Repliers } from './repliers.ts';
import { Requests, requesterHeartbeat, requesterId } from './requests.ts';
import { buildSendTemplate, PRODUCER_GROUP } from './send-template.ts';
import { SentKeys } from './sent-keys.ts';
import { keyPrefix } from './unique-key.ts';

const LAST_REPLIES_MILLIS = 10_000;
/** A number of messages has no time limit, but answers must come. */
const STALL_MILLIS = 30_000;

export class SendRun {
  readonly #options: LoadOptions;
  readonly #failure = new Failure();
  readonly #recorder = new Recorder();
  readonly #resets = new Resets();
  readonly #loop: Loop;
  /** Undefined when nobody asks for one: it costs some time with each message. */
  readonly #ledger: Ledger | undefined;
  readonly #connections: (LoadConnection | ProxySender)[] = [];
  readonly #endToEnd: EndToEnd | undefined;
  readonly #repliers: Repliers | undefined;
  #answered = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#loop =
      options.rate > 0
        ? new OpenLoop(options.rate / options.batch, this.#recorder, options.poll)
        : new ClosedLoop(options.poll, requestsEach(options));
    if (options.mode === 'request') this.#repliers = new Repliers(options, this.#recorder, this.#failure);
    const consuming = options.mode === 'end-to-end';
    if (consuming || options.ledger !== '') this.#ledger = ledgerToExtend(options.ledger, options.run);
    for (let index = 0; index < options.connections; index++)
      this.#connections.push(options.proxyPort > 0 ? this.#proxySender(index) : this.#connection(index));
    if (consuming) {
      const keys = this.#connections.map((connection) => connection.keys as SentKeys);
      this.#endToEnd = new EndToEnd(options, this.#ledger as Ledger, keys, this.#recorder, this.#failure);
    }
  }

  async run(onPhase: OnPhase): Promise<LoadResult> {
    const { ledger, host, port, proxyPort, tls } = this.#options;
    const endpoint = { host, port: proxyPort > 0 ? proxyPort : port, tls };
    try {
      await this.#endToEnd?.open();
      await this.#failure.during(
        Promise.all(this.#connections.map((connection) => connection.open(endpoint))),
      );
      await this.#repliers?.open();
      if (this.#repliers !== undefined) await this.#failure.during(this.#register());
      await this.#send(onPhase);
      const verdict = await this.#endToEnd?.verdict();
      const result = this.#recorder.result(this.#inFlight(), this.#options.rate > 0);
      return { ...result, ...this.#resets.counts, ...verdict };
    } finally {
      this.#loop.stop();
      for (const connection of this.#connections) connection.close();
      this.#endToEnd?.close();
      this.#repliers?.close();
      // also when the broker died: what it had acknowledged must be found later
      if (ledger !== '') writeLedger(ledger, this.#ledger as Ledger);
    }
  }

  async #send(onPhase: OnPhase): Promise<void> {
    const { warmupSeconds, warmupMessages, seconds, messages } = this.#options;
    if (messages > 0) return this.#sendAll(onPhase);
    await onPhase('warming');
    this.#endToEnd?.sendingBegins();
    this.#loop.start(this.#connections);
    const enough = (): boolean => warmupMessages > 0 && this.#answered >= warmupMessages;
    await this.#failure.wait(warmupSeconds * 1000, enough);
    await onPhase('measuring');
    this.#recorder.start();
    await this.#failure.wait(seconds * 1000);
    this.#recorder.stop();
    await onPhase('draining');
    this.#loop.stop();
    await this.#failure.wait(LAST_REPLIES_MILLIS, () => this.#inFlight() === 0);
  }

  /** So many messages, measured from the first send to the last answer. */
  async #sendAll(onPhase: OnPhase): Promise<void> {
    await onPhase('warming');
    await onPhase('measuring');
    this.#recorder.start();
    this.#loop.start(this.#connections);
    const done = (): boolean => this.#answered >= this.#options.messages;
    for (let before = -1; before !== this.#answered && !done(); ) {
      before = this.#answered;
      await this.#failure.wait(STALL_MILLIS, done);
    }
    this.#recorder.stop();
    this.#loop.stop();
    await onPhase('draining');
  }

  /** Replies go to clients that the broker knows. */
  async #register(): Promise<void> {
    const { run } = this.#options;
    const heartbeat = (index: number) => requesterHeartbeat(keyPrefix(run, index), PRODUCER_GROUP);
    await Promise.all(
      this.#connections.map((connection, index) =>
        connection instanceof LoadConnection ? connection.register(heartbeat(index)) : undefined,
      ),
    );
  }

  #inFlight(): number {
    return this.#connections.reduce(
      (sum, { window }) => sum + window.inFlight,
      this.#repliers?.inFlight ?? 0,
    );
  }

  #connection(index: number): LoadConnection {
    const { header, topic, run, inFlight, batch, transaction } = this.#options;
    const sent = this.#ledger?.open(run, index);
    const timed = this.#options.mode === 'end-to-end';
    const keys = sent === undefined ? undefined : new SentKeys(sent, inFlight, batch, timed);
    const shape = { header, topic, keyPrefix: keyPrefix(run, index) };
    const commits = transaction ? new Commits(shape, inFlight) : undefined;
    const events: ConnectionEvents = {
      onReplies: (connection, freed) => {
        this.#answered += freed * batch;
        this.#loop.onReplies(connection, freed);
      },
      onFailure: (error) => this.#failure.fail(error),
    };
    const requests = this.#options.mode === 'request' ? new Requests() : undefined;
    const parts = { frames: this.#frames(index), recorder: this.#recorder, keys, commits, requests };
    return new LoadConnection(parts, events);
  }

  #proxySender(index: number): ProxySender {
    const { topic, tag, bodyBytes, inFlight, run } = this.#options;
    const shape = { topic, tag, bodyBytes, inFlight, keyPrefix: keyPrefix(run, index) };
    return new ProxySender(shape, this.#recorder, this.#resets, {
      onReplies: (sender, freed) => {
        this.#answered += freed;
        this.#loop.onReplies(sender, freed);
      },
      onFailure: (error) => this.#failure.fail(error),
    });
  }

  #frames(index: number): FrameRing {
    const { header, bodyBytes, batch, topic, topics, tag, keys, run, queues, inFlight } = this.#options;
    const { due, transaction: half, connections } = this.#options;
    const shape = { header, bodyBytes, batch, topic, topics, tag, keys, due, half };
    const prefix = keyPrefix(run, index);
    const request = this.#options.mode === 'request' ? { replyTo: requesterId(prefix) } : {};
    const template = buildSendTemplate({ ...shape, ...request, keyPrefix: prefix });
    const firstQueue = Math.floor((index * topics * queues) / connections);
    return new FrameRing(template, { capacity: inFlight, topics, queues, firstQueue, due });
  }
}

function requestsEach({ messages, connections, batch }: LoadOptions): number {
  return messages === 0 ? Number.POSITIVE_INFINITY : messages / connections / batch;
}
