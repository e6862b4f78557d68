/** Figures of request 28 that only the threads' owner knows. */
import { type Clock, timeOf } from '../../lib/clock.ts';
import type { StoreOptions } from '../../store/options.ts';
import type { Retention } from './retention.ts';
import type { ControlReads } from './store-reads.ts';

/** `started`: monotonic ms. */
export function* runtimeFigures(
  reads: ControlReads,
  retention: Retention,
  store: StoreOptions,
  clock: Clock,
  started: number,
): Iterable<readonly [string, string]> {
  const ratio = retention.diskRatio();
  const seconds = Math.floor((clock.monotonic() - started) / 1000);
  yield ['bootTimestamp', String(timeOf(clock, started))];
  yield ['runtime', `[ 0 days, 0 hours, 0 minutes, ${seconds} seconds ]`];
  yield ['commitLogDiskRatio', ratio.toFixed(2)];
  yield ['consumeQueueDiskRatio', ratio.toFixed(2)];
  yield ['commitLogDirCapacity', store.commitLogDirectory];
  yield ['dispatchBehindBytes', String(reads.dispatchBehind)];
}
