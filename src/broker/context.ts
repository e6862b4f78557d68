/** Everything that request handlers may reach. The wiring makes one per broker; tests make one of fakes. */
import type { ClientTable } from '../clients/clients.ts';
import type { QueueLocks } from '../clients/queue-locks.ts';
import type { ActedTimers } from '../delivery/acting/acted-timers.ts';
import type { DelayLevels } from '../delivery/delay/levels.ts';
import type { LiteAsk, LiteFigures } from '../delivery/lite/lite-figures.ts';
import type { ByteBudget } from '../lib/byte-budget.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listeners } from '../lib/listeners.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Asker } from '../metadata/config-table.ts';
import type { ConsumerFilters } from '../metadata/consumer-filters.ts';
import type { DataVersionJson } from '../metadata/data-version.ts';
import type { DelayOffsets } from '../metadata/delay-offsets.ts';
import type { GroupTable } from '../metadata/groups.ts';
import type { LiteTopics } from '../metadata/lite-topics.ts';
import type { OffsetTable } from '../metadata/offsets.ts';
import type { OrderInfos } from '../metadata/order-infos.ts';
import type { RequestModes } from '../metadata/request-modes.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { TopicTable } from '../metadata/topics.ts';
import { formatHost } from '../net/addresses.ts';
import { requestName } from '../protocol/codes.ts';
import type { RemotingCommand } from '../protocol/command.ts';
import type { HostAddress } from '../record/message-id.ts';
import type { ClientConnection, Reply } from '../remoting/connection.ts';
import type { TopicRoutes } from '../remoting/topic-routes.ts';
import type { ReplicationStatus } from '../replication/status.ts';
import type { PutMessage } from '../store/put/put-message.ts';
import type { StoreReads } from '../store/read/store-reads.ts';
import type { Purges } from '../store/topic-starts.ts';
import type { ColdReads } from './cold/cold-reads.ts';
import type { KeyQueries } from './query/key-queries.ts';
import type { ReplyPushes } from './reply/reply-pushes.ts';
import type { RefusedSend } from './send/refused-sends.ts';
import type { StatsTable } from './stats/stats.ts';

/** Cleaning that an operator asks the store for. Each resolves when it is done. */
export interface StoreMaintenance {
  /** Removes ConsumeQueues whose messages are all gone. */
  cleanExpiredQueues(): Promise<void>;
  /** Removes CommitLog files past their retention now instead of at the set hour. */
  deleteExpiredFiles(): Promise<void>;
  /** Lets the queues of a topic begin behind all messages that it has now, or has before a position of the log. */
  purgeTopic(topic: string, position?: number): Promise<void>;
  /** Up to where topics are purged. */
  purges(): Purges;
  /** Removes the ConsumeQueues of topics that are not in `keep`. */
  cleanUnusedTopics(keep: ReadonlySet<string>): Promise<void>;
}

/** The broker's whole configuration by property name, as `broker.conf` and requests 25 and 26 know it. */
export interface BrokerProperties {
  all(): Iterable<readonly [string, string]>;
  /** Applies and stores all changes or none. Throws when a name is unknown or fixed, or a value does not fit. */
  update(changes: ReadonlyMap<string, string>): void;
  /** After changes were applied, before whoever asked for them is answered. */
  readonly changed: Listeners<void>;
  readonly version: DataVersionJson;
}

export interface BrokerContext {
  readonly replication: () => ReplicationStatus;
  /** Of the checkpoint: how far the master was flushed, as an operator has told a slave. */
  readonly masterFlushed: { masterFlushedOffset: number };
  readonly settings: BrokerSettings;
  /** `messageDelayLevel`, read once: it cannot change while the broker runs. */
  readonly levels: DelayLevels;
  readonly clock: Clock;
  readonly log: ControlLog;
  readonly topics: TopicTable;
  readonly lites: LiteTopics;
  readonly groups: GroupTable;
  readonly offsets: OffsetTable;
  readonly delayOffsets: DelayOffsets;
  /** What groups have told of their SQL filters. */
  readonly filters: ConsumerFilters;
  readonly requestModes: RequestModes;
  /** The queues of topics on all brokers. */
  readonly routes: TopicRoutes;
  readonly clients: ClientTable;
  readonly orders: OrderInfos;
  readonly locks: QueueLocks;
  readonly stats: StatsTable;
  readonly coldReads: ColdReads;
  readonly store: StoreReads;
  readonly queries: KeyQueries;
  readonly maintenance: StoreMaintenance;
  readonly put: PutMessage;
  /** Part of every message id. */
  readonly storeHost: HostAddress;
  /** Bytes of stored messages that consumers have given back and that are on their way into the log again. */
  readonly sendBacks: ByteBudget;
  /** Replies on their way to who waits for them. */
  readonly pushes: ReplyPushes;
  readonly properties: BrokerProperties;
  /** Tells of a send that control has refused. */
  refusedSend(refused: RefusedSend): void;
  /** config/timercheck as it is on disk; undefined where there was never a timed message. */
  timerCheck(): Uint8Array | undefined;
  /** How many timed messages wait, by topic. */
  timing(): Iterable<readonly [topic: string, count: number]>;
  /** Of a slave: timed messages that it has delivered while it acted for its master. */
  acted: Pick<ActedTimers, 'part'>;
  /** What only the owner of pops knows of lite topics. */
  liteFigures(ask: LiteAsk): Promise<LiteFigures>;
  /** Resolves when a topic's deletion is complete, so that one of its name may be made again. */
  topicSettled(topic: string): Promise<void>;
  /** A unique message id for a message that came without one. */
  uniqueId(): string;
  /** Figures for request 28 that only the wiring knows (disk, rates, backlog); they win over the defaults. */
  runtimeInfo(): Iterable<readonly [string, string]>;
}

/** One request code's meaning. Throws RequestError to answer a code and remark; any other error becomes code 1. */
export type BrokerHandler = (
  context: BrokerContext,
  request: RemotingCommand,
  connection: ClientConnection,
) => Reply | Promise<Reply>;

/** Whoever sent the request, as the log names him. */
export function askerOf(request: RemotingCommand, connection: ClientConnection): Asker {
  return { client: connection.remoteAddress, request: requestName(request.code) };
}

/** `ip:port` as advertised to clients. */
export function brokerAddress(settings: BrokerSettings): string {
  return formatHost(settings.brokerIP1, settings.listenPort);
}
