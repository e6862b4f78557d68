/** The tables of the control path, loaded from the store's config directory. */
import { ClientTable } from '../clients/clients.ts';
import { QueueLocks } from '../clients/queue-locks.ts';
import { isTagType } from '../clients/subscription.ts';
import { saveOrders } from '../delivery/pop/pop-control.ts';
import type { Clock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import { ConsumerFilters } from '../metadata/consumer-filters.ts';
import { DelayOffsets } from '../metadata/delay-offsets.ts';
import { DelayTimes } from '../metadata/delay-times.ts';
import { GroupTable } from '../metadata/groups.ts';
import { LiteTopics } from '../metadata/lite-topics.ts';
import { OffsetTable } from '../metadata/offsets.ts';
import { OrderInfos } from '../metadata/order-infos.ts';
import { RequestModes } from '../metadata/request-modes.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { Warn } from '../metadata/state-file.ts';
import { ENDLESS, TopicTable } from '../metadata/topics.ts';
import { nativeDisk } from '../store/disk/native-disk.ts';
import type { QueueRoom } from '../store/queue/queue-ids.ts';
import { ColdReads } from './cold/cold-reads.ts';
import { StatsTable } from './stats/stats.ts';

export interface Tables {
  settings: BrokerSettings;
  log: ControlLog;
  topics: TopicTable;
  lites: LiteTopics;
  groups: GroupTable;
  offsets: OffsetTable;
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
  orders: OrderInfos;
  filters: ConsumerFilters;
  requestModes: RequestModes;
  clients: ClientTable;
  locks: QueueLocks;
  stats: StatsTable;
  coldReads: ColdReads;
}

export function makeTables(
  configDirectory: string,
  settings: BrokerSettings,
  clock: Clock,
  log: ControlLog,
  timers: Timers,
  room: QueueRoom = ENDLESS,
): Tables {
  const clients = new ClientTable(settings, clock, log, timers);
  const filters = new ConsumerFilters(configDirectory, clock);
  const { consumers } = clients;
  const topics = new TopicTable(configDirectory, settings, clock, room);
  consumers.changed.add((group) => {
    const told = [...(consumers.get(group)?.subscriptions.values() ?? [])];
    filters.note(
      group,
      told.filter(({ expressionType }) => !isTagType(expressionType)),
    );
  });
  return {
    settings,
    log,
    topics,
    lites: new LiteTopics(topics, room),
    groups: new GroupTable(configDirectory, settings, clock),
    offsets: new OffsetTable(configDirectory, settings, clock),
    delayOffsets: new DelayOffsets(configDirectory, settings, clock),
    delayTimes: new DelayTimes(configDirectory, nativeDisk.boot(), log),
    orders: new OrderInfos(configDirectory),
    filters,
    requestModes: new RequestModes(configDirectory),
    clients,
    locks: new QueueLocks(clock),
    stats: new StatsTable(clock),
    coldReads: new ColdReads(settings, clock, timers),
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
  tables.orders.load(warn);
  tables.filters.load(warn);
  tables.requestModes.load(warn);
}

/** Writes what has changed since the last time; resolves when it is on disk. */
export async function saveTables(tables: Tables): Promise<void> {
  const orders = saveOrders(tables);
  await orders.catch(() => {}); // told below, when all others have been asked for
  tables.offsets.persist();
  tables.delayOffsets.persist();
  tables.delayTimes.persist();
  tables.filters.persist();
  await Promise.all([
    tables.topics.saved(),
    tables.groups.saved(),
    tables.offsets.saved(),
    tables.delayOffsets.saved(),
    tables.delayTimes.saved(),
    orders,
    tables.filters.saved(),
    tables.requestModes.saved(),
  ]);
}
