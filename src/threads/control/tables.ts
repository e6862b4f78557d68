/** The tables of the control path, loaded from the store's config directory. */
import { ClientTable } from '../../control/clients.ts';
import { DelayOffsets } from '../../control/delay-offsets.ts';
import { DelayTimes } from '../../control/delay-times.ts';
import { GroupTable } from '../../control/groups.ts';
import type { ControlLog } from '../../control/log.ts';
import { OffsetTable } from '../../control/offsets.ts';
import { QueueLocks } from '../../control/queue-locks.ts';
import type { BrokerSettings } from '../../control/settings.ts';
import type { Warn } from '../../control/state-file.ts';
import { StatsTable } from '../../control/stats.ts';
import { type QueueRoom, TopicTable } from '../../control/topics.ts';
import type { Clock } from '../../lib/clock.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';

export interface Tables {
  settings: BrokerSettings;
  log: ControlLog;
  topics: TopicTable;
  groups: GroupTable;
  offsets: OffsetTable;
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
  clients: ClientTable;
  locks: QueueLocks;
  stats: StatsTable;
}

export function makeTables(
  configDirectory: string,
  settings: BrokerSettings,
  clock: Clock,
  log: ControlLog,
  room?: QueueRoom,
): Tables {
  return {
    settings,
    log,
    topics: new TopicTable(configDirectory, settings, clock, room),
    groups: new GroupTable(configDirectory, settings, clock),
    offsets: new OffsetTable(configDirectory, settings, clock),
    delayOffsets: new DelayOffsets(configDirectory, settings, clock),
    delayTimes: new DelayTimes(configDirectory, nativeDisk.boot(), clock, log),
    clients: new ClientTable(settings, clock, log),
    locks: new QueueLocks(clock),
    stats: new StatsTable(clock),
  };
}

/**
 * Reads the files; listeners must be in place, as every topic and group is announced. `warn` hears what could not be
 * read and what became of it.
 */
export function loadTables(tables: Tables, warn: Warn): void {
  tables.topics.load(warn);
  tables.groups.load(warn);
  tables.offsets.load(warn);
  tables.delayOffsets.load(warn);
  tables.delayTimes.load();
}

/** Writes what has changed since the last time; resolves when it is on disk. */
export async function saveTables(tables: Tables): Promise<void> {
  tables.offsets.persist();
  tables.delayOffsets.persist();
  tables.delayTimes.persist();
  await Promise.all([
    tables.topics.saved(),
    tables.groups.saved(),
    tables.offsets.saved(),
    tables.delayOffsets.saved(),
    tables.delayTimes.saved(),
  ]);
}
