/** What control does by the clock: name servers, checkpoints, retention, statistics, the tables' own upkeep. */
import { FittingMaster } from '../../broker/follow/fitting-master.ts';
import { SlaveLag } from '../../broker/follow/slave-lag.ts';
import { startMaintenance } from '../../broker/maintenance.ts';
import type { BrokerStats } from '../../broker/stats/broker-stats.ts';
import type { Tables } from '../../broker/tables.ts';
import type { Announcer } from '../../broker/view/announcer.ts';
import { systemClock } from '../../lib/clock.ts';
import { type ControlLog, whyFailed } from '../../lib/log.ts';
import { systemTimers } from '../../lib/timers.ts';
import { formatHost } from '../../net/addresses.ts';
import { NameServerRegistrar } from '../../remoting/name-server-registrar.ts';
import type { TopicRoutes } from '../../remoting/topic-routes.ts';
import type { Checkpoints } from '../../store/checkpoints.ts';
import { storePaths } from '../../store/paths.ts';
import { SLAVE_TAKES_NO_MESSAGES } from '../../store/put/append-failure.ts';
import { removeDeletedQueues } from '../../store/queue/deleted-queues.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { DiskMarks } from '../../store/retention/disk-marks.ts';
import type { Retention } from '../../store/retention/retention.ts';
import type { ResolvedConfig } from '../config.ts';
import type { MetricsPage } from './metrics.ts';
import type { Replication } from './replication.ts';
import type { SlowWatch } from './slow-watch.ts';

const CHECKPOINT_MS = 5_000;
/**
 * With very many queues a checkpoint keeps the disk busy for seconds: the next one then waits ten times as long as it
 * took. A crash costs the dispatching of as much log more.
 */
const CHECKPOINT_REST = 10;
const CHECKPOINT_REST_MAX_MS = 60_000;
const RETENTION_MS = 10_000;
const LITE_TOPICS_MS = 1_000;
/** Control hears four times a second how replication goes. */
const REPLICATION_MS = 250;
const LAG_MS = 1_000;
const MASTER_ID = 0;
const STATS_MS = 10_000;

export interface DutiesParts {
  config: ResolvedConfig;
  /** Bounded in what a name server that comes and goes can have written. */
  log: ControlLog;
  tables: Tables;
  checkpoints: Checkpoints;
  retention: Retention;
  stats: BrokerStats;
  announcer: Announcer;
  reads: Pick<StoreReads, 'maxPhysicalOffset' | 'newestStoreTime'>;
  /** Store time of a queue's last message, ms since the epoch; below 0 when it cannot be said. */
  newestIn: (topic: string, queueId: number) => number;
  /** Closed with the rest. */
  routes: TopicRoutes;
  metrics: MetricsPage;
  slowWatch: SlowWatch;
  /** What name servers say of its name, and how it goes. */
  replication: Pick<Replication, 'masterIs' | 'members' | 'status'>;
  /** Tells the delivery agent of settings that have changed. */
  tellDelivery: () => void;
  /** Sends what was said in this turn to the network threads. */
  endOfTurn: () => void;
}

export class Duties {
  readonly #parts: DutiesParts;
  readonly #diskMarks: DiskMarks;
  readonly #lag: SlaveLag;
  readonly #timers: NodeJS.Timeout[] = [];
  #registrar: NameServerRegistrar | undefined;
  /** Tasks that failed when they ran last. */
  readonly #failing = new Set<string>();
  #stopMaintenance: () => void = () => {};
  /** Ms of the monotonic clock before which none is due. */
  #restsUntil = 0;

