/** Making the rings, wakes and regions of a broker, and the shapes that its threads are started with. */
import { REPLY_RING_BYTES } from '../ring/append-records.ts';
import { createSlabs } from '../ring/slabs.ts';
import { createRing } from '../ring/spsc-ring.ts';
import { createWake, type WakeShape } from '../ring/wake.ts';
import type { StoreOptions } from '../store/options.ts';
import { maxRecordBytes } from '../store/options.ts';
import type { RecoveredQueue } from '../store/recovery/recover.ts';
import { MAX_PUTS } from './control/put-ring.ts';
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
/** A frame is at most 16 MiB. */
const LINK_SLAB_BYTES = 16 * 1024 * 1024;

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
    flusher: engine === 'shared' || engine === 'inline' ? writer : createWake('park'),
    control: createWake('doorbell'),
    network,
  };
}

export function createTopology(given: {
  positions: SharedArrayBuffer;
  directory: number;
  store: StoreOptions;
  delayMillis: number[];
  networkThreads: number;
  settings: NetworkSettings;
  queues: RecoveredQueue[];
  engine: EngineLayout;
  busyPollMicros: number;
}): Topology {
  const { engine, networkThreads, store } = given;
  const broker: BrokerShape = {
    positions: given.positions,
    directory: given.directory,
    store,
    delayMillis: given.delayMillis,
    // A send that waits for the disk gains nothing, and the core is missed elsewhere (measured).
    busyPollMicros: store.flushDiskType === 'SYNC_FLUSH' ? 0 : given.busyPollMicros,
    wakes: createWakes(engine, networkThreads),
  };
  const arrivals = Array.from({ length: networkThreads + 1 }, () => createRing(ARRIVAL_RING_BYTES));
  const arrivalsLost = new SharedArrayBuffer(4 * arrivals.length);
  const versions = new SharedArrayBuffer(4 * networkThreads);
  const slabBytes = maxRecordBytes(store);
  const networks = broker.wakes.network.map(
    (_, index): NetworkShape => ({
      broker,
      index,
      send: createRing(SEND_RING_BYTES),
      replies: createRing(powerOfTwo(PENDING_SENDS * REPLY_RING_BYTES)),
      slabs: createSlabs(SEND_SLABS, slabBytes),
      linkUp: createRing(LINK_RING_BYTES),
      linkUpSlabs: createSlabs(LINK_SLABS, LINK_SLAB_BYTES),
      linkDown: createRing(LINK_RING_BYTES),
      linkDownSlabs: createSlabs(LINK_SLABS, LINK_SLAB_BYTES),
      arrivals: arrivals[index] as NetworkShape['arrivals'],
      arrivalsLost,
      versions,
      settings: given.settings,
    }),
  );
  const control: ProducerShape = {
    send: createRing(SEND_RING_BYTES),
    replies: createRing(powerOfTwo(MAX_PUTS * REPLY_RING_BYTES)),
    slabs: createSlabs(SEND_SLABS, slabBytes),
    wake: broker.wakes.control,
    sameThread: false,
  };
  const producers = networks.map(
    ({ send, replies, slabs }, index): ProducerShape => ({
      send,
      replies,
      slabs,
      wake: broker.wakes.network[index] as ProducerShape['wake'],
      sameThread: needsOneNetworkThread(engine),
    }),
  );
  const dispatcher: DispatcherShape = {
    broker,
    queues: given.queues,
    commands: createRing(COMMAND_RING_BYTES),
    arrivals,
    arrivalsLost,
  };
  const writer: WriterShape = { broker, producers: [...producers, control] };
  const inline = engine === 'inline' ? { writer, dispatcher, flusher: { broker } } : { writer };
  if (needsOneNetworkThread(engine)) for (const network of networks) network.inline = inline;
  return { engine, broker, networks, control, writer, dispatcher };
}
