/**
 * What threads are started with: everything here can be posted. The table of channels (rings with slabs for what is
 * large) and plain rings (small records of one size):
 *
 *     channel           sender       receiver
 *     send              network n    writer        messages to append
 *     link up           network n    control       frames for control, progress, news of connections
 *     link down         control      network n     frames for clients, deltas
 *     control send      control      writer        the broker's own messages
 *     commands          control      dispatcher    queues to know or to forget
 *
 *     ring
 *     replies           writer       network n     where messages went
 *     control replies   writer       control
 *     arrivals          dispatcher   network n     queues that got messages
 *     arrivals control  dispatcher   control       schedule queues that got messages
 */
import type { ChannelShape } from '../ring/channel.ts';
import type { RingShape } from '../ring/layout.ts';
import type { WakeShape } from '../ring/wake.ts';
import type { StoreOptions } from '../store/options.ts';
import type { RecoveredQueue } from '../store/recovery/recover.ts';

/** Shared by all threads of a broker. */
export interface BrokerShape {
  positions: SharedArrayBuffer;
  /** Region of the queue directory. */
  directory: number;
  store: StoreOptions;
  delayMillis: number[];
  /** What each thread counts (ring/counters.ts). */
  counters: SharedArrayBuffer;
  /** How long network thread and writer stay awake for the next message, µs (`Patience`); 0 = not at all. */
  busyPollMicros: number;
  wakes: {
    writer: WakeShape;
    dispatcher: WakeShape;
    flusher: WakeShape;
    control: WakeShape;
    network: WakeShape[];
  };
}

/** One producer of messages as the writer sees it. */
export interface ProducerShape {
  send: ChannelShape;
  replies: RingShape;
  wake: WakeShape;
  /** Producer and writer are one thread, so that news of answers needs no bell. */
  sameThread: boolean;
}

export interface WriterShape {
  broker: BrokerShape;
  producers: ProducerShape[];
}

export interface DispatcherShape {
  broker: BrokerShape;
  queues: RecoveredQueue[];
  commands: ChannelShape;
  /** One ring per network thread, then control's. */
  arrivals: RingShape[];
  /** A word per ring: set when an arrival could not be told because the ring was full. */
  arrivalsLost: SharedArrayBuffer;
}

export interface FlusherShape {
  broker: BrokerShape;
}

/** What of the engine runs in one thread. */
export interface EngineParts {
  writer?: WriterShape;
  flusher?: FlusherShape;
  dispatcher?: DispatcherShape;
}

export interface NetworkShape {
  broker: BrokerShape;
  index: number;
  /** What of the engine runs in this thread (layouts `merged` and `inline`). */
  inline?: EngineParts;
  send: ChannelShape;
  replies: RingShape;
  linkUp: ChannelShape;
  linkDown: ChannelShape;
  arrivals: RingShape;
  arrivalsLost: SharedArrayBuffer;
  /** Slot `index` holds the version of the last delta applied. */
  versions: SharedArrayBuffer;
  /** One word: connections of all network threads. */
  connections: SharedArrayBuffer;
  settings: NetworkSettings;
}

export interface NetworkSettings {
  /** The advertised address: part of every message id. */
  storeHost: { address: number[]; port: number };
  regionId: string;
  traceOn: boolean;
  clusterName: string;
  /** Seconds without bytes after which a connection is closed. */
  serverChannelMaxIdleTimeSeconds: number;
  /** Connections that all network threads together may have. */
  maxConnections: number;
}

/** Bytes. Sends wait in the send ring while the writer works; a few thousand messages of a KiB. */
export const SEND_RING_BYTES = 4 * 1024 * 1024;
export const LINK_RING_BYTES = 1024 * 1024;
export const ARRIVAL_RING_BYTES = 256 * 1024;
export const COMMAND_RING_BYTES = 1024 * 1024;
/** Sends that a network thread may have under way; a power of two. */
export const PENDING_SENDS = 16 * 1024;
