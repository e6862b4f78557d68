/**
 * A whole broker, run by the thread that calls `startBroker`: opens the store, starts the threads below it, serves the
 * control path. Start and stop are one readable function each.
 */
import type { BrokerContext } from '../broker/context.ts';
import { DelayLevels } from '../broker/delay/levels.ts';
import { DelayService } from '../broker/delay/service.ts';
import { createHandlers } from '../broker/handlers.ts';
import { systemClock } from '../lib/clock.ts';
import { SCHEDULE_TOPIC } from '../lib/names.ts';
import { systemTimers } from '../lib/timers.ts';
import { UniqueIds } from '../lib/unique-id.ts';
import { addon } from '../native/addon.ts';
import { addressBytes, formatHost } from '../net/addresses.ts';
import { Positions } from '../ring/positions.ts';
import { Slabs } from '../ring/slabs.ts';
import { RingConsumer, RingProducer } from '../ring/spsc-ring.ts';
import { answerDoorbell, wakerOf } from '../ring/wake.ts';
import { nativeDisk } from '../store/disk/native-disk.ts';
import { OpenStore } from '../store/opening.ts';
import { maxRecordBytes } from '../store/options.ts';
import { storePaths } from '../store/paths.ts';
import { createQueueDirectory, QueueDirectory } from '../store/queue/queue-directory.ts';
import type { BrokerConfig, RunningBroker } from './config.ts';
import { Announcer } from './control/announcer.ts';
import { bindPort } from './control/bind.ts';
import { BrokerStats } from './control/broker-stats.ts';
import { Duties } from './control/duties.ts';
import { LinkServer } from './control/link-server.ts';
import { PutRing } from './control/put-ring.ts';
import { QueueIds } from './control/queue-ids.ts';
import { Requests } from './control/requests.ts';
import { Retention } from './control/retention.ts';
import { runtimeFigures } from './control/runtime-figures.ts';
import { createMaintenance } from './control/store-maintenance.ts';
import { ControlReads } from './control/store-reads.ts';
import { loadTables, makeTables, saveTables, type Tables } from './control/tables.ts';
import { TopicPublisher } from './control/topic-publisher.ts';
import { Engine } from './engine.ts';
import { Jobs } from './jobs/jobs.ts';
import { createTopology } from './topology.ts';

/** Starts a broker; resolves when clients can send and pull. Throws with a sentence for people. */
export async function startBroker(config: BrokerConfig): Promise<RunningBroker> {
  addon.installFaultGuard();
  const ports = await bindPorts(config);
  config.settings.listenPort = ports.port;
  const broker = new Broker(config);
  await broker.start(ports.descriptors);
  return broker;
}

async function bindPorts({ bindAddress, settings, vipChannel }: BrokerConfig) {
  const main = await bindPort(bindAddress, settings.listenPort);
  const descriptors = [main.descriptor];
  if (vipChannel) descriptors.push((await bindPort(bindAddress, main.port - 2)).descriptor);
  return { port: main.port, descriptors };
}

class Broker implements RunningBroker {
  readonly address: string;
  readonly port: number;
  readonly died: Promise<Error>;
  readonly #config: BrokerConfig;
  readonly #tables: Tables;
  readonly #positions = new Positions();
  readonly #ids = new QueueIds();
  readonly #jobs = new Jobs();
  readonly #directory: QueueDirectory;
  readonly #store: OpenStore;
  readonly #reads: ControlReads;
  readonly #put: PutRing;
  readonly #link: LinkServer;
  readonly #announcer: Announcer;
  readonly #topics: TopicPublisher;
  readonly #arrivals: RingConsumer;
  readonly #delay: DelayService;
  readonly #duties: Duties;
  readonly #closeDoorbell: () => void;
  readonly #startEngine: () => Promise<Engine>;
  #engine: Engine | undefined;
  #reportDeath: (error: Error) => void = () => {};
  #closing: Promise<boolean> | undefined;

