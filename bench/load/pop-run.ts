/**
 * Pops a backlog and acknowledges each message. When all of it has come, another group begins with it: pops have no
 * places to go back to. A message counts when its acknowledgement was answered.
 */
import { beginAt, queueSpans, topicNames } from './consumer-calls.ts';
import { ProxyConsumer } from './grpc/proxy-consumer.ts';
import { Resets } from './grpc/resets.ts';
import { ledgerOf } from './ledger-file.ts';
import type { LoadOptions } from './options.ts';
import { Failure, type OnPhase } from './phases.ts';
import { PopConnection } from './pop-connection.ts';
import type { PopShape } from './pop-frames.ts';
import { PopPass } from './pop-pass.ts';
import { NO_ANSWER, type Popper, type PopperEvents } from './popper.ts';
import type { QueueSpan } from './pull-lane.ts';
import { LatencyRecorder, type LoadResult, Recorder } from './recorder.ts';

const HEARTBEAT_MILLIS = 30_000;
/** How long a broker may take until the queues have what it acknowledged. */
const DISPATCH_MILLIS = 10_000;
const DISPATCH_POLL_MILLIS = 100;
/** A pop that the broker holds comes back after 15 s. */
const LAST_REPLIES_MILLIS = 20_000;
/** A backlog that is popped once has no time limit, but something must come. */
const STALL_MILLIS = 30_000;

