/**
 * The routing state of a name server: who serves which topic. Every method finishes within the call, so readers never
 * see half a registration.
 */

import { MAX_QUEUE_MAPPINGS, MAX_REGISTERED_BROKERS, MAX_REGISTERED_TOPICS } from '../lib/limits.ts';
import { type ControlLog, noLog } from '../lib/log.ts';
import { PERM_READ_WRITE, PERM_WRITE } from '../metadata/topic-config.ts';
import { tableFull } from '../protocol/request-fields.ts';
import type { ClientConnection } from '../remoting/connection.ts';
import { DisplacedBrokers, restoreTopics, topicsOfBroker } from './displaced.ts';

import { DEFAULT_HEARTBEAT_TIMEOUT_MS, LiveBrokers } from './live-brokers.ts';
import {
  type BrokerData,
  MASTER_ID,
  type QueueData,
  type RegisterBody,
  type RegisteredTopic,
  sameVersion,
  smallestId,
} from './model.ts';
import { TopicTable } from './topic-table.ts';

export interface BrokerIdentity {
  clusterName: string;
  brokerName: string;
  brokerAddr: string;
}

export interface Registration extends BrokerIdentity {
  brokerId: number;
  haServerAddr: string;
  zoneName: string | undefined;
  /** Undefined = the default of 120 s. */
  heartbeatTimeoutMs: number | undefined;
  /** Undefined marks a broker older than 5.0. */
  enableActingMaster: boolean | undefined;
  body: RegisterBody;
}

export interface RegisterOptions {
  connection: ClientConnection;
  /** Monotonic, ms. */
  now: number;
  /** Forget topics of this broker that the registration does not name. */
  deleteMissingTopics: boolean;
}

/** For slaves: where their master is, when it is alive. */
export interface RegisterResult {
  haServerAddr?: string;
  masterAddr?: string;
}

export class Routes {
  readonly topics = new TopicTable();
  readonly live = new LiveBrokers();
  readonly #brokers = new Map<string, BrokerData>();
  readonly #clusters = new Map<string, Set<string>>();
  readonly #displaced = new DisplacedBrokers();
  readonly #log: ControlLog;

  /** `log` hears who comes and goes, and of brokers that take each other's place. */
  constructor(log: ControlLog = noLog) {
    this.#log = log;
  }

  /** By broker name. */
  get brokers(): ReadonlyMap<string, BrokerData> {
    return this.#brokers;
  }

  /** Cluster name to broker names. */
  get clusters(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#clusters;
  }

  /**
   * Undefined = refused: a single topic of an id that has not registered before must be an incremental registration
   * that overtook the full one. A registration that lost to a newer one of the same id changes nothing and succeeds.
   * Throws a RequestError that names the limit, and changes nothing, when a table is full.
   */
  register(registration: Registration, options: RegisterOptions): RegisterResult | undefined {
    const { brokerName, brokerId, brokerAddr, clusterName, body } = registration;
    this.#checkRoom(registration);
    const known = this.#brokers.get(brokerName);
    if (known !== undefined) forgetOtherIds(known, brokerId, brokerAddr);
    if (this.#losesConflict(registration, known)) {
      this.live.delete(clusterName, brokerAddr);
      return {};
    }
    const isNewId = known?.brokerAddrs.has(brokerId) !== true;
    if (isNewId && body.topics.length === 1) return undefined;

    const broker = known ?? this.#createBroker(registration);
    this.#takeOver(registration, broker, options.connection);
    broker.enableActingMaster = registration.enableActingMaster ?? false;
    broker.zoneName = registration.zoneName;
    broker.brokerAddrs.set(brokerId, brokerAddr);
    this.#cluster(clusterName).add(brokerName);
    this.#updateTopics(registration, broker, isNewId, options.deleteMissingTopics);
    if (this.live.get(clusterName, brokerAddr) === undefined) {
      const cluster = { broker: brokerName, brokerId, cluster: clusterName, address: brokerAddr };
      this.#log.info({ ...cluster, topics: body.topics.length }, 'broker registered');
    }
    this.#updateLive(registration, options);
    return brokerId === MASTER_ID ? {} : this.#masterOf(broker, clusterName);
  }

