/**
 * Which queues a topic has on all brokers together, as the name servers tell. An answer is kept and asked for anew when
 * somebody wants it after a while; until the new one is here the old one is given, so whoever asks waits for a topic's
 * first answer alone.
 */
import type { Clock } from '../lib/clock.ts';
import { MAX_ROUTED_TOPICS } from '../lib/limits.ts';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { requestCommand } from '../protocol/command.ts';
import { asArray, asObject, entriesOf, integerOr, parseBody, textIn } from '../protocol/json-fields.ts';
import type { RocketJsonObject } from '../protocol/rocketmq-json.ts';
import type { ClientTls } from '../tls/settings.ts';
import { isAddress } from './address.ts';
import { CommandClient } from './command-client.ts';

export interface TopicRoutesOptions {
  /** `host:port` of each name server. */
  addresses: readonly string[];
  /** Asked at each dial; undefined: plain text. */
  tls(): ClientTls | undefined;
  clock: Clock;
  /** Ms for which an answer is good enough; asked each time. */
  lifetimeMs(): number;
  /** Default: 600 ms, as clients wait a second for what rests on this. */
  requestTimeoutMs?: number;
}

/** Queues 0 to `readQueues` - 1 of a broker may be read. */
export interface BrokerQueues {
  brokerName: string;
  readQueues: number;
  /** `host:port` of its master, and the queues 0 to `queues` - 1 that may be written there; where there are any. */
  written?: { master: string; queues: number };
}

/** `unknown`: the name servers have no such topic. Undefined: none of them answers. */
export type RouteAnswer = readonly BrokerQueues[] | 'unknown' | undefined;

const REQUEST_TIMEOUT_MS = 600;
/** How long name servers that did not answer are left alone: who asks meanwhile does not wait for them. */
const SILENCE_MS = 3_000;
const READABLE = 4;
const WRITABLE = 2;
const MASTER_ID = '0';

interface Kept {
  readonly queues: readonly BrokerQueues[];
  /** Monotonic ms of the last question, whether it was answered or not. */
  askedAt: number;
}

export class TopicRoutes {
  readonly #options: TopicRoutesOptions;
  readonly #clients: CommandClient[];
  /** By topic; the one that was answered last is the last. */
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<RouteAnswer>>();
  /** Monotonic ms until which nobody is asked. */
  #silentUntil = Number.NEGATIVE_INFINITY;

  /** Throws a RangeError for an address that is not `host:port`. */
  constructor(options: TopicRoutesOptions) {
    this.#options = options;
    this.#clients = options.addresses.map((address) => new CommandClient({ address, tls: options.tls }));
  }

  /** Never rejects. */
  async queuesOf(topic: string): Promise<RouteAnswer> {
    const kept = this.#kept.get(topic);
    if (kept === undefined || kept.queues.length === 0) return this.#ask(topic);
    const { clock, lifetimeMs } = this.#options;
    if (clock.monotonic() - kept.askedAt >= lifetimeMs()) {
      kept.askedAt = clock.monotonic();
      void this.#ask(topic);
    }
    return kept.queues;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  /** Everybody who asks meanwhile shares one question. */
  #ask(topic: string): Promise<RouteAnswer> {
    const asking = this.#asking.get(topic) ?? this.#askAll(topic).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    return asking;
  }

  async #askAll(topic: string): Promise<RouteAnswer> {
    if (this.#clients.length === 0 || this.#options.clock.monotonic() < this.#silentUntil) return undefined;
    for (const client of [...this.#clients]) {
      const answer = await this.#askOne(client, topic).catch(() => undefined);
      if (answer === undefined) continue;
      this.#preferred(client);
      this.#keep(topic, answer);
      return answer;
    }
    this.#silentUntil = this.#options.clock.monotonic() + SILENCE_MS;
    return undefined;
  }

  /** The one that has answered is asked first from now on. */
  #preferred(client: CommandClient): void {
    const at = this.#clients.indexOf(client);
    if (at > 0) this.#clients.unshift(...this.#clients.splice(at, 1));
  }

  #keep(topic: string, answer: readonly BrokerQueues[] | 'unknown'): void {
    this.#kept.delete(topic);
    if (answer === 'unknown') return;
    this.#kept.set(topic, { queues: answer, askedAt: this.#options.clock.monotonic() });
    if (this.#kept.size <= MAX_ROUTED_TOPICS) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  async #askOne(client: CommandClient, topic: string): Promise<RouteAnswer> {
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.#options;
    const question = requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
    const { code, body } = await client.request(question, requestTimeoutMs);
    if (code === ResponseCode.TOPIC_NOT_EXIST) return 'unknown';
    if (code !== ResponseCode.SUCCESS) return undefined;
    const route = asObject(parseBody(body));
    if (route === undefined) return undefined;
    const masters = mastersIn(route);
    return asArray(route['queueDatas']).flatMap((queues) => readableQueues(queues, masters));
  }
}

/** Addresses by broker name. */
function mastersIn(route: RocketJsonObject): Map<string, string> {
  const masters = new Map<string, string>();
  for (const value of asArray(route['brokerDatas'])) {
    const broker = asObject(value) ?? {};
    const master = entriesOf(broker['brokerAddrs']).find(([id]) => id === MASTER_ID)?.[1];
    if (typeof master === 'string' && isAddress(master))
      masters.set(textIn(broker, 'brokerName') ?? '', master);
  }
  return masters;
}

function readableQueues(
  value: Parameters<typeof asObject>[0],
  masters: ReadonlyMap<string, string>,
): BrokerQueues[] {
  const object = asObject(value) ?? {};
  const brokerName = textIn(object, 'brokerName');
  const readQueues = integerOr(object, 'readQueueNums', 0);
  const permission = integerOr(object, 'perm', 0);
  if (brokerName === undefined || (permission & READABLE) === 0 || readQueues <= 0) return [];
  const queues = integerOr(object, 'writeQueueNums', 0);
  const master = masters.get(brokerName);
  const isWritten = master !== undefined && (permission & WRITABLE) !== 0 && queues > 0;
  return [{ brokerName, readQueues, ...(isWritten ? { written: { master, queues } } : {}) }];
}
