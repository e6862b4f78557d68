/** The result of `npm run bench:timers` as a table, and whether RingMQ's is as it has to be. */
import { alignedTable, integer, mebibytes, micros } from '../format.ts';
import { isClean } from '../outcome.ts';
import type { Rest, TimersResult } from './measure.ts';

/** RingMQ's 99th percentile of (delivered - due). */
export const P99_MAX_MICROS = 1e6;

type Row = [title: string, cell: (result: TimersResult) => string | undefined];

/** Halves of a rest that differ by more of a processor than this were none. */
const REST_DIFFERENCE_MAX = 0.05;

function isRest({ halves: [first, second] }: Rest): boolean {
  return Math.abs(first - second) <= REST_DIFFERENCE_MAX;
}

/** A figure of a broker that was still at work would be taken for what it costs at rest. */
function restText(rest: Rest): string {
  const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
  if (isRest(rest)) return `${percent(rest.share)} of a processor`;
  return `not at rest (${rest.halves.map(percent).join(', then ')})`;
}

function optional(value: number | undefined, format: (value: number) => string): string | undefined {
  return value === undefined ? undefined : format(value);
}

const ROWS: readonly Row[] = [
  ['sends a second', ({ sendRate }) => integer(sendRate)],
  ['CPU at rest, nothing pending', ({ restEmpty }) => restText(restEmpty)],
  ['CPU at rest, all pending', ({ restPending }) => restText(restPending)],
  ['memory, nothing pending', ({ memoryEmpty }) => mebibytes(memoryEmpty)],
  ['memory, all pending', ({ memoryPending }) => mebibytes(memoryPending)],
  ['memory, after kill -9 and start', ({ memoryStarted }) => optional(memoryStarted, mebibytes)],
  ['memory, most while delivering', ({ memoryMost }) => mebibytes(memoryMost)],
  ['start after kill -9, all pending', ({ startMicros }) => optional(startMicros, micros)],
  ['messages delivered', ({ arrivals }) => integer(arrivals.count)],
  ['deliveries a second', ({ arrivals }) => integer(arrivals.rate)],
  ['broker CPU a delivery', ({ cpuMicrosPerDelivery }) => `${cpuMicrosPerDelivery.toFixed(1)} µs`],
  ['delivered − due p50', ({ arrivals }) => micros(arrivals.seen.p50)],
  ['delivered − due p99', ({ arrivals }) => micros(arrivals.seen.p99)],
  ['delivered − due maximum', ({ arrivals }) => micros(arrivals.seen.max)],
  ['stored − due p50', ({ arrivals }) => micros(arrivals.stored.p50)],
  ['stored − due p99', ({ arrivals }) => micros(arrivals.stored.p99)],
  ['stored − due maximum', ({ arrivals }) => micros(arrivals.stored.max)],
  ['early', ({ arrivals }) => earlyText(arrivals.early, arrivals.earliestMillis)],
  ['delivered again', ({ ledger }) => integer(ledger.duplicates)],
  ['lost', ({ ledger }) => integer(ledger.lost)],
  ['sent by nobody', ({ ledger }) => integer(ledger.foreign)],
  ['failed requests', ({ errors }) => integer(errors)],
  ['used by others meanwhile', ({ disturbance }) => `${(disturbance.foreignShare * 100).toFixed(1)} %`],
  ['longest stop of the machine', ({ disturbance }) => micros(disturbance.stallMaxMillis * 1000)],
];

function earlyText(early: number, earliestMillis: number): string {
  return early === 0 ? '0' : `${integer(early)}, by up to ${integer(earliestMillis)} ms`;
}

export function timersTable(head: string, results: readonly TimersResult[]): string {
  const rows = ROWS.flatMap(([title, cell]) => {
    const cells = results.map(cell);
    return cells.every((text) => text === undefined) ? [] : [[title, ...cells.map((text) => text ?? '-')]];
  });
  return alignedTable([[head, ...results.map(({ title }) => title)], ...rows]);
}

/** What is wrong with the deliveries, a sentence each. */
export function faults({ arrivals, ledger, errors }: TimersResult): string[] {
  const found: string[] = [];
  if (!isClean(ledger)) {
    const { lost, duplicates, foreign } = ledger;
    found.push(`${lost} messages were lost, ${duplicates} came again, ${foreign} were sent by nobody`);
  }
  if (arrivals.early > 0)
    found.push(`${arrivals.early} messages came early, by up to ${arrivals.earliestMillis} ms`);
  if (arrivals.seen.p99 > P99_MAX_MICROS)
    found.push(
      `one of 100 messages came more than ${micros(P99_MAX_MICROS)} late: ${micros(arrivals.seen.p99)}`,
    );
  if (errors > 0) found.push(`${errors} requests failed`);
  return found;
}
