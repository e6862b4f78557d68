/** What a program may say when it starts a broker inside itself, and what it gets; everything has a default. */
import type { BrokerSettings } from '../metadata/settings.ts';
import type { StoreOptions } from '../store/options.ts';
import type { RingMQError } from './error.ts';

declare global {
  // As TypeScript's own library and Node's types have it: programs that are compiled without them take ours.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** Settings that have an option of their own, or mean nothing without slaves. */
type OwnOptions = 'brokerName' | 'brokerClusterName' | 'listenPort' | 'brokerId';

/**
 * RocketMQ's own settings by their names in `broker.conf`, with its defaults and units (docs/configuration.md): for
 * example `{ autoCreateTopicEnable: false, messageDelayLevel: '1s 5s' }`.
 */
export type EmbeddedSettings = Partial<Omit<BrokerSettings, OwnOptions>>;

/** How the store is kept, by the names in `broker.conf`: for example `{ flushDiskType: 'SYNC_FLUSH' }`. */
export type EmbeddedStoreOptions = Partial<Omit<StoreOptions, 'directory' | 'commitLogDirectory'>>;

/** One that does not exist, or whose value is not allowed, makes `startBroker` reject with `RINGMQ_BAD_OPTION`. */
export interface EmbeddedBrokerOptions {
  /**
   * Directory of the store; made when missing, kept by `close`. Without one a temporary directory is used, with small
   * files, and removed by `close` or when the process ends.
   */
  store?: string;
  /** Address or host name to listen on and to tell clients. Default `127.0.0.1`. */
  host?: string;
  /** Port of the broker. Default 0: any free port. */
  port?: number;
  /** Port of the name server. Default 0: any free port. */
  nameServerPort?: number;
  /** Name under which the name server lists the broker. Default `ringmq`. */
  brokerName?: string;
  /** Default `DefaultCluster`. */
  clusterName?: string;
  /** Threads that serve sockets, 1 to 30. Default 1, which does the store's work too. */
  networkThreads?: number;
  /** Topics that are there when `startBroker` resolves: their names, or with the number of queues. */
  topics?: readonly (string | ({ name: string } & TopicOptions))[];
  settings?: EmbeddedSettings;
  storeOptions?: EmbeddedStoreOptions;
  /** Where the broker's log goes. Default: warnings and errors to stderr, one line each. */
  log?: EmbeddedLog;
}

/** What is left of them when they are checked: plain copies, which another thread can be given. */
export interface CheckedBrokerOptions extends EmbeddedBrokerOptions {
  topics?: readonly { name: string; queues: number }[];
}

/** Queues of a topic that a program makes. */
export const DEFAULT_QUEUES = 4;

export interface TopicOptions {
  /** Queues for reading and for writing, 1 or more. Default 4. */
  queues?: number;
}

/** `console` is one. A function that is missing means that these lines are dropped. */
export interface EmbeddedLogger {
  info?(message: string, fields: object): void;
  warn?(message: string, fields: object): void;
  error?(message: string, fields: object): void;
}

export type EmbeddedLog = 'silent' | EmbeddedLogger;

/**
 * A broker with its name server, running in threads of this process. It does not keep the process alive: a program that
 * has nothing else to do ends, and the broker is stopped in order then (`ref` changes that).
 */
export interface EmbeddedBroker {
  /** `host:port` of the name server: what clients are given. */
  readonly nameServer: string;
  /** `host:port` of the broker, as the name server tells clients. */
  readonly broker: string;
  /** Directory of the store. */
  readonly store: string;
  /**
   * Resolves if the broker ends by itself, because its disk fails or a thread of it throws: `RINGMQ_DIED`, with the
   * reason as message. From then on nothing is acknowledged; `close` cleans up. It never rejects, `close` never
   * resolves it, and the host process goes on.
   */
  readonly died: Promise<RingMQError>;
  /**
   * Makes a topic, or gives one that exists another number of queues; resolves when producers and consumers find it
   * through the name server. Rejects with `RINGMQ_TOPIC_REFUSED`, `RINGMQ_BAD_OPTION`, `RINGMQ_DIED` or
   * `RINGMQ_CLOSED`.
   */
  createTopic(name: string, options?: TopicOptions): Promise<void>;
  /**
   * Stops in order: sends under way are answered, everything is written and synced. Then a temporary store is removed.
   * Safe to call twice, and after a death. Never rejects.
   */
  close(): Promise<void>;
  /** From now on the broker keeps the process alive, as a listening server of Node does. */
  ref(): this;
  /** Undoes `ref`. */
  unref(): this;
  /** `await using broker = await startBroker()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
}
