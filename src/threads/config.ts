/** What a broker is started with, after configuration files, command line and defaults have been put together. */

import type { BrokerProperties } from '../broker/context.ts';
import type { MetricsOptions } from '../broker/metrics/options.ts';
import type { ControlLog } from '../lib/log.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { ReplicationOptions } from '../replication/options.ts';
import type { TraceShape } from '../ring/trace-notes.ts';
import type { StoreOptions } from '../store/options.ts';
import type { Certificates } from '../tls/certificates.ts';
import type { TlsSettings } from '../tls/settings.ts';
import type { EngineLayout } from './engine-layout.ts';

export interface BrokerConfig {
  /** `listenPort` 0 = any free port; the running broker says which. */
  settings: BrokerSettings;
  store: StoreOptions;
  replication: ReplicationOptions;
  /** Whether a master listens for slaves. */
  takesSlaves: boolean;
  /** Address, or name of one, to listen on. */
  bindAddress: string;
  /** Listen on listenPort - 2 too, as old clients expect; only with a fixed port. */
  vipChannel: boolean;
  networkThreads: number;
  /** Which threads writer, dispatcher and flusher run in; some need one network thread (`needsOneNetworkThread`). */
  engineLayout: EngineLayout;
  /** How long network thread and writer stay awake for the next message, µs; 0 = not at all. */
  busyPollMicros: number;
  /** Ms from which on a step of a message's way is slow, and the log told; 0 = none is. */
  slowMillis: number;
  /** How long a stop waits for clients to leave, ms. */
  drainTimeMillis: number;
  /** `host:port` of the name servers to register with; may be empty. */
  nameServers: string[];
  /** Seconds after which a silent connection is closed. */
  serverChannelMaxIdleTimeSeconds: number;
  /** Connections of clients that it takes (lib/descriptors.ts). */
  maxConnections: number;
  tls: TlsSettings;
  metrics: MetricsOptions;
  properties: BrokerProperties;
  /** Where its threads note what they do, for `ringmq trace`; undefined: nobody follows a message. */
  trace?: TraceShape | undefined;
  log: ControlLog;
}

/** A configuration whose host names have been looked up, and whose certificates have been read. */
export interface ResolvedConfig extends BrokerConfig {
  /** IP address behind `settings.brokerIP1`: message ids are made of it. */
  readonly brokerIp: string;
  readonly certificates: Certificates;
}

/** Why a broker has ended that is to be started again at once. */
export class StartAgain extends Error {
  override name = 'StartAgain';
}

export interface RunningBroker {
  /** As advertised to clients: `host:port`. */
  readonly address: string;
  readonly port: number;
  /** What it listens on, `ip:port` each, the main port first. */
  readonly listening: readonly string[];
  /** IP address behind the advertised one. */
  readonly ip: string;
  /** Resolves with the reason when the broker has died by itself; nothing is acknowledged from that moment on. */
  readonly died: Promise<Error>;
  /** How long the network thread that is most behind has not come round, ms. */
  readonly lateMs: number;
  /** Clean stop; resolves whether the store was closed cleanly. */
  close(): Promise<boolean>;
}
