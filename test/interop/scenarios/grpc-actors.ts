// Producers and consumers of a gRPC client as the scenarios see them, and the topics and groups they need.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { Args } from '../support/clients.ts';
import { Dialogue, type Refusal } from '../support/dialogue.ts';
import type { GrpcKit } from '../support/grpc-clients.ts';
import type { GrpcProxy } from '../support/grpc-proxy.ts';
import type { Program } from '../support/program.ts';
import { RawConnection } from '../support/raw.ts';
import type { Cluster } from '../support/target.ts';
import { createGroup } from './dead-letters.ts';

const UPDATE_AND_CREATE_TOPIC = 17;
const GET_ROUTE = 105;
const ROUTE_TIMEOUT = 20_000;
export const ARRIVAL = 60_000;

export interface GrpcMessage {
  readonly key: string;
  readonly topic: string;
  readonly tag: string | null;
  readonly messageId: string;
  readonly messageGroup: string | null;
  /** Only the Java client tells it. */
  readonly liteTopic?: string | null;
  readonly deliveryTime: number | null;
  readonly priority: number | null;
  /** From 1. */
  readonly attempt: number;
  readonly bornTime: number;
  readonly bodySize: number;
  readonly intact: boolean;
  readonly properties: Readonly<Record<string, string>>;
}

export interface GrpcDelivery extends GrpcMessage {
  /** Whether the listener took it. */
  readonly ok: boolean;
  readonly at: number;
}

export interface GrpcReceipt {
  readonly messageId: string;
  readonly recallHandle: string | null;
}

