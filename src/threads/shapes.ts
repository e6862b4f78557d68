/**
 * What threads are started with: everything here can be posted. The table of channels (rings with slabs for what is
 * large) and plain rings (small records of one size); the participants stand in participants.ts:
 *
 *     channel      sender        receiver
 *     send         participant   writer        messages to append; a slave's replication: what its master has written
 *     link up      network n     control       frames for control, progress, news of connections
 *     link down    control       network n     frames for clients, deltas
 *     commands     control       dispatcher    queues to know or to forget
 *     commands     control       delivery      the same, limits, producer groups, the stop
 *     questions    network n     delivery      ends of transactions, pops, acks
 *     answers      delivery      network n     theirs
 *
 *     ring
 *     replies      writer        participant   where messages went
 *     arrivals     dispatcher    participant   queues that got messages
 */

import type { LinkShape } from '../broker/link/link-shape.ts';
import type { DeliveryShape } from '../delivery/delivery-shape.ts';
import type { QuestionsShape } from '../delivery/question-server.ts';
import type { ReplicationOptions } from '../replication/options.ts';
import type {
  BrokerShape,
  DispatcherShape,
  FlusherShape,
  ParticipantShape,
  WriterShape,
} from '../store/engine-shapes.ts';
import type { ServerTls } from '../tls/settings.ts';

/** What of the engine runs in one thread. */
export interface EngineParts {
  writer?: WriterShape;
  flusher?: FlusherShape;
  dispatcher?: DispatcherShape;
  delivery?: DeliveryShape;
}

export interface NetworkShape extends LinkShape {
  /** What of the engine runs in this thread (layouts `merged` and `inline`). */
  inline?: EngineParts;
  /** To and from the delivery agent. */
  questions: QuestionsShape;
  /** One word: connections of all network threads. */
  connections: SharedArrayBuffer;
  settings: NetworkSettings;
}

/** The thread that feeds slaves. */
export interface MasterShape {
  broker: BrokerShape;
  replication: ReplicationOptions;
}

/** The thread that follows a master. */
export interface SlaveShape extends MasterShape {
  /** Its place among the participants. */
  number: number;
  /** Queues that the dispatcher has been started with. */
  queues: readonly { topic: string; queueId: number }[];
}

/** A network thread's place among the participants. */
export function participantOf({ broker, index }: LinkShape): ParticipantShape {
  return broker.participants[index] as ParticipantShape;
}

export interface NetworkSettings {
  /** The advertised address: part of every message id. */
  storeHost: { address: number[]; port: number };
  brokerName: string;
  regionId: string;
  clusterName: string;
  /** Seconds without bytes after which a connection is closed. */
  serverChannelMaxIdleTimeSeconds: number;
  /** Connections that all network threads together may have. */
  maxConnections: number;
  /** How long a send waits for slaves, ms. */
  slaveTimeout: number;
  tls: ServerTls;
}

/** Bytes. Sends wait in the send ring while the writer works; a few thousand messages of a KiB. */
export const SEND_RING_BYTES = 4 * 1024 * 1024;
export const LINK_RING_BYTES = 1024 * 1024;
export const ARRIVAL_RING_BYTES = 256 * 1024;
/** Questions to the delivery agent, and its answers: each. */
export const QUESTION_RING_BYTES = 512 * 1024;
export const COMMAND_RING_BYTES = 1024 * 1024;
/** Sends that a network thread may have under way; a power of two. */
export const PENDING_SENDS = 16 * 1024;
