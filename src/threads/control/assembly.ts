/** How control's parts are put together; each function makes one of them. */

import { rm } from 'node:fs/promises';
import { createMaintenance } from '../../broker/admin/store-maintenance.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { leftToMaster } from '../../broker/follow/masters-only.ts';
import type { RequestWatch } from '../../broker/handlers.ts';
import { putInSavedTopics } from '../../broker/put-in-saved-topics.ts';
import { KeyQueries } from '../../broker/query/key-queries.ts';
import { ReplyPushes } from '../../broker/reply/reply-pushes.ts';
import type { RefusedSends } from '../../broker/send/refused-sends.ts';
import type { DayTotals } from '../../broker/stats/day-totals.ts';
import { runtimeFigures } from '../../broker/stats/runtime-figures.ts';
import { BROKER_TIMER_OUT_NUMS, TOPIC_PUT_NUMS } from '../../broker/stats/stats.ts';
import type { Tables } from '../../broker/tables.ts';
import type { DeliveryLink } from '../../delivery/delivery-link.ts';
import { timingByTopic } from '../../delivery/timing-by-topic.ts';
import { ByteBudget } from '../../lib/byte-budget.ts';
import { systemClock } from '../../lib/clock.ts';
import { MAX_CHANNEL_BACKLOG_BYTES, MAX_SEND_BACK_BYTES } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { systemTimers } from '../../lib/timers.ts';
import { UniqueIds } from '../../lib/unique-id.ts';
import { addressBytes } from '../../net/addresses.ts';
import type { HostAddress } from '../../record/message-id.ts';
import { TopicRoutes } from '../../remoting/topic-routes.ts';
import { ChannelSender } from '../../ring/channel.ts';
import type { CounterSums } from '../../ring/counters.ts';
import { AWAITED } from '../../ring/positions.ts';
import { RingConsumer } from '../../ring/spsc-ring.ts';
import { wakerOf } from '../../ring/wake.ts';
import { Watermark } from '../../ring/watermark.ts';
import type { Checkpoints } from '../../store/checkpoints.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import type { ParticipantShape } from '../../store/engine-shapes.ts';
import { confirmedBy, maxRecordBytes } from '../../store/options.ts';
import { PutRing } from '../../store/put/put-ring.ts';
import type { ReadsByName } from '../../store/read/reads-by-name.ts';
import type { FollowLogInput } from '../../store/retention/follow-log.ts';
import { type NeededRecord, Retention } from '../../store/retention/retention.ts';
import { TopicPurge } from '../../store/retention/topic-purge.ts';
import type { BrokerConfig, ResolvedConfig } from '../config.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Topology } from '../topology.ts';
import type { OpenedStore } from './opened-store.ts';
import type { Replication } from './replication.ts';

export function makePutRing(config: ResolvedConfig, opened: OpenedStore, topology: Topology): PutRing {
  const { store } = config;
  const { broker, control } = topology;
  const { send, replies } = broker.participants[control] as ParticipantShape;
  const wakeWriter = wakerOf(broker.wakes.writer);
  return new PutRing({
    writer: ChannelSender.join(send, wakeWriter),
    replies: RingConsumer.join(replies, wakeWriter),
    positions: opened.positions,
    awaited: AWAITED + control,
    confirmed: new Watermark(opened.positions, confirmedBy(store)),
    storeHost: storeHostOf(config),
    shown: 'soon',
    maxRecord: maxRecordBytes(store),
    queueIdOf: (topic, queueId) => opened.ids.find(topic, queueId),
  });
}

/** The advertised address: part of every message id. */
export function storeHostOf({ brokerIp, settings }: ResolvedConfig): HostAddress {
  return { address: addressBytes(brokerIp), port: settings.listenPort };
}

export function makeRetention(
  config: BrokerConfig,
  opened: OpenedStore,
  jobs: Jobs,
  checkpoints: Checkpoints,
  announce: () => void,
  needed: () => readonly NeededRecord[],
): Retention {
  return new Retention({
    disk: nativeDisk,
    options: config.store,
    positions: opened.positions,
    clock: systemClock,
    log: config.log,
    removeFile: (path) => rm(path, { force: true }),
    followLog: () => followLog(config, opened, jobs, [...opened.ids.all()]),
    mayGo: (position, forced) => (forced ? checkpoints.queuesDurable(position) : checkpoints.cover(position)),
    announce,
    needed,
  });
}

function followLog(
  { store }: BrokerConfig,
  { positions, directoryRegion: directory, store: { starts } }: OpenedStore,
  jobs: Jobs,
  queues: FollowLogInput['queues'],
): Promise<void> {
  return jobs.followLog({ positions: positions.buffer, directory, store, queues, purges: starts.purges });
}

