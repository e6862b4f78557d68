/** Making the rings, wakes and regions of a broker, and the shapes that its threads are started with. */

import type { DeliveryShape } from '../delivery/delivery-shape.ts';
import { MAX_FRAME_BYTES } from '../lib/limits.ts';
import { CALL_ROWS } from '../protocol/call-kinds.ts';
import { BLANK_BYTES } from '../record/layout.ts';
import { acknowledgedBy, type ReplicationOptions } from '../replication/options.ts';
import { RAW_HEADER, REPLY_RING_BYTES } from '../ring/append-records.ts';
import { createCallTables, NETWORK_CALLS } from '../ring/call-table.ts';
import { type ChannelShape, createChannel } from '../ring/channel.ts';
import { createCounters } from '../ring/counters.ts';
import { LINK_HEADER } from '../ring/link-records.ts';
import { createRing } from '../ring/spsc-ring.ts';
import type { TraceShape } from '../ring/trace-notes.ts';
import { createWake, type WakeShape } from '../ring/wake.ts';
import type { BrokerShape, DispatcherShape, ParticipantShape, WriterShape } from '../store/engine-shapes.ts';
import type { StoreOptions } from '../store/options.ts';
import { awaitsFlush, maxRecordBytes } from '../store/options.ts';
import type { RecoveredQueue } from '../store/recovery/recover.ts';
import {
  deliversApart,
  type EngineLayout,
  type EngineRole,
  needsOneNetworkThread,
  PLACEMENTS,
} from './engine-layout.ts';
import { CONTROL, DELIVERY, type Participant, participantsOf, REPLICATION } from './participants.ts';
import {
  ARRIVAL_RING_BYTES,
  COMMAND_RING_BYTES,
  LINK_RING_BYTES,
  type NetworkSettings,
  type NetworkShape,
  QUESTION_RING_BYTES,
  SEND_RING_BYTES,
} from './shapes.ts';

/** Frames past 256 KiB in flight per network thread and direction; senders of more wait. */
const SEND_SLABS = 8;
const LINK_SLABS = 4;

export interface Topology {
  engine: EngineLayout;
  broker: BrokerShape;
  networks: NetworkShape[];
  /** Control's number among the participants, and that of a slave's replication. */
  control: number;
  follower: number;
  writer: WriterShape;
  dispatcher: DispatcherShape;
  /** Without what is known only when the tables are loaded. */
  delivery: Pick<DeliveryShape, 'broker' | 'number' | 'commands' | 'questions'>;
}

export interface TopologyParts {
  positions: SharedArrayBuffer;
  directory: number;
  store: StoreOptions;
  replication: ReplicationOptions;
  delayMillis: number[];
  networkThreads: number;
  settings: NetworkSettings;
  queues: RecoveredQueue[];
  engine: EngineLayout;
  busyPollMicros: number;
  slowMillis: number;
  trace?: TraceShape | undefined;
}

export function createTopology(parts: TopologyParts): Topology {
  const { engine, networkThreads } = parts;
  const participants = participantsOf(networkThreads, parts.replication.brokerRole === 'SLAVE');
  const broker = brokerShape(parts, participants);
  const networks = networkShapes(parts, broker);
  const commands = () => createChannel({ ringBytes: COMMAND_RING_BYTES });
  const numberOf = (wanted: string) => participants.findIndex(({ name }) => name === wanted);
  return {
    engine,
    broker,
    networks,
    control: numberOf(CONTROL),
    follower: numberOf(REPLICATION),
    writer: { broker },
    dispatcher: { broker, queues: parts.queues, commands: commands() },
    delivery: {
      broker,
      number: numberOf(DELIVERY),
      commands: commands(),
      questions: networks.map(({ questions }) => questions),
    },
  };
}

function brokerShape(parts: TopologyParts, participants: readonly Participant[]): BrokerShape {
  const { positions, directory, store, delayMillis, networkThreads, engine } = parts;
  const shapes = participants.map((participant) => participantShape(participant, store));
  const network = shapes.slice(0, networkThreads);
  if (needsOneNetworkThread(engine)) for (const shape of network) shape.sameThread = true;
  const shapeOf = (name: string) => shapes.find((shape) => shape.name === name) as ParticipantShape;
  const wakes = engineWakes(engine, network[0]?.wake as WakeShape);
  Object.assign(shapeOf(DELIVERY), { wake: wakes.delivery, sameThread: wakes.delivery === wakes.writer });
  return {
    positions,
    directory,
    store,
    delayMillis,
    isSlave: parts.replication.brokerRole === 'SLAVE',
    acknowledged: acknowledgedBy(store, parts.replication),
    counters: createCounters(networkThreads),
    calls: createCallTables(NETWORK_CALLS + networkThreads, CALL_ROWS),
    // A send that waits for the disk gains nothing, and the core is missed elsewhere (measured).
    busyPollMicros: awaitsFlush(store) ? 0 : parts.busyPollMicros,
    slowMillis: parts.slowMillis,
    ...(parts.trace && { trace: parts.trace }),
    participants: shapes,
    arrivalsLost: new SharedArrayBuffer(4 * shapes.length),
    wakes: {
      ...wakes,
      control: shapeOf(CONTROL).wake,
      replication: shapes.find(({ name }) => name === REPLICATION)?.wake ?? createWake('doorbell'),
      network: network.map(({ wake }) => wake),
    },
  };
}

function participantShape(
  { name, sleeps, requests, hearsSyncs, putsWhenDue }: Participant,
  store: StoreOptions,
) {
  const shape: ParticipantShape = {
    name,
    wake: createWake(sleeps),
    send: sendChannel(store),
    replies: createRing(powerOfTwo(requests * REPLY_RING_BYTES)),
    sameThread: false,
    hearsSyncs,
    putsWhenDue,
    arrivals: createRing(ARRIVAL_RING_BYTES),
  };
  return shape;
}

/** Who shares a thread shares its sleep. */
function engineWakes(engine: EngineLayout, network: WakeShape): Record<EngineRole, WakeShape> {
  const wakes = new Map<EngineRole, WakeShape>();
  for (const role of PLACEMENTS[engine].network) wakes.set(role, network);
  for (const roles of PLACEMENTS[engine].workers) {
    const wake = createWake('park');
    for (const role of roles) wakes.set(role, wake);
  }
  if (deliversApart(engine)) wakes.set('delivery', createWake('park'));
  return Object.fromEntries(wakes) as Record<EngineRole, WakeShape>;
}

function networkShapes({ settings, networkThreads }: TopologyParts, broker: BrokerShape): NetworkShape[] {
  const link = { ringBytes: LINK_RING_BYTES, slabs: LINK_SLABS, slabBytes: LINK_HEADER + MAX_FRAME_BYTES };
  const versions = new SharedArrayBuffer(4 * networkThreads);
  const connections = new SharedArrayBuffer(4);
  return broker.wakes.network.map((_, index) => ({
    broker,
    index,
    linkUp: createChannel(link),
    linkDown: createChannel(link),
    questions: {
      up: createChannel({ ringBytes: QUESTION_RING_BYTES }),
      down: createChannel({ ringBytes: QUESTION_RING_BYTES }),
    },
    versions,
    connections,
    settings,
  }));
}

/** From a participant to the writer. The longest that any sends is what a slave's puts beside a file's unused rest. */
function sendChannel(store: StoreOptions): ChannelShape {
  const slabBytes = RAW_HEADER + maxRecordBytes(store) + BLANK_BYTES;
  return createChannel({ ringBytes: SEND_RING_BYTES, slabs: SEND_SLABS, slabBytes });
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast));
}
