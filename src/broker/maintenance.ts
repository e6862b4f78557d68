/** What the tables need done from time to time. */

import type { ClientTable } from '../clients/clients.ts';
import type { QueueLocks } from '../clients/queue-locks.ts';
import { saveOrders } from '../delivery/pop/pop-control.ts';
import { type ControlLog, whyFailed } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import type { ConsumerFilters } from '../metadata/consumer-filters.ts';
import type { DelayOffsets } from '../metadata/delay-offsets.ts';
import type { DelayTimes } from '../metadata/delay-times.ts';
import type { OffsetTable } from '../metadata/offsets.ts';
import type { OrderInfos } from '../metadata/order-infos.ts';
import type { BrokerSettings } from '../metadata/settings.ts';
import type { StatsTable } from './stats/stats.ts';

const EXPIRE_CLIENTS_MS = 10_000;
const SAMPLE_STATS_MS = 10_000;
const SWEEP_LOCKS_MS = 60_000;
const PERSIST_FILTERS_MS = 10_000;

type PeriodicTable = OffsetTable | DelayOffsets | DelayTimes | ConsumerFilters;

export interface MaintainedTables {
  settings: BrokerSettings;
  log: ControlLog;
  clients: ClientTable;
  offsets: OffsetTable;
  delayOffsets: DelayOffsets;
  delayTimes: DelayTimes;
  orders: OrderInfos;
  filters: ConsumerFilters;
  locks: QueueLocks;
  stats: StatsTable;
}

/** Starts the periodic work; the result stops it. Offsets have to be persisted once more after that. */
export function startMaintenance(tables: MaintainedTables, timers: Timers): () => void {
  const { settings, log, clients, offsets, delayOffsets, delayTimes, filters, locks, stats } = tables;
  const report = (error: unknown) =>
    log.error(
      whyFailed(error),
      'periodic work of the control thread failed, tried again with the next round',
    );
  const persist = (table: PeriodicTable) => () => {
    table.persist();
    table.saved().catch(report);
  };
  const stops = [
    every(
      timers,
      () => EXPIRE_CLIENTS_MS,
      () => clients.expireSilent(),
      report,
    ),
    every(
      timers,
      () => SAMPLE_STATS_MS,
      () => stats.sample(),
      report,
    ),
    every(
      timers,
      () => SWEEP_LOCKS_MS,
      () => locks.sweep(),
      report,
    ),
    every(timers, () => settings.flushConsumerOffsetInterval, persist(offsets), report),
    every(
      timers,
      () => settings.flushConsumerOffsetInterval,
      () => saveOrders(tables).catch(report),
      report,
    ),
    every(timers, () => settings.flushDelayOffsetInterval, persist(delayOffsets), report),
    every(timers, () => settings.flushDelayOffsetInterval, persist(delayTimes), report),
    every(timers, () => PERSIST_FILTERS_MS, persist(filters), report),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The interval is asked for anew each time, as settings may change. A failing task is reported and goes on. */
function every(timers: Timers, intervalMs: () => number, task: () => void, report: (error: unknown) => void) {
  let cancel = () => {};
  const schedule = () => {
    cancel = timers.after(intervalMs(), () => {
      try {
        task();
      } catch (error) {
        report(error);
      }
      schedule();
    });
  };
  schedule();
  return () => cancel();
}
