/** What a program may say when it starts a broker beside itself; everything has a default. */
import type { BrokerSettings } from '../control/settings.ts';
import type { StoreOptions } from '../store/options.ts';
import type { EngineLayout } from '../threads/engine-layout.ts';

export interface EmbeddedBrokerOptions {
  /** Store directory. Without one a temporary directory is used, and removed by `close`. */
  store?: string;
  /** Address to listen on and to advertise. Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default 0: any free port. */
  nameServerPort?: number;
  brokerName?: string;
  clusterName?: string;
  /** Default 1. */
  networkThreads?: number;
  /** RocketMQ's own settings by name. */
  settings?: Partial<BrokerSettings>;
  storeOptions?: Partial<Omit<StoreOptions, 'directory' | 'commitLogDirectory'>>;
}

export interface EmbeddedBroker {
  /** `host:port` for `setNamesrvAddr`. */
  readonly nameServer: string;
  /** `host:port` as the name server tells clients. */
  readonly broker: string;
  readonly store: string;
  /** Resolves with the reason if the broker ends by itself; it never takes the host process down. */
  readonly died: Promise<Error>;
  /** Clean stop; a temporary store is removed. Safe to call twice. */
  close(): Promise<void>;
}

/** Small files for stores that live for a test: a start costs little disk, and nothing is made ahead. */
export const TEMPORARY_STORE_OPTIONS: Partial<StoreOptions> = {
  mappedFileSizeCommitLog: 16 * 1024 * 1024,
  mappedFileSizeConsumeQueue: 20 * 10_000,
  maxHashSlotNum: 50_000,
  maxIndexNum: 200_000,
  preallocateNextFile: false,
};

/** Which threads an embedded broker has below control: as few as possible. */
export function threadsOf(options: EmbeddedBrokerOptions): {
  networkThreads: number;
  engineLayout: EngineLayout;
} {
  const networkThreads = options.networkThreads ?? 1;
  return { networkThreads, engineLayout: networkThreads === 1 ? 'inline' : 'paired' };
}

/** Posted to the control thread. */
export interface EmbeddedStart {
  store: string;
  temporary: boolean;
  options: EmbeddedBrokerOptions;
}

export type EmbeddedReport =
  | { kind: 'ready'; nameServer: string; broker: string }
  | { kind: 'failed'; message: string }
  | { kind: 'died'; message: string }
  | { kind: 'closed' };
