/** What a scrape is made of. */

import type { FigureTotals } from '../../delivery/figures.ts';
import type { Exposition } from '../../remoting/exposition.ts';
import type { ReplicationStatus } from '../../replication/status.ts';
import type { CallSums } from '../../ring/call-table.ts';
import type { CounterSums } from '../../ring/counters.ts';
import type { ReadsByName } from '../../store/read/reads-by-name.ts';
import type { Slices } from '../admin/slices.ts';
import type { Behind } from '../follow/slave-lag.ts';
import type { BrokerStats } from '../stats/broker-stats.ts';
import type { ControlCalls } from '../stats/control-calls.ts';
import type { Tables } from '../tables.ts';
import type { MetricsOptions } from './options.ts';

/** A ring between two threads, and how full it is. */
export interface RingFill {
  readonly ring: string;
  /** Of whom it is, where there are several. */
  readonly thread: string;
  /** 0 to 1. */
  readonly fill: () => number;
}

export interface MetricsParts {
  readonly options: MetricsOptions;
  readonly tables: Tables;
  readonly stats: BrokerStats;
  readonly reads: ReadsByName;
  readonly counters: CounterSums;
  /** What other threads have answered, and control. */
  readonly callSums: CallSums;
  readonly calls: ControlCalls;
  /** What delivery has counted by topic. */
  readonly figures: FigureTotals;
  readonly rings: readonly RingFill[];
  readonly networkThreads: number;
  /** Of the disk that the CommitLog is on, 0 to 1. */
  readonly diskRatio: () => number;
  /** Connections of clients. */
  readonly connected: () => number;
  readonly replication: () => ReplicationStatus;
  /** Of a slave: how far it is behind its master; undefined while that does not answer. */
  readonly behind: () => Behind | undefined;
  /** Since the start, ms. */
  readonly uptime: () => number;
}

export interface Scrape {
  readonly parts: MetricsParts;
  readonly out: Exposition;
  readonly slices: Slices;
  /** Milliseconds since 1970. */
  readonly now: number;
}