  constructor(parts: DutiesParts) {
    this.#parts = parts;
    this.#diskMarks = new DiskMarks(parts.log, parts.config.store);
    this.#lag = new SlaveLag({
      tls: () => parts.config.certificates.client(),
      end: () => parts.reads.maxPhysicalOffset,
      newest: () => parts.reads.newestStoreTime,
    });
  }

  /** Starts everything; resolves after the first registration with the name servers. */
  async start(): Promise<void> {
    const { tables, config } = this.#parts;
    config.properties.changed.add(() => void this.#run('telling settings', () => this.#tellSettings()));
    this.#stopMaintenance = startMaintenance(tables, systemTimers);
    this.#every(CHECKPOINT_MS, 'taking a checkpoint', () => this.#checkpointWhenRested());
    this.#every(RETENTION_MS, 'deleting expired files', () => this.#retain());
    this.#every(RETENTION_MS, 'removing the queues of deleted topics', () => this.#removeDeleted());
    this.#every(LITE_TOPICS_MS, 'deleting lite topics that are over', () =>
      tables.lites.tidy(systemClock, this.#parts.newestIn),
    );
    this.#every(REPLICATION_MS, 'telling how replication goes', () =>
      this.#parts.announcer.replication(this.#parts.replication.status),
    );
    this.#parts.stats.begin();
    this.#parts.slowWatch.start();
    await this.#parts.metrics.open(
      () => this.#parts.replication.status,
      () => this.#lag.behind,
    );
    if (config.metrics.port !== undefined)
      this.#every(LAG_MS, 'asking how far the master is', () => this.#lag.ask());
    this.#every(STATS_MS, 'sampling the statistics', () => this.#parts.stats.sample());
    await this.#run('deleting expired files', () => this.#retain());
    await this.#register();
  }

  /** How long the network thread that is most behind has not come round, ms. */
  get lateMs(): number {
    return this.#parts.slowWatch.lateMs;
  }

  /** Clients are let in from now on. */
  letIn(): void {
    this.#parts.metrics.letIn();
  }

  /** Whoever has copies of settings hears of it before the change is answered. */
  #tellSettings(): void {
    this.#refuseWhenFull();
    this.#parts.tellDelivery();
  }

  /** Ends the periodic work at once: after a death nobody waits for anything. */
  halt(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopMaintenance();
    this.#parts.metrics.close();
    this.#parts.slowWatch.stop();
    this.#parts.routes.close();
    this.#lag.close();
    void this.#registrar?.close();
  }

  /** Takes leave of the name servers: clients that ask them from now on go elsewhere. */
  async leave(): Promise<void> {
    this.#parts.metrics.leave();
    await this.#registrar?.close();
  }

  /** Ends it all. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopMaintenance();
    this.#parts.metrics.close();
    this.#parts.slowWatch.stop();
    this.#parts.routes.close();
    this.#lag.close();
    await this.#parts.checkpoints.idle();
  }

  #every(ms: number, what: string, task: () => unknown): void {
    const timer = setInterval(() => void this.#run(what, task), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  /** A task that fails is reported once, and once more when it works again: it goes on in its rhythm. */
  async #run(what: string, task: () => unknown): Promise<void> {
    const { log } = this.#parts;
    try {
      await task();
      if (this.#failing.delete(what)) log.info({}, `${what} works again`);
    } catch (error) {
      if (!this.#failing.has(what))
        log.error(whyFailed(error), `${what} failed, tried again with the next round`);
      this.#failing.add(what);
    }
    this.#parts.endOfTurn();
  }

  #removeDeleted(): Promise<void> {
    const { config } = this.#parts;
    return removeDeletedQueues(storePaths.consumeQueue(config.store.directory));
  }

  async #checkpointWhenRested(): Promise<void> {
    const start = systemClock.monotonic();
    if (start < this.#restsUntil) return;
    await this.#parts.checkpoints.take();
    const end = systemClock.monotonic();
    this.#restsUntil = end + Math.min((end - start) * CHECKPOINT_REST, CHECKPOINT_REST_MAX_MS);
  }

  async #retain(): Promise<void> {
    try {
      await this.#parts.retention.run();
    } finally {
      // Also when nothing could be deleted, and then all the more.
      this.#refuseWhenFull();
    }
  }

  #refuseWhenFull(): void {
    const { retention, announcer, config } = this.#parts;
    const ratio = retention.diskRatio();
    this.#diskMarks.note(ratio);
    if (config.replication.brokerRole === 'SLAVE') {
      announcer.settings(false, SLAVE_TAKES_NO_MESSAGES);
      return;
    }
    const percent = Math.floor(ratio * 100);
    const { startAcceptSendRequestTimeStamp } = this.#parts.tables.settings;
    if (systemClock.now() < startAcceptSendRequestTimeStamp) {
      const from = new Date(startAcceptSendRequestTimeStamp).toISOString();
      announcer.settings(
        false,
        `service not available now: startAcceptSendRequestTimeStamp says from ${from} on.`,
      );
      return;
    }
    announcer.settings(
      !retention.refusesWrites(ratio),
      `service not available now. The disk of the store is ${percent} % full: free some space or lower fileReservedTime.`,
    );
  }

  async #register(): Promise<void> {
    const { config, tables, log } = this.#parts;
    const { settings, nameServers } = config;
    if (nameServers.length === 0) return;
    this.#registrar = new NameServerRegistrar({
      addresses: nameServers,
      broker: {
        clusterName: settings.brokerClusterName,
        brokerName: settings.brokerName,
        brokerId: settings.brokerId,
        brokerAddr: formatHost(settings.brokerIP1, settings.listenPort),
        haServerAddr: formatHost(settings.brokerIP1, config.replication.haListenPort),
        enableActingMaster: config.replication.enableSlaveActingMaster,
      },
      topics: (names) => this.#snapshot(names),
      ...this.#onNameServer(),
      onOrderTopicConfig: (table) => tables.topics.markOrdered(table.keys()),
      tls: () => config.certificates.client(),
      log,
    });
    const registrar = this.#registrar;
    tables.topics.changed.add((topic) => void registrar.topicsChanged([topic.topicName]));
    tables.topics.deleted.add((topic) => void registrar.topicsChanged([topic]));
    await registrar.start();
  }

  /** What becomes of a name server's word: a slave looks whether that master can be its own. */
  #onNameServer() {
    const { config, log, replication } = this.#parts;
    const { brokerClusterName } = config.settings;
    const { mappedFileSizeCommitLog } = config.store;
    const isSlave = config.replication.brokerRole === 'SLAVE';
    const tls = () => config.certificates.client();
    const masterIs = (slaves: string, clients: string) => replication.masterIs(slaves, clients);
    const ask = () => void this.#registrar?.registerNow();
    const fitting = new FittingMaster({
      brokerClusterName,
      mappedFileSizeCommitLog,
      tls,
      log,
      masterIs,
      ask,
    });
    return {
      onMaster: (slaves: string, clients: string) => {
        if (!isSlave) return;
        void fitting.told(slaves, clients);
        this.#lag.follow(clients);
      },
      onMembers: (members: ReadonlyMap<number, string>) => {
        replication.members([...members.keys()]);
        if (isSlave) void fitting.seen(members.get(MASTER_ID) ?? '');
      },
    };
  }

  /** The broker's own permission limits what is registered, as RocketMQ does. */
  #snapshot(names?: ReadonlySet<string>) {
    const { topics, settings } = this.#parts.tables;
    const wanted = [...topics.all()].filter((topic) => names === undefined || names.has(topic.topicName));
    const limited = wanted.map((topic) =>
      settings.brokerPermission === 6 ? topic : { ...topic, perm: topic.perm & settings.brokerPermission },
    );
    const topicQueueMappingInfoMap = topics.mappings.infos((topic) => names?.has(topic) ?? true);
    return { ...topics.toJson(limited), topicQueueMappingInfoMap };
  }
}
