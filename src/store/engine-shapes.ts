/** What the engine's threads (writer, flusher, dispatcher) are started with: everything here can be posted. */
import type { ChannelShape } from '../ring/channel.ts';
import type { RingShape } from '../ring/layout.ts';
import type { TraceShape } from '../ring/trace-notes.ts';
import type { WakeShape } from '../ring/wake.ts';
import type { StoreOptions } from './options.ts';
import type { RecoveredQueue } from './recovery/recover.ts';

/**
 * Who works with the engine from outside: puts messages, hears of messages. Its number, the place in the list of them,
 * is the bit of its interest in queues (`QueueDirectory`), its word in `arrivalsLost` and its position from AWAITED on.
 */
export interface ParticipantShape {
  name: string;
  wake: WakeShape;
  /** To the writer, and its answers. */
  send: ChannelShape;
  replies: RingShape;
  /** It works in the writer's thread, so that news of answers needs no bell. */
  sameThread: boolean;
  /** Every sync is news for it; else those are that cover the position which it says to await. */
  hearsSyncs: boolean;
  /** Its messages get the time at which they are appended, not that of the round. */
  putsWhenDue: boolean;
  /** From the dispatcher: queues that got messages. */
  arrivals: RingShape;
}

/** Shared by all threads of a broker. */
export interface BrokerShape {
  positions: SharedArrayBuffer;
  /** Region of the queue directory. */
  directory: number;
  store: StoreOptions;
  delayMillis: number[];
  /** Its log is a copy of a master's. */
  isSlave: boolean;
  /** The positions that a message must lie before to be acknowledged to a client. */
  acknowledged: number[];
  /** What each thread counts (ring/counters.ts). */
  counters: SharedArrayBuffer;
  /** How long calls took (ring/call-table.ts). */
  calls: SharedArrayBuffer;
  /** How long network thread and writer stay awake for the next message, µs (`Patience`); 0 = not at all. */
  busyPollMicros: number;
  /** Ms from which on a step is slow (`StepClock`); 0 = none is. */
  slowMillis: number;
  participants: ParticipantShape[];
  /** A word per participant: set when an arrival could not be told because its ring was full. */
  arrivalsLost: SharedArrayBuffer;
  wakes: {
    writer: WakeShape;
    dispatcher: WakeShape;
    flusher: WakeShape;
    delivery: WakeShape;
    control: WakeShape;
    network: WakeShape[];
    /** Rings for slaves that are fed: nobody hears it while there are none. */
    replication: WakeShape;
  };
  /** Where its threads note what they do, while somebody follows a message; undefined = nowhere. */
  trace?: TraceShape | undefined;
}

export interface WriterShape {
  broker: BrokerShape;
}

export interface DispatcherShape {
  broker: BrokerShape;
  queues: RecoveredQueue[];
  commands: ChannelShape;
}

export interface FlusherShape {
  broker: BrokerShape;
}
