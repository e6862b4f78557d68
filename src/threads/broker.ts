/**
 * A whole broker, run by the thread that calls `startBroker`: opens the store, starts the threads below it, serves the
 * control path. Start and stop are one readable function each.
 */
import { closeSync } from 'node:fs';
import type { BrokerContext } from '../broker/context.ts';
import { createHandlers } from '../broker/handlers.ts';
import { keepJournal } from '../broker/journal.ts';
import { Requests } from '../broker/link/link-requests.ts';
import { type LinkEvents, LinkServer } from '../broker/link/link-server.ts';
import type { KeyQueries } from '../broker/query/key-queries.ts';
import { RefusedSends } from '../broker/send/refused-sends.ts';
import { BrokerStats } from '../broker/stats/broker-stats.ts';
import { ControlCalls } from '../broker/stats/control-calls.ts';
import { loadTables, makeTables, saveTables, type Tables } from '../broker/tables.ts';
import { TopicPublisher } from '../broker/topics/topic-publisher.ts';
import { askProducer } from '../broker/transaction/check-back.ts';
import { Announcer } from '../broker/view/announcer.ts';
import { DeliveryLink } from '../delivery/delivery-link.ts';
import type { PopAsk } from '../delivery/pop/pop-link.ts';
import type { HalfCheck } from '../delivery/transaction/context.ts';
import { systemClock } from '../lib/clock.ts';
import { TIMER_TOPIC } from '../lib/names.ts';
import { AUDIT_LINES, LIFE_LINES, QuietLog } from '../lib/quiet-log.ts';
import { systemTimers } from '../lib/timers.ts';
import { addon } from '../native/addon.ts';
import { formatHost } from '../net/addresses.ts';
import { resolveHost } from '../net/hosts.ts';
import type { ChannelSender } from '../ring/channel.ts';
import { CounterSums } from '../ring/counters.ts';
import { APPENDED, FLUSHED } from '../ring/positions.ts';
import { Doorbell } from '../ring/wake.ts';
import { Checkpoints } from '../store/checkpoints.ts';
import { nativeDisk } from '../store/disk/native-disk.ts';
import { storePaths } from '../store/paths.ts';
import { SLAVE_TAKES_NO_MESSAGES } from '../store/put/append-failure.ts';
import type { PutRing } from '../store/put/put-ring.ts';
import { removeDeletedQueues } from '../store/queue/deleted-queues.ts';
import { ReadsByName } from '../store/read/reads-by-name.ts';
import type { Retention } from '../store/retention/retention.ts';
import { Certificates } from '../tls/certificates.ts';
import { type BoundPorts, bindPorts, openPorts } from './bound-ports.ts';
import type { BrokerConfig, ResolvedConfig, RunningBroker } from './config.ts';
import {
  commandsTo,
  makeContext,
  makeKeyQueries,
  makePutRing,
  makeRetention,
  requestWatch,
  storeHostOf,
} from './control/assembly.ts';
import { Delivering } from './control/delivering.ts';
import { Duties } from './control/duties.ts';
import { MetricsPage } from './control/metrics.ts';
import { logOpened, type OpenedStore, openBrokerStore, topologyOf } from './control/opened-store.ts';
import { makeReplication, type Replication } from './control/replication.ts';
import { SlowWatch } from './control/slow-watch.ts';
import { StopSteps, waitWhile } from './control/stop-steps.ts';
import { Engine } from './engine.ts';
import { type EngineThreads, spawnEngineThreads, terminateThreads } from './engine-threads.ts';
import { Jobs } from './jobs/jobs.ts';
import type { Topology } from './topology.ts';

const HALT_WATCH_MS = 50;
const DRAIN_LOOK_MS = 100;

/**
 * Starts a broker; resolves when clients can send and pull. Throws with a sentence for people, and leaves neither
 * ports, nor threads, nor the store's lock behind then. Who knows earlier which threads it needs spawns them earlier.
 */
