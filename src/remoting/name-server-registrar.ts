/**
 * Keeps a broker known to its name servers: all topics at the start and every 30 s, changed topics at once, goodbye at
 * the end. Name servers are independent of each other; one that is down is tried again until it is back.
 */
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ControlLog, noLog } from '../lib/log.ts';
import { systemTimers, type Timers } from '../lib/timers.ts';
import type { ClientTls } from '../tls/settings.ts';
import { type BrokerIdentity, NameServerLink, type TopicSnapshot } from './name-server-link.ts';

export interface NameServerRegistrarOptions {
  /** `host:port` of each name server. */
  addresses: readonly string[];
  broker: BrokerIdentity;
  /**
   * The topics to register: all, or those of `names` that still exist. The first registration of a broker must have
   * more than one topic, or name servers take it for an incremental one and refuse it.
   */
  topics(names?: ReadonlySet<string>): TopicSnapshot;
  /** The ORDER_TOPIC_CONFIG entries, whenever a name server answers with them: topic to `brokerA:4;brokerB:4`. */
  onOrderTopicConfig?: (table: ReadonlyMap<string, string>) => void;
  /** Of a slave: where its master is, each time a name server tells. */
  onMaster?: (haServerAddr: string, masterAddr: string) => void;
  /**
   * All brokers of this name, in whatever cluster, that name servers have told of in the last second: addresses by id.
   * Called each second in which one has told.
   */
  onMembers?: (members: ReadonlyMap<number, string>) => void;
  /** Between full registrations. Default: 30 s; name servers forget a broker after 120 s. */
  intervalMs?: number;
  /** After a failure or a lost connection. Default: 3 s. */
  retryMs?: number;
  /** How often it is looked whether another broker has taken the name. Default: 1 s. */
  watchMs?: number;
  /** How connections are encrypted; asked at each dial. Default: not at all. */
  tls?: () => ClientTls | undefined;
  timers?: Timers;
  clock?: Clock;
  /** Default: none. */
  log?: ControlLog;
}

const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_RETRY_MS = 3000;
const DEFAULT_WATCH_MS = 1000;

export class NameServerRegistrar {
  readonly #options: NameServerRegistrarOptions;
  readonly #timers: Timers;
  readonly #links: readonly NameServerLink[];
  #changed = new Set<string>();
  #flush: Promise<void> | undefined;
  #cancelNext: () => void = () => {};
  readonly #cancelWatches = new Map<NameServerLink | 'members', () => void>();
  #closed = false;
  /** Told since the last round: who does not answer any more has no say. Undefined = nobody has told. */
  #members: ReadonlyMap<number, string> | undefined;

  /** Throws a RangeError for an address that is not `host:port`. */
  constructor(options: NameServerRegistrarOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#links = options.addresses.map(
      (address) =>
        new NameServerLink({
          address,
          broker: options.broker,
          topics: options.topics,
          onOrderTopicConfig: options.onOrderTopicConfig ?? (() => {}),
          onMaster: options.onMaster ?? (() => {}),
          onMembers: (members) => {
            this.#members = new Map([...(this.#members ?? []), ...members]);
          },
          onForgotten: () => this.#scheduleNext(true),
          tls: options.tls ?? (() => undefined),
          clock: options.clock ?? systemClock,
          log: options.log ?? noLog,
        }),
    );
  }

  /** Registers now and from then on. Resolves after the first attempt with the number of name servers reached. */
  start(): Promise<number> {
    for (const link of this.#links) this.#everySecond(link, () => link.watch());
    if (this.#options.onMembers !== undefined) this.#everySecond('members', () => this.#tellMembers());
    return this.registerNow();
  }

  /** Registers all topics everywhere; resolves with the number of name servers that took it, never rejects. */
  async registerNow(): Promise<number> {
    this.#cancelNext();
    const taken = await Promise.all(this.#links.map((link) => link.registerAll()));
    const count = taken.filter(Boolean).length;
    this.#scheduleNext(count < this.#links.length);
    return count;
  }

  /**
   * Tells the name servers about new and changed topics. Changes of one turn of the event loop, and those that come
   * while an earlier registration is on its way, travel together. Resolves when every name server has answered or
   * failed, never rejects.
   */
  topicsChanged(names: Iterable<string>): Promise<void> {
    for (const name of names) this.#changed.add(name);
    this.#flush ??= new Promise((resolve) => {
      setImmediate(() => resolve(this.#sendChanged()));
    });
    return this.#flush;
  }

  /** Says goodbye to the name servers that know the broker, then closes the connections. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelNext();
    for (const cancel of this.#cancelWatches.values()) cancel();
    await Promise.all(this.#links.map((link) => link.close()));
  }

  /** Each name server has its own rhythm: one that is slow keeps no other from hearing that the broker lives. */
  #everySecond(what: NameServerLink | 'members', task: () => unknown): void {
    if (this.#closed) return;
    const again = async () => {
      await task();
      this.#everySecond(what, task);
    };
    const { watchMs = DEFAULT_WATCH_MS } = this.#options;
    this.#cancelWatches.set(what, this.#timers.after(watchMs, again));
  }

  #tellMembers(): void {
    const members = this.#members;
    this.#members = undefined;
    if (members !== undefined) this.#options.onMembers?.(members);
  }

  async #sendChanged(): Promise<void> {
    const names = this.#changed;
    this.#changed = new Set();
    this.#flush = undefined;
    const taken = await Promise.all(this.#links.map((link) => link.registerChanged(names)));
    if (taken.includes(false)) this.#scheduleNext(true);
  }

  #scheduleNext(afterFailure: boolean): void {
    this.#cancelNext();
    if (this.#closed) return;
    const { intervalMs = DEFAULT_INTERVAL_MS, retryMs = DEFAULT_RETRY_MS } = this.#options;
    const delay = afterFailure ? Math.min(retryMs, intervalMs) : intervalMs;
    this.#cancelNext = this.#timers.after(delay, () => void this.registerNow());
  }
}
