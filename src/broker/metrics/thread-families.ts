/** RingMQ's own families: what its threads do, how full the rings between them are, how long sends and syncs take. */

import type { Buckets, Exposition } from '../../remoting/exposition.ts';
import {
  bucketStart,
  COUNTER_BLOCKS,
  type CounterName,
  type CounterSums,
  LATENCY_BUCKETS,
} from '../../ring/counters.ts';
import type { Scrape } from './context.ts';

const MICROS = 1e6;
const MILLIS = 1e3;
/** Of the latencies' quarters of powers of two, those that are whole powers: 128 µs to 4 s. */
const BOUNDS = Array.from({ length: 16 }, (_, i) => 2 ** (i + 7));

/** Family, help, counter, and what its unit is to be divided by. */
const PER_THREAD: readonly (readonly [name: string, help: string, counter: CounterName, by: number])[] = [
  ['busy_seconds', 'Time in which the thread worked', 'busyMillis', MILLIS],
  ['idle_seconds', 'Time in which it slept', 'idleMillis', MILLIS],
  ['wakeups', 'How often somebody, or the time, has woken it', 'wakeUps', 1],
];

/** Of threads with an event loop. */
const PER_LOOP: typeof PER_THREAD = [
  [
    'late_ticks_seconds',
    'Sum of the times by which its ticks (4 a second) were late',
    'tickLateMicros',
    MICROS,
  ],
  ['ticks', 'Its ticks', 'ticks', 1],
];

const TOTALS: readonly (readonly [name: string, help: string, counter: CounterName])[] = [
  ['ringmq_connections_opened_total', 'Connections that were accepted', 'connectionsOpened'],
  ['ringmq_connections_refused_total', 'Connections that were not', 'connectionsRefused'],
  ['ringmq_connections_failed_total', 'Connections that ended by an error', 'connectionsFailed'],
  ['ringmq_received_bytes_total', 'Bytes that came from clients', 'bytesReceived'],
  ['ringmq_sent_bytes_total', 'Bytes that went to them', 'bytesSent'],
  ['ringmq_requests_total', 'Requests', 'frames'],
  ['ringmq_requests_forwarded_total', 'Requests that went to control', 'framesForwarded'],
  ['ringmq_sends_total', 'Sends that were acknowledged', 'sendsDone'],
  ['ringmq_pulls_total', 'Pulls that were answered', 'pullsAnswered'],
  ['ringmq_pulls_parked_total', 'Pulls that had to wait for messages', 'pullsParked'],
  ['ringmq_pulls_cold_total', 'Pulls whose messages were not in memory', 'pullsCold'],
  ['ringmq_append_bytes_total', 'Bytes that were appended to the log', 'bytesAppended'],
  ['ringmq_append_failures_total', 'Messages that could not be appended', 'appendsFailed'],
  ['ringmq_dispatch_bytes_total', 'Bytes of the log that went to the queues', 'bytesDispatched'],
];

const REFUSALS: readonly (readonly [reason: string, counter: CounterName])[] = [
  ['busy', 'refusedBusy'],
  ['disk_full', 'refusedDiskFull'],
  ['illegal', 'refusedIllegal'],
  ['permission', 'refusedPermission'],
  ['unknown', 'refusedUnknown'],
  ['other', 'refusedOther'],
];

const OUTCOMES: readonly (readonly [outcome: string, counter: CounterName])[] = [
  ['committed', 'transactionsCommitted'],
  ['rolled_back', 'transactionsRolledBack'],
  ['given_up', 'transactionsGivenUp'],
];

export function threadFamilies({ parts, out }: Scrape): void {
  const { counters, networkThreads } = parts;
  out.gauge('ringmq_uptime_seconds', 'Since the start').add(parts.uptime() / MILLIS);
  out.gauge('ringmq_connections', 'Connections of clients').add(parts.connected());
  out.gauge('ringmq_disk_used_ratio', 'Of the disk that the log is on, 0 to 1').add(parts.diskRatio());
  for (const [name, help, counter] of TOTALS) out.counter(name, help).add(counters.sum(counter));
  const refused = out.counter('ringmq_refused_total', 'Sends and pulls that were refused, by reason');
  for (const [reason, counter] of REFUSALS) refused.add(counters.sum(counter), { reason });
  const ended = out.counter('ringmq_transactions_total', 'Transactions that have ended, by how');
  for (const [outcome, counter] of OUTCOMES) ended.add(counters.sum(counter), { outcome });
  out.gauge('ringmq_transactions_open', 'Transactions that have not').add(counters.sum('transactionsOpen'));
  perThread(out, counters, networkThreads);
  rings(out, parts.rings);
  latencies(out, counters);
}

function perThread(out: Exposition, counters: CounterSums, networkThreads: number): void {
  const threads: [string, number][] = Object.entries(COUNTER_BLOCKS).filter(([name]) => name !== 'network');
  for (let i = 0; i < networkThreads; i++) threads.push([`network-${i}`, COUNTER_BLOCKS.network + i]);
  const total = (families: typeof PER_THREAD, all: typeof threads) => {
    for (const [name, help, counter, by] of families) {
      const family = out.counter(`ringmq_thread_${name}_total`, help);
      for (const [thread, block] of all) family.add(counters.of(block, counter) / by, { thread });
    }
  };
  // Who shares a thread is counted with the first one in it; delivery may not have begun.
  const running = ([, block]: [string, number]) =>
    counters.of(block, 'busyMillis') + counters.of(block, 'idleMillis') > 0;
  total(PER_THREAD, threads.filter(running));
  const loops = threads.filter(([, block]) => counters.of(block, 'ticks') > 0);
  total(PER_LOOP, loops);
  const late = out.gauge('ringmq_thread_late_tick_max_seconds', 'By how much its latest tick was late');
  for (const [thread, block] of loops) late.add(counters.of(block, 'tickLateMaxMicros') / MICROS, { thread });
}

function rings(out: Exposition, all: Scrape['parts']['rings']): void {
  const family = out.gauge('ringmq_ring_fill_ratio', 'Share of a ring that its reader has not taken, 0 to 1');
  for (const { ring, thread, fill } of all) family.add(fill(), { ring, thread });
}

function latencies(out: Exposition, counters: CounterSums): void {
  const sends = counters.latencies();
  out
    .family('ringmq_send_seconds', 'histogram', 'From the request of a send to its answer')
    .addBuckets(inSeconds(sends));
  out.family('ringmq_sync_seconds', 'histogram', 'A sync of the log').addBuckets({
    ...inSeconds(counters.latenciesOf(COUNTER_BLOCKS.flusher)),
    sum: counters.sum('syncMicros') / MICROS,
  });
}

function inSeconds(buckets: Float64Array): Buckets {
  const bounds = BOUNDS.map((micros) => micros / MICROS);
  return within(buckets, bounds, MICROS);
}

/**
 * What was counted in buckets of µs, up to each bound; `unit`: µs of one. A bound within a bucket gets what lies below
 * the bucket. Sums are those of the middles of the buckets.
 */
function within(buckets: Float64Array, bounds: readonly number[], unit: number): Buckets {
  const upTo: [number, number][] = bounds.map((bound) => [bound, 0]);
  let [count, sum] = [0, 0];
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    const n = buckets[bucket] as number;
    if (n === 0) continue;
    const end = bucketStart(bucket + 1) / unit;
    count += n;
    sum += (n * (bucketStart(bucket) / unit + end)) / 2;
    for (const entry of upTo) if (end <= entry[0]) entry[1] += n;
  }
  return { bounds: upTo, count, sum };
}