export class PopRun {
  readonly #options: LoadOptions;
  readonly #failure = new Failure();
  readonly #recorder = new Recorder();
  readonly #resets = new Resets();
  readonly #acknowledged = new LatencyRecorder();
  /** Asked for what is no pop. */
  readonly #broker: PopConnection;
  readonly #connections: Popper[];
  readonly #ledger;
  #spans: QueueSpan[] = [];
  #pass = new PopPass([]);
  #passes = 0;
  #wholePasses = 0;
  /** So many messages of this pass at most went into pops that failed, and come again when they are visible. */
  #withheld = 0;
  #messages = 0;
  #running = false;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ledger = ledgerOf(options);
    const events = this.#events();
    const { connections, pullBatch, proxyPort } = options;
    const clientId = (index: number): string => `127.0.0.1@bench-${process.pid}-${index}`;
    this.#broker = new PopConnection(clientId(connections), pullBatch, events);
    this.#connections = Array.from({ length: connections }, (_, index) =>
      proxyPort > 0
        ? new ProxyConsumer(clientId(index), this.#resets, events)
        : new PopConnection(clientId(index), pullBatch, events),
    );
  }

  async run(onPhase: OnPhase): Promise<LoadResult> {
    try {
      await this.#failure.during(this.#open());
      this.#spans = await this.#backlog();
      this.#running = true;
      await this.#failure.during(this.#nextPass());
      this.#heartbeat = setInterval(() => this.#inBackground(this.#register()), HEARTBEAT_MILLIS);
      if (this.#options.once) await this.#popOnce(onPhase);
      else await this.#popRepeatedly(onPhase);
      const result = this.#recorder.result(this.#inFlight(), false);
      return { ...result, ...this.#resets.counts, ...this.#verdict() };
    } finally {
      clearInterval(this.#heartbeat);
      for (const connection of [this.#broker, ...this.#connections]) connection.close();
    }
  }

  async #open(): Promise<void> {
    const { host, port, proxyPort, tls } = this.#options;
    const endpoint = { host, port: proxyPort > 0 ? proxyPort : port, tls };
    await this.#broker.open(this.#options);
    await Promise.all(this.#connections.map((connection) => connection.open(endpoint)));
  }

  async #popOnce(onPhase: OnPhase): Promise<void> {
    await onPhase('warming');
    await onPhase('measuring');
    this.#recorder.start();
    for (const connection of this.#connections) connection.start(this.#shape());
    const isOver = (): boolean => !this.#running && this.#inFlight() === 0;
    for (let before = -1; before !== this.#messages && !isOver(); ) {
      before = this.#messages;
      await this.#failure.wait(STALL_MILLIS, isOver);
    }
    this.#recorder.stop();
    await onPhase('draining');
  }

  async #popRepeatedly(onPhase: OnPhase): Promise<void> {
    const { warmupSeconds, warmupMessages, seconds } = this.#options;
    await onPhase('warming');
    for (const connection of this.#connections) connection.start(this.#shape());
    const enough = (): boolean => warmupMessages > 0 && this.#messages >= warmupMessages;
    await this.#failure.wait(warmupSeconds * 1000, enough);
    await onPhase('measuring');
    this.#recorder.start();
    await this.#failure.wait(seconds * 1000);
    this.#recorder.stop();
    await onPhase('draining');
    this.#running = false;
    for (const connection of this.#connections) connection.stop();
    await this.#failure.wait(LAST_REPLIES_MILLIS, () => this.#inFlight() === 0);
  }

  #events(): PopperEvents {
    const ledger = this.#ledger;
    const recorder = this.#recorder;
    return {
      onMessage: (bytes, { queueId, queueOffset, reconsumeTimes, keyAt, keyLength }) => {
        // without a ledger a message that comes again is told by how often it has come before
        const isFirst =
          ledger === undefined
            ? reconsumeTimes === 0
            : ledger.see(bytes, keyAt, keyLength, this.#passes) !== undefined;
        if (isFirst) this.#pass.see(queueId, queueOffset);
      },
      onPop: (code, micros) => {
        recorder.reply(code, micros, 0);
        if (code === NO_ANSWER) this.#withheld += this.#options.pullBatch;
        if (this.#pass.isOver && this.#pass.total > 0) this.#leaveGroup();
      },
      onAck: (code, micros) => {
        if (code !== 0) return recorder.refusal(code);
        this.#messages++;
        if (!recorder.measuring) return;
        recorder.message();
        this.#acknowledged.record(micros);
      },
      onUnexpectedReply: () => recorder.unexpectedReply(),
      onFailure: (error) => this.#failure.fail(error),
    };
  }

  #leaveGroup(): void {
    this.#wholePasses++;
    for (const connection of this.#connections) connection.leave();
    if (this.#options.once) this.#running = false;
    if (this.#running) this.#inBackground(this.#popAgain());
    else this.#pass = new PopPass([]);
  }

  async #popAgain(): Promise<void> {
    await this.#nextPass();
    if (!this.#running) return;
    for (const connection of this.#connections) connection.start(this.#shape());
  }

  async #nextPass(): Promise<void> {
    this.#pass = new PopPass(this.#spans);
    this.#passes++;
    this.#withheld = 0;
    // the proxy has new groups begin at the end
    if (this.#options.proxyPort > 0) {
      await this.#broker.join(this.#group(), this.#options.topic);
      await beginAt(this.#broker, this.#group(), this.#spans);
    }
    await this.#register();
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: Error) => this.#failure.fail(error));
  }

  #inFlight(): number {
    return this.#connections.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** The queues as they are when all that must be there has arrived in them. */
  async #backlog(): Promise<QueueSpan[]> {
    const { topic, topics, queues, drainSeconds } = this.#options;
    const acknowledged = this.#ledger?.missing ?? 0;
    const deadline = performance.now() + Math.min(DISPATCH_MILLIS, drainSeconds * 1000);
    for (;;) {
      const asked = queueSpans(this.#broker, topicNames(topic, topics), queues);
      const spans = await this.#failure.during(asked);
      const stored = spans.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
      if (stored === 0 && performance.now() > deadline)
        throw new Error(`there is nothing to pop in ${topic}`);
      if (stored > 0 && (stored >= acknowledged || performance.now() > deadline)) return spans;
      await this.#failure.wait(DISPATCH_POLL_MILLIS);
    }
  }

  #group(): string {
    return `${this.#options.group}_${this.#passes}`;
  }

  #shape(): PopShape {
    const { topic, brokerName, pullBatch } = this.#options;
    return { group: this.#group(), topic, brokerName, batch: pullBatch };
  }

  async #register(): Promise<void> {
    const { topic } = this.#options;
    await Promise.all(this.#connections.map((connection) => connection.join(this.#group(), topic)));
  }

  #verdict(): Partial<LoadResult> {
    const acknowledged = this.#acknowledged.summary();
    const ledger = this.#ledger;
    if (ledger === undefined) return { acknowledged, wholePasses: this.#wholePasses };
    const { duplicates, foreign } = ledger;
    // what was never stored leaves no gap: only a whole pass tells that it is not there
    const neverSeen = this.#wholePasses > 0 ? ledger.missing : 0;
    const lost = Math.max(0, this.#pass.missing - this.#withheld) + neverSeen;
    return { acknowledged, duplicates, foreign, lost, wholePasses: this.#wholePasses };
  }
}
