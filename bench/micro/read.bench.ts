/** Reading a batch for a consumer: entries of the queue, and the messages themselves. */
import { join } from 'node:path';
import { TagSet } from '../../src/clients/tag-set.ts';
import { javaHashCode } from '../../src/lib/java-hash.ts';
import { APPENDED } from '../../src/ring/positions.ts';
import { Watermark } from '../../src/ring/watermark.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { Dispatcher } from '../../src/store/dispatch/dispatcher.ts';
import { DEFAULT_STORE_OPTIONS } from '../../src/store/options.ts';
import { QueueTable } from '../../src/store/queue/queue-table.ts';
import { PullReader, type ReaderQueue, type TagFilter } from '../../src/store/read/pull-reader.ts';
import { QueueFiles } from '../../src/store/read/queue-files.ts';
import { type BenchLog, fill, openLog, QUEUES, queueIdOf } from './fixtures.ts';
import { TOPIC } from './samples.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const RECORDS = 16_384;
const BATCH = 32;
const PULLS = 16;
/** More than the reader takes for surely in memory. */
const FAR = 128 << 20;

function dispatchAll(bench: BenchLog, root: string): void {
  const { mappedFileSizeConsumeQueue } = DEFAULT_STORE_OPTIONS;
  const queues = new QueueTable(nativeDisk, root, mappedFileSizeConsumeQueue, bench.directory);
  for (let queue = 0; queue < QUEUES; queue++) queues.add(TOPIC, queue, queueIdOf(queue));
  const dispatcher = new Dispatcher({
    segments: bench.segments,
    positions: bench.positions,
    queues,
    directory: bench.directory,
    index: undefined,
    bound: new Watermark(bench.positions, [APPENDED]),
    delayMillis: [],
    onArrival: () => {},
    onUnknownQueue: () => undefined,
    onGap: () => false,
  });
  while (dispatcher.doWork() > 0) {}
  queues.close();
}

interface Reading {
  name: string;
  /** Messages of one pull. */
  count: number;
  filter?: TagFilter;
  copy?: boolean;
  behind?: number;
}

function reading(
  bench: BenchLog,
  queue: ReaderQueue,
  { name, count, filter, copy, behind }: Reading,
): Subject {
  const reader = new PullReader(bench.segments, bench.positions, bench.directory, 1 << 30);
  const target = new Uint8Array(1 << 20);
  const end = bench.log.position;
  return {
    name,
    batch: PULLS,
    prepare: () => bench.positions.set(APPENDED, end + (behind ?? 0)),
    run: repeat(PULLS, (i) => {
      reader.read(queue, i * BATCH, count, filter);
      if (reader.count !== count) throw new Error(`${reader.count} messages instead of ${count}`);
      if (copy && !reader.copyTo(target, 0)) throw new Error('not copied');
      return reader.totalBytes;
    }),
  };
}

export function open(folder: string): Suite {
  const bench = openLog(folder);
  const root = join(folder, 'consumequeue');
  fill(bench, RECORDS);
  dispatchAll(bench, root);
  const files = new QueueFiles(nativeDisk, root, DEFAULT_STORE_OPTIONS.mappedFileSizeConsumeQueue, TOPIC, 0);
  const queue: ReaderQueue = { id: queueIdOf(0), files };
  const filter = new TagSet([javaHashCode('Tag1')]);
  const subject = (what: Reading) => reading(bench, queue, what);
  return {
    subjects: [
      subject({ name: 'PullReader.read, 1 message', count: 1 }),
      subject({ name: 'PullReader.read, 32 messages', count: BATCH }),
      subject({ name: 'PullReader.read, 32 messages of one tag', count: BATCH, filter }),
      subject({ name: 'PullReader.read, 32 messages, asks what is in memory', count: BATCH, behind: FAR }),
      subject({ name: 'PullReader.read and copyTo, 32 messages of 1 KiB', count: BATCH, copy: true }),
    ],
  };
}