/** What a test makes before clients come: they and the proxy remember that a topic or group was not there. */
export class Stage {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Resolves when the name server tells the topic's route. */
  async topic(topic: string, type: string, queues = 2): Promise<void> {
    const connection = await RawConnection.open(this.#cluster.broker.address);
    const numbers = { readQueueNums: queues, writeQueueNums: queues, perm: 6, topicSysFlag: 0 };
    const ext = { topic, defaultTopic: 'TBW102', topicFilterType: 'SINGLE_TAG', order: 'false', ...numbers };
    const attributes = `+message.type=${type}`;
    const made = await connection.request({ code: UPDATE_AND_CREATE_TOPIC, ext: { ...ext, attributes } });
    connection.destroy();
    assert.is(made.code, 0, made.remark);
    const names = await RawConnection.open(this.#cluster.nameServer.address);
    for (const end = Date.now() + ROUTE_TIMEOUT; ; await sleep(20)) {
      if ((await names.request({ code: GET_ROUTE, ext: { topic } })).code === 0) break;
      if (Date.now() > end) throw new Error(`no route of ${topic} after ${ROUTE_TIMEOUT} ms`);
    }
    names.destroy();
  }

  /**
   * `retries`: further attempts after the first, a second apart by a policy of the one type that the Node client
   * knows. `fifo`: one message after the other. `lite`: the parent topic whose lite topics it gets.
   */
  async group(
    groupName: string,
    { retries = 16, fifo = false, lite = undefined as string | undefined } = {},
  ): Promise<void> {
    const connection = await RawConnection.open(this.#cluster.broker.address);
    const exponentialRetryPolicy = { initial: 1_000, max: 1_000, multiplier: 1 };
    const groupRetryPolicy = { type: 'EXPONENTIAL', exponentialRetryPolicy };
    await createGroup(connection, {
      groupName,
      groupRetryPolicy,
      retryMaxTimes: retries,
      consumeMessageOrderly: fifo,
      ...(lite === undefined ? {} : { attributes: { '+lite.bind.topic': lite } }),
    });
    connection.destroy();
  }
}

/** The whole scene of a test. */
export interface Scene {
  readonly clients: GrpcClients;
  readonly stage: Stage;
  readonly cluster: Cluster;
}

/** One process with as many clients as a test wants. */
export class GrpcClients {
  readonly kit: GrpcKit;
  readonly program: Program;
  readonly checks: GrpcMessage[] = [];
  readonly #dialogue: Dialogue;
  #clients = 0;

  constructor(kit: GrpcKit, proxy: GrpcProxy) {
    this.kit = kit;
    this.program = kit.start(proxy.endpoints);
    this.#dialogue = new Dialogue(this.program);
    this.program.onEvent((event) => {
      if (event.event === 'check') this.checks.push(event['message'] as GrpcMessage);
    });
  }

  async producer(topic: string): Promise<GrpcProducer> {
    const name = this.#name();
    await this.ask(`producer ${name} ${topic}`);
    return new GrpcProducer(this, name, topic);
  }

  async push(args: Args): Promise<GrpcPush> {
    const push = new GrpcPush(this, this.#name());
    await this.ask(`push ${push.name} ${words(args)}`);
    return push;
  }

  async lite(args: Args, ...liteTopics: readonly string[]): Promise<GrpcLite> {
    const lite = new GrpcLite(this, this.#name());
    await this.ask(`lite ${lite.name} ${words(args)}`);
    for (const liteTopic of liteTopics) await lite.subscribe(liteTopic);
    return lite;
  }

  async simple(args: Args): Promise<GrpcSimple> {
    const name = this.#name();
    await this.ask(`simple ${name} ${words(args)}`);
    return new GrpcSimple(this, name);
  }

  ask(question: string): Promise<unknown> {
    return this.#dialogue.ask(question);
  }

  refused(question: string): Promise<Refusal> {
    return this.#dialogue.refused(question);
  }

  /** Waits until the transaction of the message with this key has been checked. */
  checked(topic: string, key: string): Promise<GrpcMessage> {
    const look = (): GrpcMessage | undefined =>
      this.checks.find((message) => message.topic === topic && message.key === key);
    return this.program.waitFor(`a check of ${key}`, look, ARRIVAL);
  }

  /** All at once: a push consumer waits for its requests, which wait for messages. */
  async close(...clients: readonly { readonly name: string }[]): Promise<void> {
    await this.ask(`close ${clients.map(({ name }) => name).join(' ')}`);
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }

  #name(): string {
    return `client-${this.#clients++}`;
  }
}

export class GrpcProducer {
  readonly #clients: GrpcClients;
  readonly name: string;
  readonly #topic: string;

  constructor(clients: GrpcClients, name: string, topic: string) {
    this.#clients = clients;
    this.name = name;
    this.#topic = topic;
  }

  async send(key: string, args: Args = {}): Promise<GrpcReceipt> {
    return (await this.#clients.ask(this.#words('send', key, args))) as GrpcReceipt;
  }

  refused(key: string, args: Args = {}): Promise<Refusal> {
    return this.#clients.refused(this.#words('send', key, args));
  }

  async transact(key: string, args: Args): Promise<GrpcReceipt> {
    return (await this.#clients.ask(this.#words('transact', key, args))) as GrpcReceipt;
  }

  /** The id of the message that will not come. */
  async recall(handle: string): Promise<string> {
    return String(await this.#clients.ask(`recall ${this.name} ${this.#topic} ${handle}`));
  }

  recallRefused(handle: string): Promise<Refusal> {
    return this.#clients.refused(`recall ${this.name} ${this.#topic} ${handle}`);
  }

  #words(command: string, key: string, args: Args): string {
    return `${command} ${this.name} ${words({ topic: this.#topic, key, ...args })}`;
  }
}

export class GrpcPush {
  readonly name: string;
  readonly deliveries: GrpcDelivery[] = [];
  readonly #clients: GrpcClients;

  constructor(clients: GrpcClients, name: string) {
    this.#clients = clients;
    this.name = name;
    clients.program.onEvent((event) => {
      if (event.event !== 'message' || event['client'] !== name) return;
      const facts = { ok: event['ok'] === true, at: Number(event['at']) };
      this.deliveries.push({ ...(event['message'] as GrpcMessage), ...facts });
    });
  }

  /** Keys of what the listener took, in its order. */
  get taken(): string[] {
    return this.deliveries.filter(({ ok }) => ok).map(({ key }) => key);
  }

  triesOf(key: string): GrpcDelivery[] {
    return this.deliveries.filter((delivery) => delivery.key === key);
  }

  /** Waits until the listener has had each of these successfully. */
  async takes(keys: readonly string[]): Promise<void> {
    const look = (): true | undefined => {
      const taken = new Set(this.taken);
      return keys.every((key) => taken.has(key)) ? true : undefined;
    };
    await this.#clients.program.waitFor(`${keys.length} messages`, look, ARRIVAL).catch((error: Error) => {
      const taken = new Set(this.taken);
      throw new Error(`not taken: ${keys.filter((key) => !taken.has(key))}\n${error.message}`);
    });
  }

  async delivers(count: number): Promise<void> {
    const look = (): true | undefined => (this.deliveries.length >= count ? true : undefined);
    await this.#clients.program.waitFor(`${count} deliveries`, look, ARRIVAL);
  }
}

/** A push consumer of the lite topics of one parent. */
export class GrpcLite extends GrpcPush {
  readonly #clients: GrpcClients;

  constructor(clients: GrpcClients, name: string) {
    super(clients, name);
    this.#clients = clients;
  }

  async subscribe(liteTopic: string, from: 'last' | 'min' | 'max' = 'last'): Promise<void> {
    const subscribed = await this.#clients.ask(`subscribe ${this.name} ${liteTopic} ${from}`);
    assert.ok((subscribed as string[]).includes(liteTopic));
  }

  async unsubscribe(liteTopic: string): Promise<void> {
    const subscribed = await this.#clients.ask(`unsubscribe ${this.name} ${liteTopic}`);
    assert.not.ok((subscribed as string[]).includes(liteTopic));
  }

  /** Keys of what the listener took of a lite topic, in its order. */
  takenOf(liteTopic: string): string[] {
    return this.deliveries.filter((one) => one.ok && one.liteTopic === liteTopic).map(({ key }) => key);
  }
}

export class GrpcSimple {
  readonly #clients: GrpcClients;
  readonly name: string;

  constructor(clients: GrpcClients, name: string) {
    this.#clients = clients;
    this.name = name;
  }

  /** What one request brings: nothing when nothing comes within the time to await it. */
  async receive(max = 16, invisibleMs = 30_000): Promise<GrpcMessage[]> {
    return (await this.#clients.ask(`receive ${this.name} ${max} ${invisibleMs}`)) as GrpcMessage[];
  }

  /** Receives until so many have come. */
  async gather(count: number, invisibleMs = 30_000): Promise<GrpcMessage[]> {
    const gathered: GrpcMessage[] = [];
    for (const end = Date.now() + ARRIVAL; gathered.length < count; ) {
      gathered.push(...(await this.receive(16, invisibleMs)));
      if (Date.now() > end) throw new Error(`${gathered.length} of ${count} came in ${ARRIVAL} ms`);
    }
    return gathered;
  }

  async ack(key: string): Promise<void> {
    await this.#clients.ask(`ack ${this.name} ${key}`);
  }

  ackRefused(key: string): Promise<Refusal> {
    return this.#clients.refused(`ack ${this.name} ${key}`);
  }

  async invisible(key: string, ms: number): Promise<void> {
    await this.#clients.ask(`invisible ${this.name} ${key} ${ms}`);
  }
}

/** Blanks part words, so that those of an expression are written as underscores. */
function words(args: Args): string {
  return Object.entries(args)
    .map(([name, value]) => `--${name} ${String(value).replaceAll(' ', '_')}`)
    .join(' ');
}

export function keysOf(messages: readonly GrpcMessage[]): string[] {
  return messages.map(({ key }) => key).sort();
}

export function allIntact(messages: readonly GrpcMessage[]): void {
  for (const message of messages) assert.ok(message.intact, JSON.stringify(message));
}
