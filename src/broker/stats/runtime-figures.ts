/** Figures of request 28 that only the threads' owner knows. */

import { type Clock, timeOf } from '../../lib/clock.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
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
  /** See DeliveryLink. */
  timersRead: () => { readTimeMs: number; queueOffset: number } | undefined;
  /** Messages put into the timer topic a second. */
  timersPut: () => number;
  /** Delivered, or rolled, a second. */
  timersOut: () => number;
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
  const { total, free } = retention.diskBytes();
  yield ['bootTimestamp', String(timeOf(clock, started))];
  yield ['runtime', spanText(clock.monotonic() - started)];
  yield ['commitLogDiskRatio', ratio.toFixed(2)];
  yield ['consumeQueueDiskRatio', ratio.toFixed(2)];
  yield [`commitLogDiskRatio_${store.commitLogDirectory}`, ratio.toFixed(2)];
  yield ['commitLogDirCapacity', `Total : ${sizeText(total)}, Free : ${sizeText(free)}.`];
  yield ['dispatchBehindBytes', String(reads.dispatchBehind)];
  yield ['remainHowManyDataToFlush', sizeText(reads.flushBehind)];
  // There is no pool of buffers before the log that could run out.
  yield ['remainTransientStoreBufferNumbs', String(0x7fffffff)];
  yield ['earliestMessageTimeStamp', String(reads.earliestStoreTime)];
  const { todayMorning, yesterdayMorning } = parts.days;
  yield ['msgPutTotalTodayMorning', String(todayMorning.put)];
  yield ['msgGetTotalTodayMorning', String(todayMorning.get)];
  yield ['msgPutTotalYesterdayMorning', String(yesterdayMorning.put)];
  yield ['msgGetTotalYesterdayMorning', String(yesterdayMorning.get)];
  yield* timerFigures(parts);
  yield* putFigures(parts.counters, reads.messagesAppended);
}

/** How far behind the timers are: seconds of their wheel, messages of their queue. */
function* timerFigures(parts: RuntimeParts): Iterable<[string, string]> {
  const { reads, clock, counters, timersRead, timersPut, timersOut } = parts;
  const read = timersRead();
  const seconds = read === undefined ? 0 : Math.floor((clock.now() - read.readTimeMs) / 1000);
  const messages = read === undefined ? 0 : reads.maxOffset(TIMER_TOPIC, 0) - read.queueOffset;
  yield ['timerReadBehind', String(Math.max(0, seconds))];
  yield ['timerOffsetBehind', String(Math.max(0, messages))];
  yield ['timerCongestNum', String(Math.max(0, counters.sum('timersWaiting')))];
  yield ['timerEnqueueTps', timersPut().toFixed(1)];
  yield ['timerDequeueTps', timersOut().toFixed(1)];
}

/** RocketMQ's humanReadableByteCount, which tools read back. */
function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 6);
  return `${(bytes / 1024 ** power).toFixed(1)} ${'KMGTPE'.charAt(power - 1)}iB`;
}

function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const whole = (unit: number): number => Math.floor(seconds / unit);
  const days = `${whole(86_400)} days, ${whole(3_600) % 24} hours`;
  return `[ ${days}, ${whole(60) % 60} minutes, ${seconds % 60} seconds ]`;
}

/** What the threads have counted of sends; latencies go from the frame to the answer. */
function* putFigures(counters: CounterSums, messages: number): Iterable<readonly [string, string]> {
  const latencies = counters.latencies();
  const bytes = counters.sum('bytesAppended');
  yield ['putMessageEntireTimeMax', String(Math.ceil(counters.max('sendMaxMicros') / 1000))];
  yield ['getMessageEntireTimeMax', String(Math.ceil(counters.max('readMaxMicros') / 1000))];
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
