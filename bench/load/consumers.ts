/** The consuming connections of a run: members of one group, with the lanes dealt out to them. */
import { type Membership, queueSpans, sendHeartbeat, subscriptionTo, topicNames } from './consumer-calls.ts';
import type { LoadOptions } from './options.ts';
import { PullConnection, type PullEvents } from './pull-connection.ts';
import { type LaneRange, PullLane, type QueueSpan } from './pull-lane.ts';

/** More topics are dealt out to the connections, each of which then is a group of its own: no real group has so many. */
const GROUP_TOPICS = 1000;
/** A broker forgets a consumer after two minutes of silence. */
const HEARTBEAT_MILLIS = 30_000;

export class Consumers {
  readonly #options: LoadOptions;
  readonly #events: PullEvents;
  readonly #connections: PullConnection[];
  readonly #subVersion = Date.now();
  readonly #topics: string[];
  readonly #dealTopics: boolean;
  #lanes = 0;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(options: LoadOptions, connections: number, events: PullEvents) {
    this.#options = options;
    this.#events = events;
    this.#topics = topicNames(options.topic, options.topics);
    this.#dealTopics = options.topics > GROUP_TOPICS;
    this.#connections = Array.from(
      { length: connections },
      () => new PullConnection(options.pullBatch, events),
    );
  }

  /** Connects and registers; a broker serves pulls only to groups whose subscription it knows. */
  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open(this.#options)));
    await this.#register();
    this.#heartbeat = setInterval(() => {
      this.#register().catch((error: Error) => this.#events.onFailure(error));
    }, HEARTBEAT_MILLIS);
  }

  spans(): Promise<QueueSpan[]> {
    const [first] = this.#connections;
    return queueSpans(first as PullConnection, this.#topics, this.#options.queues);
  }

  add({ topic, topicIndex, queueId }: QueueSpan, range: LaneRange): void {
    const place = this.#dealTopics ? topicIndex : this.#lanes++;
    const index = place % this.#connections.length;
    const { header, sql } = this.#options;
    const { expressionType } = subscriptionTo(sql);
    const asks = { header, group: this.#group(index), topic, queueId };
    const shape = { ...asks, subVersion: this.#subVersion, expressionType };
    (this.#connections[index] as PullConnection).lanes.push(new PullLane(shape, range));
  }

  get lanes(): PullLane[] {
    return this.#connections.flatMap(({ lanes }) => lanes);
  }

  get inFlight(): number {
    return this.#connections.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  start(): void {
    for (const connection of this.#connections) connection.start();
  }

  stop(): void {
    for (const connection of this.#connections) connection.stop();
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const connection of this.#connections) connection.close();
  }

  #group(index: number): string {
    return this.#dealTopics ? `${this.#options.group}_${index}` : this.#options.group;
  }

  async #register(): Promise<void> {
    const membership = (index: number): Membership => ({
      clientId: `127.0.0.1@bench-${process.pid}-${index}`,
      group: this.#group(index),
      topics: this.#topics.filter(
        (_, topic) => !this.#dealTopics || topic % this.#connections.length === index,
      ),
      subVersion: this.#subVersion,
      subscription: subscriptionTo(this.#options.sql),
    });
    await Promise.all(
      this.#connections.map((connection, index) => sendHeartbeat(connection, membership(index))),
    );
  }
}