export async function startBroker(
  config: BrokerConfig,
  threads: EngineThreads = spawnEngineThreads(config),
): Promise<RunningBroker> {
  let ports: BoundPorts | undefined;
  let broker: Broker | undefined;
  try {
    addon.installFaultGuard();
    const warn = (line: string) => config.log.warn({}, line);
    const certificates = new Certificates(config.tls);
    ports = await bindPorts(config, await resolveHost('bindAddress', config.bindAddress, warn));
    config.settings.listenPort = ports.port;
    if (ports.slaves !== undefined) config.replication.haListenPort = ports.slaves.port;
    const brokerIp = await resolveHost('brokerIP1', config.settings.brokerIP1, warn);
    broker = new Broker({ ...config, brokerIp, certificates }, ports.addresses);
    await broker.start(threads, ports);
    return broker;
  } catch (error) {
    await terminateThreads(threads);
    await broker?.giveUp();
    for (const descriptor of openPorts(ports)) closeSync(descriptor);
    throw error;
  }
}

class Broker implements RunningBroker {
  readonly address: string;
  readonly port: number;
  readonly listening: readonly string[];
  readonly ip: string;
  readonly died: Promise<Error>;
  readonly #config: ResolvedConfig;
  /** For everything that clients can cause. */
  readonly #log: QuietLog;
  readonly #audit: QuietLog;
  readonly #refused: RefusedSends;
  readonly #opened: OpenedStore;
  readonly #topology: Topology;
  readonly #tables: Tables;
  readonly #checkpoints: Checkpoints;
  readonly #jobs = new Jobs();
  readonly #reads: ReadsByName;
  readonly #queries: KeyQueries;
  readonly #put: PutRing;
  readonly #calls = new ControlCalls((topic) => this.#tables.topics.isSystemTopic(topic));
  readonly #link: LinkServer;
  readonly #announcer: Announcer;
  readonly #topics: TopicPublisher;
  readonly #delivery: DeliveryLink;
  readonly #deliveryCommands: ChannelSender;
  readonly #delivering: Delivering;
  readonly #duties: Duties;
  readonly #doorbell: Doorbell;
  readonly #replication: Replication;
  #engine: Engine | undefined;
  #reportDeath: (error: Error) => void = () => {};
  #closing: Promise<boolean> | undefined;
  #givenUp: Promise<void> | undefined;