/** Purges move the same minima as retention does, by the same job. */
function makePurge(config: BrokerConfig, opened: OpenedStore, jobs: Jobs): TopicPurge {
  const { store, positions, ids } = opened;
  const follow = (queues: FollowLogInput['queues']) => followLog(config, opened, jobs, queues);
  return new TopicPurge({ store, positions, ids, timers: systemTimers, follow });
}

/** Looking messages up by key has a thread of its own; `mayStart`: whether one more answer can be carried. */
export function makeKeyQueries(
  config: BrokerConfig,
  opened: OpenedStore,
  jobs: Jobs,
  mayStart: () => boolean,
): KeyQueries {
  const shared = {
    positions: opened.positions.buffer,
    directory: opened.directoryRegion,
    store: config.store,
  };
  return new KeyQueries(
    (query) => jobs.findByKey({ ...shared, query, topicStart: opened.store.starts.of(query.topic) }),
    mayStart,
  );
}

/** What name servers tell of topics that others have too. */
function makeTopicRoutes({ nameServers, certificates, settings }: ResolvedConfig): TopicRoutes {
  return new TopicRoutes({
    addresses: nameServers,
    tls: () => certificates.client(),
    clock: systemClock,
    lifetimeMs: () => settings.loadBalancePollNameServerInterval,
  });
}

/** What the context is made of besides the tables. */
export interface ContextParts {
  reads: ReadsByName;
  queries: KeyQueries;
  put: PutRing;
  retention: Retention;
  jobs: Jobs;
  counters: CounterSums;
  days: DayTotals;
  refused: RefusedSends;
  delivery: () => Pick<DeliveryLink, 'timersRead' | 'timerCheck' | 'liteFigures' | 'acted' | 'figures'>;
  replication: () => Pick<Replication, 'status'>;
}

/** What request handlers work with. */
export function makeContext(
  config: ResolvedConfig,
  opened: OpenedStore,
  tables: Tables,
  parts: ContextParts,
  topicSettled: (topic: string) => Promise<void>,
): BrokerContext {
  const { reads, put, retention } = parts;
  const purge = makePurge(config, opened, parts.jobs);
  const purges = () => opened.store.starts.purges;
  const started = systemClock.monotonic();
  const uniqueIds = new UniqueIds(addressBytes(config.brokerIp));
  return {
    ...tables,
    levels: opened.levels,
    clock: systemClock,
    routes: makeTopicRoutes(config),
    store: reads,
    queries: parts.queries,
    put: putInSavedTopics(tables.topics, put.put),
    storeHost: storeHostOf(config),
    sendBacks: new ByteBudget(MAX_SEND_BACK_BYTES),
    pushes: new ReplyPushes(),
    maintenance: createMaintenance(retention, purge, purges, tables.topics, opened.ids, reads),
    properties: config.properties,
    refusedSend: parts.refused.add,
    topicSettled,
    timerCheck: () => parts.delivery().timerCheck,
    timing: () => timingByTopic(parts.delivery().figures, tables.topics.all()),
    acted: { part: (first, count) => parts.delivery().acted.part(first, count) },
    liteFigures: (ask) => parts.delivery().liteFigures(ask),
    uniqueId: () => uniqueIds.next(systemClock.now()),
    replication: () => parts.replication().status,
    masterFlushed: opened.store,
    runtimeInfo: () => {
      const timersPut = () => tables.stats.tps(TOPIC_PUT_NUMS, TIMER_TOPIC);
      const timersRead = () => parts.delivery().timersRead;
      const cluster = tables.settings.brokerClusterName;
      const timersOut = () => tables.stats.tps(BROKER_TIMER_OUT_NUMS, cluster);
      const timers = { timersRead, timersPut, timersOut };
      return runtimeFigures({ ...parts, ...timers, store: config.store, clock: systemClock, started });
    },
  };
}

/** What is done around each request: an audit, a look at the time, and what a slave leaves to its master. */
export function requestWatch({ replication, slowMillis }: BrokerConfig, audit: ControlLog): RequestWatch {
  return { audit, slowMillis, leave: replication.brokerRole === 'SLAVE' ? leftToMaster : undefined };
}

/** Control's channel to an agent of the engine. */
export function commandsTo(topology: Topology, role: 'dispatcher' | 'delivery'): ChannelSender {
  const wake = wakerOf(topology.broker.wakes[role]);
  return ChannelSender.join(topology[role].commands, wake, MAX_CHANNEL_BACKLOG_BYTES);
}

/** What the dispatcher tells control of messages in queues. */
export function joinArrivals({ broker, control }: Topology): RingConsumer {
  const { arrivals } = broker.participants[control] as ParticipantShape;
  return RingConsumer.join(arrivals, wakerOf(broker.wakes.dispatcher));
}
