/** Dispatching a log that was written before: ConsumeQueue entries, with and without the key index. */
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { APPENDED } from '../../src/ring/positions.ts';
import { Watermark } from '../../src/ring/watermark.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { Dispatcher } from '../../src/store/dispatch/dispatcher.ts';
import { DEFAULT_DELAY_LEVELS, parseDelayLevels } from '../../src/store/dispatch/schedule-time.ts';
import { KeyIndex } from '../../src/store/index/key-index.ts';
import { DEFAULT_STORE_OPTIONS } from '../../src/store/options.ts';
import { QueueTable } from '../../src/store/queue/queue-table.ts';
import { type BenchLog, fill, openLog, QUEUES, queueIdOf } from './fixtures.ts';
import { TOPIC } from './samples.ts';
import type { Subject, Suite } from './suite.ts';

/** One round of the dispatcher. */
const RECORDS = 4096;

function openIndex(folder: string): KeyIndex {
  const { maxHashSlotNum, maxIndexNum } = DEFAULT_STORE_OPTIONS;
  const geometry = { slots: maxHashSlotNum, entries: maxIndexNum };
  return new KeyIndex(nativeDisk, join(folder, 'index'), geometry, systemClock);
}

function dispatching(name: string, bench: BenchLog, folder: string, index: KeyIndex | undefined): Subject {
  const root = join(folder, 'consumequeue');
  let queues: QueueTable | undefined;
  let dispatcher: Dispatcher | undefined;
  const makeFresh = () => {
    queues?.close();
    for (let queue = 0; queue < QUEUES; queue++) bench.directory.setMaximum(queueIdOf(queue), 0);
    queues = new QueueTable(
      nativeDisk,
      root,
      DEFAULT_STORE_OPTIONS.mappedFileSizeConsumeQueue,
      bench.directory,
    );
    for (let queue = 0; queue < QUEUES; queue++) queues.add(TOPIC, queue, queueIdOf(queue));
    // The same records are entered anew: their keys too.
    if (index !== undefined) index.endPhysical = -1;
    dispatcher = new Dispatcher({
      segments: bench.segments,
      positions: bench.positions,
      queues,
      directory: bench.directory,
      index,
      bound: new Watermark(bench.positions, [APPENDED]),
      delayMillis: parseDelayLevels(DEFAULT_DELAY_LEVELS),
      onArrival: () => {},
      onUnknownQueue: () => undefined,
      onGap: () => {
        throw new Error('the log has a gap');
      },
    });
    dispatcher.position = 0;
  };
  return {
    name,
    batch: RECORDS,
    prepare: makeFresh,
    run: () => dispatcher?.doWork() ?? 0,
  };
}

export function open(folder: string): Suite {
  const bench = openLog(folder);
  fill(bench, RECORDS);
  return {
    subjects: [
      dispatching('dispatch a record, without index', bench, folder, undefined),
      dispatching('dispatch a record, index of 3 keys', bench, folder, openIndex(folder)),
    ],
  };
}
