/**
 * A job: messages by key. One query may follow a long chain through files that have long left the page cache, and
 * copies what it finds: not for a thread that has clients.
 */
import { Positions } from '../../ring/positions.ts';
import { Watermark } from '../../ring/watermark.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import { IndexReader } from '../index/index-reader.ts';
import { UnmappedLog } from '../log/unmapped-log.ts';
import { confirmedBy, type StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { QueueDirectory } from '../queue/queue-directory.ts';
import { StoreReader } from './store-reader.ts';

/** Times in ms; indexType: K key, U unique key, T tag. */
export interface KeyQuery {
  topic: string;
  key: string;
  maxCount: number;
  begin: number;
  end: number;
  indexType: string;
}

export interface FoundRecords {
  /** Whole stored records by ascending physical offset, one after another; empty when there are none. */
  records: Uint8Array<ArrayBuffer>;
  indexLastUpdateTimestamp: number;
  indexLastUpdatePhyoffset: number;
}

export interface KeyQueryInput {
  positions: SharedArrayBuffer;
  /** Region of the queue directory. */
  directory: number;
  store: StoreOptions;
  query: KeyQuery;
  /** Where in the log the topic begins: what of its name stands before it is of a deleted topic, or purged. */
  topicStart: number;
}

/** The files are opened for this query alone: a thread that keeps them keeps those that are deleted. */
export function findByKey({ positions, directory, store, query, topicStart }: KeyQueryInput): FoundRecords {
  const index = store.messageIndexEnable
    ? new IndexReader(nativeDisk, storePaths.index(store.directory), {
        slots: store.maxHashSlotNum,
        entries: store.maxIndexNum,
      })
    : undefined;
  const log = new UnmappedLog(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
  try {
    const queues = QueueDirectory.attach(directory);
    const reached = new Positions(positions);
    const shown = new Watermark(reached, confirmedBy(store));
    const reader = new StoreReader(log, reached, shown, queues, index, () => topicStart);
    const { topic, key, maxCount, begin, end, indexType } = query;
    const found = reader.query(topic, key, maxCount, begin, end, indexType);
    return { ...found, records: joined(found.records) };
  } finally {
    log.close();
  }
}

function joined(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const record of records) {
    all.set(record, at);
    at += record.length;
  }
  return all;
}