  /** By goodbye, or by silence or a lost connection, which `lost` tells. Unknown brokers are ignored. */
  unregister({ clusterName, brokerName, brokerAddr }: BrokerIdentity, lost?: string): void {
    if (this.live.delete(clusterName, brokerAddr)) {
      const who = { broker: brokerName, cluster: clusterName, address: brokerAddr };
      if (lost === undefined) this.#log.info(who, 'broker unregistered');
      else this.#log.warn({ ...who, reason: lost }, 'broker lost: it is no longer in the routes');
    }
    const broker = this.#brokers.get(brokerName);
    if (broker === undefined) return;
    this.#displaced.forget(brokerName, brokerAddr);
    for (const [id, address] of [...broker.brokerAddrs]) {
      if (address === brokerAddr && !this.#giveBack(broker, id)) broker.brokerAddrs.delete(id);
    }
    if (broker.brokerAddrs.size === 0) {
      this.#removeBroker(broker, clusterName);
    } else if (broker.enableActingMaster && !broker.brokerAddrs.has(MASTER_ID)) {
      this.topics.changePerm(brokerName, (perm) => perm & ~PERM_WRITE);
    }
  }

  /** Adds or replaces queues of one topic. Stops at a broker that nobody has registered. */
  registerTopic(topic: string, queues: Iterable<QueueData>): void {
    const known = [...queues];
    if (!known.every((queue) => this.#brokers.has(queue.brokerName))) return;
    this.#checkTopics(known.filter((queue) => !this.topics.has(topic, queue.brokerName)).length);
    for (const queue of known) this.topics.put(topic, queue);
  }

  deleteTopicInCluster(topic: string, clusterName: string): void {
    for (const brokerName of this.#clusters.get(clusterName) ?? []) this.topics.delete(topic, brokerName);
  }

  /** Number of topics. */
  wipeWritePerm(brokerName: string): number {
    return this.topics.changePerm(brokerName, (perm) => perm & ~PERM_WRITE);
  }

  /** Number of topics. Other permission bits are lost, as in RocketMQ. */
  addWritePerm(brokerName: string): number {
    return this.topics.changePerm(brokerName, () => PERM_READ_WRITE);
  }

  #checkRoom({ clusterName, brokerName, brokerAddr, body }: Registration): void {
    const isNew = this.live.get(clusterName, brokerAddr) === undefined;
    if (isNew && this.live.size >= MAX_REGISTERED_BROKERS) {
      throw tableFull('registered brokers', MAX_REGISTERED_BROKERS, 'MAX_REGISTERED_BROKERS');
    }
    this.#checkTopics(body.topics.filter((topic) => !this.topics.has(topic.topicName, brokerName)).length);
    if (body.mappings.size > 0 && this.topics.mappingCount + body.mappings.size > MAX_QUEUE_MAPPINGS) {
      throw tableFull('queue mappings', MAX_QUEUE_MAPPINGS, 'MAX_QUEUE_MAPPINGS');
    }
  }

  #checkTopics(more: number): void {
    if (this.topics.size + more <= MAX_REGISTERED_TOPICS) return;
    throw tableFull('registered topics', MAX_REGISTERED_TOPICS, 'MAX_REGISTERED_TOPICS');
  }

  /** Another address holds the id, and a controller has elected it later than the one that registers. */
  #losesConflict(registration: Registration, broker: BrokerData | undefined): boolean {
    const holder = broker?.brokerAddrs.get(registration.brokerId);
    if (holder === undefined || holder === registration.brokerAddr) return false;
    const live = this.live.get(registration.clusterName, holder);
    return live !== undefined && live.dataVersion.stateVersion > registration.body.dataVersion.stateVersion;
  }

  /**
   * The id belongs to another address. When nobody lives there any more, or who speaks is the same, the broker has
   * moved. Else two of them have one name: the last one to register is in the routes, as in RocketMQ, and the other one
   * is remembered.
   */
  #takeOver(registration: Registration, broker: BrokerData, connection: ClientConnection): void {
    const { clusterName, brokerName, brokerId, brokerAddr } = registration;
    const holder = broker.brokerAddrs.get(brokerId);
    if (holder === undefined || holder === brokerAddr) return;
    const before = this.#displaced.take(brokerName, brokerId);
    const live = this.live.get(clusterName, holder);
    if (live !== undefined && live.connection !== connection) {
      // Topics are the master's alone.
      const topics = brokerId === MASTER_ID ? topicsOfBroker(this.topics, brokerName) : [];
      this.#displaced.put(broker, brokerId, { clusterName, brokerAddr: holder, topics });
      this.#log.warn(
        { broker: brokerName, brokerId, cluster: clusterName, address: brokerAddr, other: holder },
        'two brokers call themselves by one name: clients are led to this address alone now; ' +
          'set another brokerName for one of them',
      );
    }
    if (before?.brokerAddr === brokerAddr && brokerId === MASTER_ID) {
      restoreTopics(this.topics, brokerName, before.topics);
    }
  }

  /** The holder of the id has gone: who lived in its shadow is back. False when there is nobody. */
  #giveBack(broker: BrokerData, brokerId: number): boolean {
    const { brokerName } = broker;
    const displaced = this.#displaced.take(brokerName, brokerId);
    if (displaced === undefined) return false;
    const { clusterName, brokerAddr, topics } = displaced;
    if (this.live.get(clusterName, brokerAddr) === undefined) return false;
    broker.brokerAddrs.set(brokerId, brokerAddr);
    if (brokerId === MASTER_ID) restoreTopics(this.topics, brokerName, topics);
    this.#log.warn(
      { broker: brokerName, brokerId, address: brokerAddr },
      'the other broker of this name has gone: clients are led to this address again',
    );
    return true;
  }

  #createBroker({ brokerName, clusterName }: Registration): BrokerData {
    const broker: BrokerData = {
      brokerName,
      cluster: clusterName,
      brokerAddrs: new Map(),
      enableActingMaster: false,
      zoneName: undefined,
    };
    this.#brokers.set(brokerName, broker);
    return broker;
  }

  #cluster(name: string): Set<string> {
    const cluster = this.#clusters.get(name) ?? new Set();
    this.#clusters.set(name, cluster);
    return cluster;
  }

  /** Slaves repeat what the master says; only the smallest of them speaks, and only when there is no master. */
  #updateTopics(
    registration: Registration,
    broker: BrokerData,
    isNewId: boolean,
    deleteMissing: boolean,
  ): void {
    const { brokerName, brokerId, clusterName, brokerAddr, body } = registration;
    const knowsActingMaster = registration.enableActingMaster !== undefined;
    const isPrimeSlave = brokerId !== MASTER_ID && knowsActingMaster && brokerId === smallestId(broker);
    if (brokerId !== MASTER_ID && !isPrimeSlave) return;

    if (deleteMissing && body.mappings.size === 0) this.#deleteMissingTopics(brokerName, body.topics);
    const previous = this.live.get(clusterName, brokerAddr)?.dataVersion;
    const changed = isNewId || previous === undefined || !sameVersion(previous, body.dataVersion);
    const permMask = isPrimeSlave && broker.enableActingMaster ? ~PERM_WRITE : ~0;
    for (const topic of body.topics) {
      if (changed || !this.topics.has(topic.topicName, brokerName)) {
        this.topics.put(topic.topicName, queueDataOf(topic, brokerName, permMask));
      }
    }
    if (!changed) return;
    for (const [topic, mapping] of body.mappings) this.topics.putMapping(topic, mapping);
  }

  #deleteMissingTopics(brokerName: string, topics: RegisteredTopic[]): void {
    const named = new Set(topics.map((topic) => topic.topicName));
    for (const topic of this.topics.topicsOf(brokerName)) {
      if (!named.has(topic)) this.topics.delete(topic, brokerName);
    }
  }

  #updateLive(registration: Registration, { connection, now }: RegisterOptions): void {
    const { clusterName, brokerName, brokerAddr, haServerAddr, body } = registration;
    const previous = this.live.get(clusterName, brokerAddr);
    this.live.put({
      clusterName,
      brokerName,
      brokerAddr,
      haServerAddr,
      connection,
      lastHeard: now,
      heartbeatTimeoutMs: registration.heartbeatTimeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS,
      dataVersion: body.dataVersion,
      filterServers: body.filterServers ?? previous?.filterServers ?? [],
    });
  }

  #masterOf(broker: BrokerData, clusterName: string): RegisterResult {
    const masterAddr = broker.brokerAddrs.get(MASTER_ID);
    if (masterAddr === undefined) return {};
    const master = this.live.get(clusterName, masterAddr);
    return master === undefined ? {} : { masterAddr, haServerAddr: master.haServerAddr };
  }

  #removeBroker(broker: BrokerData, clusterName: string): void {
    this.#brokers.delete(broker.brokerName);
    this.topics.deleteBroker(broker.brokerName);
    const cluster = this.#clusters.get(clusterName);
    cluster?.delete(broker.brokerName);
    if (cluster?.size === 0) this.#clusters.delete(clusterName);
  }
}

/** A slave that became master comes back under another id; an address stands for one id only. */
function forgetOtherIds(broker: BrokerData, brokerId: number, brokerAddr: string): void {
  for (const [id, address] of broker.brokerAddrs) {
    if (address === brokerAddr && id !== brokerId) broker.brokerAddrs.delete(id);
  }
}

function queueDataOf(topic: RegisteredTopic, brokerName: string, permMask: number): QueueData {
  const { readQueueNums, writeQueueNums, topicSysFlag } = topic;
  return { brokerName, readQueueNums, writeQueueNums, topicSysFlag, perm: topic.perm & permMask };
}
