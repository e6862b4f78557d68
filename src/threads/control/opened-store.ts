/** A broker's store after opening: recovered, locked, with everything that its threads share. */

import type { Tables } from '../../broker/tables.ts';
import { DelayLevels } from '../../delivery/delay/levels.ts';
import { systemClock } from '../../lib/clock.ts';
import { addressBytes } from '../../net/addresses.ts';
import { APPENDED, LOG_START, Positions } from '../../ring/positions.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import { OpenStore } from '../../store/opening.ts';
import { createQueueDirectory, QueueDirectory } from '../../store/queue/queue-directory.ts';
import { QueueIds } from '../../store/queue/queue-ids.ts';
import type { BrokerConfig, ResolvedConfig } from '../config.ts';
import { createTopology, type Topology } from '../topology.ts';
import { warnOfLittleRoom } from './room-check.ts';

export interface OpenedStore {
  readonly store: OpenStore;
  readonly positions: Positions;
  readonly ids: QueueIds;
  readonly directory: QueueDirectory;
  readonly directoryRegion: number;
  readonly levels: DelayLevels;
  /** How long opening took. */
  readonly ms: number;
}

/** Opens and recovers the store; throws with a sentence for people. */
export function openBrokerStore(config: BrokerConfig): OpenedStore {
  const began = systemClock.monotonic();
  const positions = new Positions();
  const ids = new QueueIds();
  const directoryRegion = createQueueDirectory();
  const directory = QueueDirectory.attach(directoryRegion);
  const levels = new DelayLevels(config.settings.messageDelayLevel);
  const store = OpenStore.open({
    disk: nativeDisk,
    options: config.store,
    positions,
    directory,
    clock: systemClock,
    delayMillis: delaysOf(levels),
    idOf: (topic, queueId) => ids.idOf(topic, queueId),
    queues: () => ids.all(),
    progress: (line, fields = {}) => config.log.info(fields, line),
    warn: (line, fields = {}) => config.log.warn(fields, line),
    notClean: (fields) =>
      config.log.warn(fields, 'the last run did not stop cleanly: checking the log from its last checkpoint'),
  });
  warnOfLittleRoom(config.store, config.log);
  const ms = Math.round(systemClock.monotonic() - began);
  return { store, positions, ids, directory, directoryRegion, levels, ms };
}

/** What was found: one line, and one more when the last run had not ended as it should. */
export function logOpened(
  { store: { directory }, log }: BrokerConfig,
  { store: { recovered }, positions, ms }: OpenedStore,
  { topics, groups }: Pick<Tables, 'topics' | 'groups'>,
): void {
  const { queues, clean, checked } = recovered;
  if (!clean) log.info({ ...checked, ms }, 'the log was checked: queues and index are complete again');
  const [logStart, logEnd] = [positions.get(LOG_START), positions.get(APPENDED)];
  const counts = { topics: topics.size, groups: groups.size, queues: queues.length };
  log.info({ directory, logStart, logEnd, ...counts, ms }, 'store opened');
}

/** The rings and shapes for the threads of this broker. */
export function topologyOf(config: ResolvedConfig, opened: OpenedStore): Topology {
  const { settings } = config;
  return createTopology({
    positions: opened.positions.buffer,
    directory: opened.directoryRegion,
    store: config.store,
    replication: config.replication,
    delayMillis: delaysOf(opened.levels),
    networkThreads: config.networkThreads,
    settings: {
      storeHost: { address: [...addressBytes(config.brokerIp)], port: settings.listenPort },
      brokerName: settings.brokerName,
      regionId: settings.regionId,
      clusterName: settings.brokerClusterName,
      serverChannelMaxIdleTimeSeconds: config.serverChannelMaxIdleTimeSeconds,
      maxConnections: config.maxConnections,
      slaveTimeout: config.replication.slaveTimeout,
      tls: config.certificates.server(),
    },
    queues: opened.store.recovered.queues,
    engine: config.engineLayout,
    busyPollMicros: config.busyPollMicros,
    slowMillis: config.slowMillis,
    trace: config.trace,
  });
}

function delaysOf(levels: DelayLevels): number[] {
  return Array.from({ length: levels.max }, (_, i) => levels.delayOf(i + 1));
}