  constructor(config: BrokerConfig) {
    this.#config = config;
    const { settings, store, log } = config;
    this.port = settings.listenPort;
    this.address = formatHost(settings.brokerIP1, this.port);
    this.died = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
    const storeHost = { address: addressBytes(settings.brokerIP1), port: this.port };
    const directory = createQueueDirectory();
    this.#directory = QueueDirectory.attach(directory);
    const levels = new DelayLevels(settings.messageDelayLevel);
    const delayMillis = Array.from({ length: levels.max }, (_, i) => levels.delayOf(i + 1));
    this.#store = OpenStore.open({
      disk: nativeDisk,
      options: store,
      positions: this.#positions,
      directory: this.#directory,
      clock: systemClock,
      delayMillis,
      idOf: (topic, queueId) => this.#ids.idOf(topic, queueId),
      progress: (line) => log.info({}, line),
    });
    const { queues } = this.#store.recovered;
    const topology = createTopology({
      positions: this.#positions.buffer,
      directory,
      store,
      delayMillis,
      networkThreads: config.networkThreads,
      settings: {
        storeHost: { address: [...storeHost.address], port: storeHost.port },
        regionId: settings.regionId,
        traceOn: true,
        clusterName: settings.brokerClusterName,
        serverChannelMaxIdleTimeSeconds: config.serverChannelMaxIdleTimeSeconds,
      },
      queues,
      sharedEngine: config.sharedEngine,
    });
    this.#startEngine = () => Engine.start(topology, this.#positions, config.sharedEngine);
    this.#reads = new ControlReads(store, this.#positions, this.#directory, this.#ids);
    const { wakes } = topology.broker;
    this.#put = new PutRing({
      send: RingProducer.join(topology.control.send, wakerOf(wakes.writer)),
      replies: RingConsumer.join(topology.control.replies, wakerOf(wakes.writer)),
      slabs: new Slabs(topology.control.slabs),
      positions: this.#positions,
      syncFlush: store.flushDiskType === 'SYNC_FLUSH',
      storeHost,
      maxRecord: maxRecordBytes(store),
      queueIdOf: (topic, queueId) => this.#ids.find(topic, queueId),
    });
    this.#tables = makeTables(storePaths.config(store.directory), settings, systemClock, log);
    const retention = new Retention({
      disk: nativeDisk,
      options: store,
      positions: this.#positions,
      clock: systemClock,
      log,
      followLog: () =>
        this.#jobs.followLog({
          positions: this.#positions.buffer,
          directory,
          store,
          queues: [...this.#ids.all()],
        }),
      announce: () => this.#logStartMoved(),
    });
    const started = systemClock.now();
    const uniqueIds = new UniqueIds(storeHost.address);
    const context: BrokerContext = {
      ...this.#tables,
      clock: systemClock,
      store: this.#reads,
      put: this.#put.put,
      maintenance: createMaintenance(retention, this.#tables.topics, this.#ids, this.#reads),
      properties: config.properties,
      uniqueId: () => uniqueIds.next(systemClock.now()),
      runtimeInfo: () => runtimeFigures(this.#reads, retention, store, systemClock, started),
      expressionProblem: () => undefined,
    };
    const stats = new BrokerStats(this.#tables, this.#positions, (topic, queueId) =>
      this.#reads.maxOffset(topic, queueId),
    );
    const requests = new Requests(this.#tables, this.#ids, stats, (id) => this.#announcer.groupName(id));
    this.#link = new LinkServer(topology.networks, {
      handlers: createHandlers(context),
      closed: (connection) => this.#tables.clients.connectionClosed(connection.id),
      progress: (group, queue, commit, pull) => requests.progress(group, queue, commit, pull),
      ensure: (what, reply) => requests.ensure(what, reply),
      subscription: (subscription) => requests.subscription(subscription),
      resetTaken: (group, topic, queueId) => void this.#tables.offsets.takeReset(group, topic, queueId),
      log,
    });
    this.#announcer = new Announcer(this.#tables, (delta) => this.#link.publish(delta));
    this.#topics = new TopicPublisher({
      ids: this.#ids,
      commands: RingProducer.join(topology.dispatcher.commands, wakerOf(wakes.dispatcher)),
      publish: (delta) => this.#link.publish(delta),
      retireQueues: (ids) => this.#put.retireQueues(ids),
      settled: (position) => this.#duties.settled(position),
      forgetFiles: (ids) => this.#reads.forget(ids),
    });
    for (const { id } of queues) this.#topics.knows(id);
    this.#tables.topics.changed.add((topic) => this.#topics.changed(topic));
    this.#tables.topics.deleted.add((topic) => this.#topics.deleted(topic));
    this.#arrivals = RingConsumer.join(
      topology.dispatcher.arrivals[config.networkThreads] as (typeof topology.dispatcher.arrivals)[0],
      wakerOf(wakes.dispatcher),
    );
    this.#delay = new DelayService({
      ...context,
      timers: systemTimers,
      offsets: this.#tables.delayOffsets,
      levels,
    });
    this.#duties = new Duties({
      config,
      tables: this.#tables,
      store: this.#store,
      positions: this.#positions,
      retention,
      stats,
      announcer: this.#announcer,
      endOfTurn: () => this.#link.flush(),
    });
    this.#closeDoorbell = answerDoorbell(wakes.control, () => this.#rung());
  }

  async start(descriptors: number[]): Promise<void> {
    loadTables(this.#tables);
    this.#announcer.settings(true, '');
    this.#link.flush();
    this.#engine = await this.#startEngine();
    void this.#engine.died.then((error) => this.#die(error));
    await this.#link.applied();
    this.#waitForScheduled();
    this.#delay.start();
    await this.#duties.start();
    this.#engine.listen(descriptors);
  }

  close(): Promise<boolean> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  /** Refuse, drain, flush, dispatch, checkpoint, and only then say that the stop was clean. */
  async #stop(): Promise<boolean> {
    await this.#duties.stop();
    await this.#jobs.close();
    await this.#engine?.refuse();
    await this.#delay.stop();
    while (this.#put.underWay > 0 && !this.#positions.halted) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      this.#rung();
    }
    await this.#engine?.stop();
    this.#closeDoorbell();
    await saveTables(this.#tables);
    this.#reads.close();
    return this.#store.close();
  }

  /** The bell: answers of the writer, requests of clients, arrivals in the delay levels' queues. */
  #rung(): void {
    this.#put.drain();
    this.#link.drain();
    while (this.#arrivals.next()) this.#arrived(this.#arrivals.view.getInt32(this.#arrivals.offset, true));
    this.#arrivals.release();
    this.#topics.flush();
  }

  #arrived(queue: number): void {
    const name = this.#ids.nameOf(queue);
    if (name?.topic !== SCHEDULE_TOPIC) return;
    this.#directory.addInterest(queue, this.#config.networkThreads);
    this.#delay.poke(name.queueId + 1);
  }

  /** Asks the dispatcher to tell of every delayed message. */
  #waitForScheduled(): void {
    for (const id of this.#ids.of(SCHEDULE_TOPIC))
      this.#directory.addInterest(id, this.#config.networkThreads);
  }

  #logStartMoved(): void {
    this.#reads.dropDeleted();
    this.#engine?.wakeAll();
  }

  async #die(error: Error): Promise<void> {
    if (this.#closing !== undefined) return;
    this.#closing = Promise.resolve(false);
    await this.#duties.stop();
    await this.#engine?.terminate();
    this.#closeDoorbell();
    this.#store.abandon();
    this.#reportDeath(error);
  }
}
