/** What the engine's threads (writer, flusher, dispatcher) are started with: everything here can be posted. */
import type { ChannelShape } from '../ring/channel.ts';
import type { RingShape } from '../ring/layout.ts';
import type { WakeShape } from '../ring/wake.ts';
import type { StoreOptions } from './options.ts';
import type { RecoveredQueue } from './recovery/recover.ts';

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
