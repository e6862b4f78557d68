/** What a broker does about a second copy of its log: a master lets slaves in, a slave follows its master. */
import type { BrokerContext } from '../../broker/context.ts';
import { takeBack } from '../../broker/follow/take-back.ts';
import type { Tables } from '../../broker/tables.ts';
import type { TopicPublisher } from '../../broker/topics/topic-publisher.ts';
import { type ActedTimer, keepActed } from '../../delivery/acting/acted-timers.ts';
import type { EscapeReport } from '../../delivery/acting/acting-puts.ts';
import type { DeliveryLink } from '../../delivery/delivery-link.ts';
import { systemClock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { ReplicationStatus } from '../../replication/status.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import type { OpenStore } from '../../store/opening.ts';
import type { ReadsByName } from '../../store/read/reads-by-name.ts';
import { type ResolvedConfig, StartAgain } from '../config.ts';
import type { Topology } from '../topology.ts';
import { Acting } from './acting.ts';
import { ActingDelivery, type ActingDeliveryParts } from './acting-delivery.ts';
import { Following } from './following.ts';
import { Slaves } from './slaves.ts';

export interface Replication {
  readonly status: ReplicationStatus;
  /** To be done before anything is delivered, and before name servers hear of the broker. */
  prepare(): Promise<void>;
  /** `descriptor`: listening, for slaves; undefined = none are let in. */
  start(descriptor: number | undefined): Promise<void>;
  /** What a name server says of the master of this broker's name. */
  masterIs(replicationAddress: string, address: string): void;
  /** The ids of brokers that name servers have of this broker's name. */
  members(ids: readonly number[]): void;
  /** Delivery, on a slave that acts for its master, has a message for another one. */
  escapes(report: EscapeReport): void;
  /** Ends it when slaves that keep up have the whole log. */
  stop(): Promise<void>;
  /** Ends it where it is. */
  terminate(): Promise<void>;
}

export interface ReplicationParts {
  config: ResolvedConfig;
  topology: Topology;
  tables: Tables;
  topics: TopicPublisher;
  log: ControlLog;
  endOfTurn: () => void;
  died: (error: Error) => void;
  store: Pick<OpenStore, 'noteDiverged' | 'noteBeginning' | 'starts'>;
  reads: ReadsByName;

  delivery: Pick<DeliveryLink, 'followTimers' | 'loadActed'> & ActingDeliveryParts['link'];
  engine: ActingDeliveryParts['engine'];
  shape: ActingDeliveryParts['shape'];
  announce: ActingDeliveryParts['announce'];
  context: Pick<BrokerContext, 'maintenance' | 'routes'>;
}

export function makeReplication(parts: ReplicationParts): Replication {
  const { config, topology, tables, topics, log, endOfTurn, died, store, reads, delivery, context } = parts;
  const { replication } = config;
  const shape = { broker: topology.broker, replication };
  const tls = () => config.certificates.client();
  const queueEnd = (topic: string, queueId: number) => reads.maxOffset(topic, queueId);
  if (replication.brokerRole !== 'SLAVE') {
    const { nameServers, settings } = config;
    const name = { clusterName: settings.brokerClusterName, brokerName: settings.brokerName };
    const { directory } = config.store;
    const keepTimers = (acted: readonly ActedTimer[]) => keepActed(nativeDisk, directory, acted, systemClock);
    const takesBack = () => takeBack({ ...name, nameServers, tables, queueEnd, keepTimers, tls, log });
    const prepare = replication.enableSlaveActingMaster ? takesBack : () => Promise.resolve();
    return new Slaves({ shape, log, prepare });
  }
  delivery.loadActed();
  const queues = topology.dispatcher.queues.map(({ topic, queueId }) => ({ topic, queueId }));
  const { engine, shape: shapeOf, announce } = parts;
  const { brokerId, brokerName, brokerClusterName } = config.settings;
  const actingDelivery = new ActingDelivery({
    ...{ engine, link: delivery, shape: shapeOf, announce },
    ...{ log, tls, brokerName, clusterName: brokerClusterName, routes: context.routes },
  });
  const hearsMaster = () => following.hearsMaster;
  const acting = new Acting({ brokerId, hearsMaster, delivery: actingDelivery, log });
  const following: Following = new Following({
    acting: replication.enableSlaveActingMaster ? acting : undefined,
    escapes: actingDelivery.escapes,
    shape: { ...shape, number: topology.follower, queues },
    ...{ tables, log, endOfTurn, died },
    // What a slave has beyond its master is cut by the next opening of its store.
    diverged: (position) => {
      store.noteDiverged(position);
      died(new StartAgain(`the log differs from the master's from ${position} on and is cut there`));
    },
    beginsElsewhere: (position) => {
      store.noteBeginning(position);
      died(new StartAgain(`the master's log begins at ${position}, and the one here is empty and will, too`));
    },
    queueEnd,
    takeTimers: (check) => delivery.followTimers(check),
    purge: async (topic, position) => {
      if (store.starts.purgedTo(topic) < position) await context.maintenance.purgeTopic(topic, position);
    },
    tls,
    nameQueue: async (topic, queueId) => {
      const isNamed = await topics.nameQueue(topic, queueId);
      // So that it goes when its parent or its time does, as at the master, where it may be made anew then.
      if (isNamed) tables.lites.follow(topic);
      return isNamed;
    },
  });
  for (const { deleted } of [tables.topics, tables.lites]) deleted.add((topic) => following.forget(topic));
  return following;
}
