/** A broker's store after opening: recovered, locked, with everything that its threads share. */
import { DelayLevels } from '../../broker/delay/levels.ts';
import { systemClock } from '../../lib/clock.ts';
import { addressBytes } from '../../net/addresses.ts';
import { Positions } from '../../ring/positions.ts';
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
}

/** Opens and recovers the store; throws with a sentence for people. */
export function openBrokerStore(config: BrokerConfig): OpenedStore {
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
    progress: (line) => config.log.info({}, line),
    warn: (line) => config.log.warn({}, line),
  });
  warnOfLittleRoom(config.store, config.log);
  return { store, positions, ids, directory, directoryRegion, levels };
}

/** The rings and shapes for the threads of this broker. */
export function topologyOf(config: ResolvedConfig, opened: OpenedStore): Topology {
  const { settings } = config;
  return createTopology({
    positions: opened.positions.buffer,
    directory: opened.directoryRegion,
    store: config.store,
    delayMillis: delaysOf(opened.levels),
    networkThreads: config.networkThreads,
    settings: {
      storeHost: { address: [...addressBytes(config.brokerIp)], port: settings.listenPort },
      regionId: settings.regionId,
      traceOn: true,
      clusterName: settings.brokerClusterName,
      serverChannelMaxIdleTimeSeconds: config.serverChannelMaxIdleTimeSeconds,
      maxConnections: config.maxConnections,
    },
    queues: opened.store.recovered.queues,
    engine: config.engineLayout,
    busyPollMicros: config.busyPollMicros,
  });
}

function delaysOf(levels: DelayLevels): number[] {
  return Array.from({ length: levels.max }, (_, i) => levels.delayOf(i + 1));
}
