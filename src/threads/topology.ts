/** Making the rings, wakes and regions of a broker, and the shapes that its threads are started with. */
import { MAX_FRAME_BYTES, MAX_PUTS } from '../lib/limits.ts';
import { APPEND_HEADER, REPLY_RING_BYTES } from '../ring/append-records.ts';
import { type ChannelShape, createChannel } from '../ring/channel.ts';
import { createCounters } from '../ring/counters.ts';
import type { RingShape } from '../ring/layout.ts';
import { LINK_HEADER } from '../ring/link-records.ts';
import { createRing } from '../ring/spsc-ring.ts';
import { createWake, type WakeShape } from '../ring/wake.ts';
import type { StoreOptions } from '../store/options.ts';
import { awaitsFlush, maxRecordBytes } from '../store/options.ts';
import type { RecoveredQueue } from '../store/recovery/recover.ts';
import { type EngineLayout, needsOneNetworkThread } from './engine-layout.ts';
import {
  ARRIVAL_RING_BYTES,
  type BrokerShape,
  COMMAND_RING_BYTES,
  type DispatcherShape,
  LINK_RING_BYTES,
  type NetworkSettings,
  type NetworkShape,
  PENDING_SENDS,
  type ProducerShape,
  SEND_RING_BYTES,
  type WriterShape,
} from './shapes.ts';

/** Frames past 256 KiB in flight per network thread and direction; senders of more wait. */
const SEND_SLABS = 8;
const LINK_SLABS = 4;
/** Control's own messages, and one record that retires queues of deleted topics. */
const CONTROL_ANSWERS = MAX_PUTS + 1;

export interface Topology {
  engine: EngineLayout;
  broker: BrokerShape;
  networks: NetworkShape[];
  /** Control's own ring to the writer. */
  control: ProducerShape;
  writer: WriterShape;
  dispatcher: DispatcherShape;
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}

function createWakes(engine: EngineLayout, networkThreads: number): BrokerShape['wakes'] {
  const network = Array.from({ length: networkThreads }, () => createWake('doorbell'));
  const writer = needsOneNetworkThread(engine) ? (network[0] as WakeShape) : createWake('park');
  return {
    writer,
    dispatcher: engine === 'dedicated' || engine === 'merged' ? createWake('park') : writer,
    flusher: engine === 'inline' ? writer : createWake('park'),
    control: createWake('doorbell'),
    network,
  };
}

export interface TopologyParts {
  positions: SharedArrayBuffer;
  directory: number;
  store: StoreOptions;
  delayMillis: number[];
  networkThreads: number;
  settings: NetworkSettings;
  queues: RecoveredQueue[];
  engine: EngineLayout;
  busyPollMicros: number;
}

export function createTopology(parts: TopologyParts): Topology {
  const { engine, networkThreads } = parts;
  const broker = brokerShape(parts);
  const arrivals = Array.from({ length: networkThreads + 1 }, () => createRing(ARRIVAL_RING_BYTES));
  const arrivalsLost = new SharedArrayBuffer(4 * arrivals.length);
  const networks = networkShapes(parts, broker, arrivals, arrivalsLost);
  const control: ProducerShape = {
    send: sendChannel(parts.store),
    replies: createRing(powerOfTwo(CONTROL_ANSWERS * REPLY_RING_BYTES)),
    wake: broker.wakes.control,
    sameThread: false,
  };
  const producers = networks.map(
    ({ send, replies }, index): ProducerShape => ({
      send,
      replies,
      wake: broker.wakes.network[index] as ProducerShape['wake'],
      sameThread: needsOneNetworkThread(engine),
    }),
  );
  const dispatcher: DispatcherShape = {
    broker,
    queues: parts.queues,
    commands: createChannel({ ringBytes: COMMAND_RING_BYTES }),
    arrivals,
    arrivalsLost,
  };
  const writer: WriterShape = { broker, producers: [...producers, control] };
  const inline = engine === 'inline' ? { writer, dispatcher, flusher: { broker } } : { writer };
  if (needsOneNetworkThread(engine)) for (const network of networks) network.inline = inline;
  return { engine, broker, networks, control, writer, dispatcher };
}

function brokerShape(parts: TopologyParts): BrokerShape {
  const { positions, directory, store, delayMillis } = parts;
  return {
    positions,
    directory,
    store,
    delayMillis,
    counters: createCounters(parts.networkThreads),
    // A send that waits for the disk gains nothing, and the core is missed elsewhere (measured).
    busyPollMicros: awaitsFlush(store) ? 0 : parts.busyPollMicros,
    wakes: createWakes(parts.engine, parts.networkThreads),
  };
}

function networkShapes(
  { store, settings, networkThreads }: TopologyParts,
  broker: BrokerShape,
  arrivals: readonly RingShape[],
  arrivalsLost: SharedArrayBuffer,
): NetworkShape[] {
  const link = { ringBytes: LINK_RING_BYTES, slabs: LINK_SLABS, slabBytes: LINK_HEADER + MAX_FRAME_BYTES };
  const versions = new SharedArrayBuffer(4 * networkThreads);
  const connections = new SharedArrayBuffer(4);
  return broker.wakes.network.map((_, index) => ({
    broker,
    index,
    send: sendChannel(store),
    replies: createRing(powerOfTwo(PENDING_SENDS * REPLY_RING_BYTES)),
    linkUp: createChannel(link),
    linkDown: createChannel(link),
    arrivals: arrivals[index] as RingShape,
    arrivalsLost,
    versions,
    connections,
    settings,
  }));
}

/** From a producer of messages to the writer. */
function sendChannel(store: StoreOptions): ChannelShape {
  const slabBytes = APPEND_HEADER + maxRecordBytes(store);
  return createChannel({ ringBytes: SEND_RING_BYTES, slabs: SEND_SLABS, slabBytes });
}
