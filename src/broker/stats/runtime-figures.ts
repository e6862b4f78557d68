/** Figures of request 28 that only the threads' owner knows. */

import { type Clock, timeOf } from '../../lib/clock.ts';
import { bucketStart, type CounterSums, LATENCY_BUCKETS, quantileMicros } from '../../ring/counters.ts';
import type { StoreOptions } from '../../store/options.ts';
import type { ReadsByName } from '../../store/read/reads-by-name.ts';
import type { Retention } from '../../store/retention/retention.ts';
import type { DayTotals } from './day-totals.ts';

export interface RuntimeParts {
  reads: ReadsByName;
  retention: Retention;
  store: StoreOptions;
  clock: Clock;
  counters: CounterSums;
  days: DayTotals;
  /** Monotonic ms. */
  started: number;
}

/** RocketMQ's steps of putMessageDistributeTime: name, and the least ms that belong to the next one. */
const PUT_STEPS: readonly (readonly [name: string, below: number])[] = [
  ['<=0ms', 1],
  ['0~10ms', 10],
  ['10~50ms', 50],
  ['50~100ms', 100],
  ['100~200ms', 200],
  ['200~500ms', 500],
  ['500ms~1s', 1_000],
  ['1~2s', 2_000],
  ['2~3s', 3_000],
  ['3~4s', 4_000],
  ['4~5s', 5_000],
  ['5~10s', 10_000],
  ['10s~', Number.POSITIVE_INFINITY],
];

export function* runtimeFigures(parts: RuntimeParts): Iterable<readonly [string, string]> {
  const { reads, retention, store, clock, started } = parts;
  const ratio = retention.diskRatio();
  const seconds = Math.floor((clock.monotonic() - started) / 1000);
  yield ['bootTimestamp', String(timeOf(clock, started))];
  yield ['runtime', `[ 0 days, 0 hours, 0 minutes, ${seconds} seconds ]`];
  yield ['commitLogDiskRatio', ratio.toFixed(2)];
  yield ['consumeQueueDiskRatio', ratio.toFixed(2)];
  yield ['commitLogDirCapacity', store.commitLogDirectory];
  yield ['dispatchBehindBytes', String(reads.dispatchBehind)];
  yield ['remainHowManyDataToFlush', `${reads.flushBehind} B`];
  yield ['earliestMessageTimeStamp', String(reads.earliestStoreTime)];
  const { todayMorning, yesterdayMorning } = parts.days;
  yield ['msgPutTotalTodayMorning', String(todayMorning.put)];
  yield ['msgGetTotalTodayMorning', String(todayMorning.get)];
  yield ['msgPutTotalYesterdayMorning', String(yesterdayMorning.put)];
  yield ['msgGetTotalYesterdayMorning', String(yesterdayMorning.get)];
  yield* putFigures(parts.counters, reads.messagesAppended);
}

/** What the threads have counted of sends; latencies go from the frame to the answer. */
function* putFigures(counters: CounterSums, messages: number): Iterable<readonly [string, string]> {
  const latencies = counters.latencies();
  const bytes = counters.sum('bytesAppended');
  yield ['putMessageEntireTimeMax', String(Math.ceil(counters.max('sendMaxMicros') / 1000))];
  yield ['putMessageFailedTimes', String(counters.sum('appendsFailed'))];
  yield ['putMessageSizeTotal', String(bytes)];
  yield ['putMessageAverageSize', String(messages === 0 ? 0 : bytes / messages)];
  yield ['putMessageDistributeTime', distribution(latencies)];
  yield ['putLatency99', (quantileMicros(latencies, 0.99) / 1000).toFixed(2)];
  yield ['putLatency999', (quantileMicros(latencies, 0.999) / 1000).toFixed(2)];
}

function distribution(latencies: Float64Array): string {
  const counts = new Array<number>(PUT_STEPS.length).fill(0);
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    const millis = bucketStart(bucket) / 1000;
    const step = PUT_STEPS.findIndex(([, below]) => millis < below);
    counts[step] = (counts[step] as number) + (latencies[bucket] as number);
  }
  return PUT_STEPS.map(([name], step) => `[${name}]:${counts[step]} `).join('');
}