  constructor(config: ResolvedConfig, listening: readonly string[]) {
    this.#config = config;
    this.listening = listening;
    this.ip = config.brokerIp;
    const { settings, store } = config;
    const log = new QuietLog(config.log, systemTimers, LIFE_LINES);
    this.#log = log;
    this.#audit = new QuietLog(config.log.audit ?? config.log, systemTimers, AUDIT_LINES);
    this.#refused = new RefusedSends(config.log, systemClock, systemTimers);
    this.port = settings.listenPort;
    this.address = formatHost(settings.brokerIP1, this.port);
    this.died = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
    const opened = openBrokerStore(config);
    const { positions, ids } = opened;
    this.#opened = opened;
    this.#checkpoints = new Checkpoints({ store: opened.store, positions, timers: systemTimers, log });
    this.#topology = topologyOf(config, opened);
    this.#reads = new ReadsByName(store, positions, opened.directory, ids);
    this.#queries = makeKeyQueries(config, opened, this.#jobs, () => this.#link.mayAnswer);
    this.#put = makePutRing(config, opened, this.#topology);
    const directory = storePaths.config(store.directory);
    this.#tables = makeTables(directory, settings, systemClock, log, systemTimers, ids);
    keepJournal(this.#tables, log);
    const retention = this.#makeRetention();
    const counters = new CounterSums(this.#topology.broker.counters);
    const stats = new BrokerStats(this.#tables, positions, counters, systemClock, this.#reads);
    const served = { reads: this.#reads, queries: this.#queries, put: this.#put, refused: this.#refused };
    const lazy = { delivery: () => this.#delivery, replication: () => this.#replication };
    const context = makeContext(
      config,
      opened,
      this.#tables,
      { ...served, ...lazy, jobs: this.#jobs, retention, counters, days: stats.days },
      (topic) => this.#topics.settled(topic),
    );
    const requests = new Requests(this.#tables, ids, stats, {
      groupName: (id) => this.#announcer.groupName(id),
      topicSettled: (topic) => this.#topics.settled(topic),
      holdBack: (topic) => this.#topics.holdBack(topic),
    });
    this.#link = this.#makeLink(createHandlers(context, requestWatch(config, this.#audit)), requests);
    this.#announcer = new Announcer(this.#tables, opened.levels, (delta) => this.#link.publish(delta));
    this.#deliveryCommands = commandsTo(this.#topology, 'delivery');
    const due = { levels: opened.levels, store, disk: nativeDisk, log };
    this.#delivery = new DeliveryLink(this.#tables, due, this.#deliveryCommands);
    this.#tables.clients.producers.presence.add((presence) => this.#delivery.producers(presence));
    this.#tables.groups.deleted.add((group) => this.#delivery.groupDeleted(group));
    for (const { deleted } of [this.#tables.topics, this.#tables.lites])
      deleted.add((topic) => this.#delivery.topicDeleted(topic));
    this.#tables.lites.deleted.add((queue) => this.#tables.offsets.removeTopic(queue));
    this.#topics = this.#makeTopicPublisher();
    this.#delivering = this.#makeDelivering();
    this.#replication = this.#makeReplication(context);
    const shown = { tables: this.#tables, link: this.#link, announcer: this.#announcer, ...this.#counted };
    this.#duties = new Duties({
      ...{ config, log, retention, stats, reads: this.#reads, ...shown },
      checkpoints: this.#checkpoints,
      newestIn: (topic, queue) =>
        this.#reads.storeTimeAt(topic, queue, this.#reads.maxOffset(topic, queue) - 1),
      routes: context.routes,
      slowWatch: new SlowWatch(config, this.#topology.broker.counters, config.log),
      metrics: new MetricsPage(config, this.#topology, { ...served, ...shown, stats, counters, retention }),
      tellDelivery: () => this.#delivery.tellLimits(),
      replication: this.#replication,
      endOfTurn: () => this.#link.flush(),
    });
    this.#doorbell = new Doorbell(this.#topology.broker.wakes.control, () => this.#rung());
  }

  #makeDelivering(): Delivering {
    return new Delivering({
      ...{ config: this.#config, opened: this.#opened, topology: this.#topology },
      ...{ tables: this.#tables, link: this.#delivery, engine: () => this.#engine },
    });
  }

  #makeReplication(context: BrokerContext): Replication {
    return makeReplication({
      ...{ config: this.#config, log: this.#log, topology: this.#topology },
      ...{ tables: this.#tables, topics: this.#topics, context },
      ...{ store: this.#opened.store, reads: this.#reads, delivery: this.#delivery },
      endOfTurn: () => this.#link.flush(),
      engine: () => this.#engine,
      shape: this.#delivering.actingShape,
      announce: (acts) => {
        this.#announcer.acts(acts);
        return this.#link.applied();
      },
      died: (error) => this.#die(error),
    });
  }

  get #counted() {
    return { calls: this.#calls, figures: this.#delivery.figures };
  }

  #makeRetention(): Retention {
    return makeRetention(
      this.#config,
      this.#opened,
      this.#jobs,
      this.#checkpoints,
      () => this.#logStartMoved(),
      () => this.#delivery.needed(this.#reads),
    );
  }

  #makeLink(handlers: LinkEvents['handlers'], requests: Requests): LinkServer {
    return new LinkServer(this.#topology.networks, {
      ...{ handlers, calls: this.#calls },
      closed: (connection) => {
        this.#tables.clients.connectionClosed(connection.id);
        this.#queries.closed(connection.id);
      },
      progress: (group, queue, commit, pull) => requests.progress(group, queue, commit, pull),
      ensure: (what, reply) => requests.ensure(what, reply),
      subscription: (subscription) => requests.subscription(subscription),
      coldRead: (read) => this.#tables.coldReads.read(read),
      given: (given) => requests.given(given),
      resetTaken: (group, topic, queueId) => void this.#tables.offsets.takeReset(group, topic, queueId),
      mayTake: () => !this.#put.full && !this.#topics.overfull,
      now: systemClock.monotonic,
      log: this.#log,
    });
  }

  async start(threads: EngineThreads, ports: BoundPorts): Promise<void> {
    loadTables(this.#tables, (message) => this.#config.log.warn({}, message));
    this.#tables.lites.load(this.#opened.store.recovered.queues.map(({ topic }) => topic));
    logOpened(this.#config, this.#opened, this.#tables);
    const { ids, directory } = this.#opened;
    this.#delivering.tablesAreLoaded();
    const { isSlave } = this.#topology.broker;
    this.#announcer.settings(!isSlave, isSlave ? SLAVE_TAKES_NO_MESSAGES : '');
    this.#link.flush();
    await this.#replication.prepare();
    // Name servers hear of the broker while its threads come up: who connects already waits in the port's backlog.
    const [engine] = await Promise.all([
      this.#startEngine(threads),
      this.#duties.start(),
      this.#delivery.preparePops(Math.max(0, ...ids.of(TIMER_TOPIC).map((id) => directory.maximum(id)))),
    ]);
    ports.areTaken = true;
    engine.listen(ports.descriptors);
    await this.#replication.start(ports.slaves?.descriptor);
    this.#duties.letIn();
    this.#config.certificates.watch(this.#log, systemTimers, (tls) => engine.useTls(tls));
  }

  async #startEngine(threads: EngineThreads): Promise<Engine> {
    const { positions } = this.#opened;
    const engine = await Engine.start(threads, this.#topology, this.#delivering.shape, positions, {
      ...{ log: this.#log, plainLog: this.#config.log },
      refused: this.#refused.add,
      delivered: this.#delivery.heard,
      check: (check) => this.#ask(check),
      popAsk: (ask) => this.#popAsked(ask),
      escapes: (report) => this.#replication.escapes(report),
      needsDelivery: this.#delivering.begin,
    });
    this.#engine = engine;
    void engine.died.then((error) => this.#die(error));
    await this.#link.applied();
    this.#delivering.beginWhenNeeded(engine);
    return engine;
  }

  #ask(check: HalfCheck): void {
    const broker = { name: this.#config.settings.brokerName, storeHost: storeHostOf(this.#config) };
    askProducer(this.#tables.clients.producers, broker, check);
    this.#delivery.checkTaken();
    this.#link.flush();
  }

  #popAsked(ask: PopAsk): void {
    this.#delivery.asked(ask);
    this.#link.flush();
  }

  get lateMs(): number {
    return this.#duties.lateMs;
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#stopWatched();
    return this.#closing;
  }

  /** A store that halts during a stop rings no bell: what waits for its writer must not hold up the end. */
  async #stopWatched(): Promise<boolean> {
    const watch = setInterval(() => {
      if (!this.#opened.positions.halted) return;
      this.#put.abandon();
      this.#delivery.abandon();
    }, HALT_WATCH_MS);
    try {
      return await this.#stop();
    } finally {
      clearInterval(watch);
    }
  }

  /** Ends everything where it is; the store stays marked as not cleanly closed. */
  giveUp(): Promise<void> {
    this.#givenUp ??= this.#endAll();
    return this.#givenUp;
  }

  async #endAll(): Promise<void> {
    this.#closing = Promise.resolve(false);
    this.#config.certificates.close();
    // Who waits for the threads to come up must hear that they will not.
    this.#link.end();
    this.#checkpoints.end();
    this.#duties.halt();
    this.#queries.end();
    await Promise.all([this.#jobs.terminate(), this.#engine?.terminate(), this.#replication.terminate()]);
    this.#doorbell.close();
    this.#flushLog();
    this.#opened.store.abandon();
  }

  /** Refuse, drain, flush, dispatch, checkpoint, and only then say that the stop was clean. */
  async #stop(): Promise<boolean> {
    const steps = new StopSteps(this.#config.log, systemClock, systemTimers);
    this.#config.certificates.close();
    await steps.wait('the goodbye to the name servers', this.#duties.leave());
    await steps.wait('clients to leave (ringmq.drainTimeMillis)', this.#clientsLeave());
    this.#checkpoints.end();
    await steps.wait('topics that are being deleted', this.#topics.allSettled());
    await steps.wait('a checkpoint', this.#duties.stop());
    await steps.wait('sends that are not answered yet', this.#engine?.refuse() ?? Promise.resolve());
    this.#queries.end();
    await steps.wait('queries and retention', this.#jobs.close());
    await steps.wait('delayed messages that are being delivered', this.#delivering.stop());
    await steps.wait('retries and delayed messages on their way to the log', this.#putsDone());
    await steps.wait(
      'the log to be durable and its queues written',
      this.#engine?.stop() ?? Promise.resolve(),
    );
    await steps.wait('slaves to have the end of the log', this.#replication.stop());
    const { positions } = this.#opened;
    if (!positions.halted && positions.get(FLUSHED) >= positions.get(APPENDED)) this.#delivery.logIsDurable();
    this.#doorbell.close();
    await steps.wait('timers to be saved', this.#delivery.saved());
    await steps.wait('topics, groups and offsets to be saved', saveTables(this.#tables));
    this.#flushLog();
    const queues = storePaths.consumeQueue(this.#config.store.directory);
    // What cannot be removed now is removed by the next run.
    const removed = removeDeletedQueues(queues).catch(() => {});
    await steps.wait('queues of deleted topics to be removed', removed);
    this.#reads.close();
    const { store } = this.#opened;
    const clean = await steps.wait('the last checkpoint', store.close());
    if (!clean && store.problem !== undefined) {
      const line = `the store is not closed cleanly, the next start checks it: ${store.problem}`;
      this.#config.log.error({}, line);
    }
    return clean;
  }

  /** Or have had the time to. */
  async #clientsLeave(): Promise<void> {
    let isDead = false;
    void this.#engine?.died.then(() => {
      isDead = true;
    });
    const goesOn = () => !isDead && this.#link.connected > 0 && !this.#opened.positions.halted;
    await waitWhile(goesOn, this.#config.drainTimeMillis, DRAIN_LOOK_MS);
  }

  /** What is held back, because there is much of it, must not go with the process. */
  #flushLog(): void {
    this.#refused.flush();
    this.#log.flush();
    this.#audit.flush();
  }

  async #putsDone(): Promise<void> {
    while (this.#put.underWay > 0 && !this.#opened.positions.halted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.#rung();
    }
  }

  /** The bell: answers of the writer, requests of clients, news of the first delayed message. */
  #rung(): void {
    this.#put.drain();
    // Before the requests: what waits there may be what kept them waiting.
    this.#topics.flush();
    this.#link.drain();
    this.#queries.serve();
    this.#delivering.hearArrivals();
  }

  #logStartMoved(): void {
    this.#reads.dropDeleted();
    this.#engine?.wakeAll();
  }

  async #die(error: Error): Promise<void> {
    if (this.#closing !== undefined) return;
    await this.giveUp();
    this.#reportDeath(error);
  }

  /** Topics reach the dispatcher and the network threads in the right order. */
  #makeTopicPublisher(): TopicPublisher {
    const { ids, store } = this.#opened;
    const toDispatcher = [commandsTo(this.#topology, 'dispatcher')];
    const toBoth = [...toDispatcher, this.#deliveryCommands];
    const publisher = new TopicPublisher({
      ids,
      commands: () => (this.#engine?.delivers ? toBoth : toDispatcher),
      publish: (delta) => this.#link.publish(delta),
      retireQueues: (queues) => this.#put.retireQueues(queues),
      ended: (topic, position) => this.#checkpoints.ended(topic, position),
      settled: (position, what) => this.#checkpoints.settled(position, what),
      forgetFiles: (queues) => this.#reads.forget(queues),
      endOfTurn: () => this.#link.flush(),
      timers: systemTimers,
      whyLate: (topic) =>
        `topic ${topic} is deleted for all clients; its files go when a checkpoint covers its last message: ` +
        (store.problem ?? 'one is under way'),
    });
    for (const { id } of store.recovered.queues) publisher.knows(id);
    const { topics, lites } = this.#tables;
    topics.changed.add((topic) => publisher.changed(topic));
    lites.made.add((topic) => publisher.changed(topic));
    for (const { deleted } of [topics, lites]) deleted.add((topic) => publisher.deleted(topic));
    return publisher;
  }
}
