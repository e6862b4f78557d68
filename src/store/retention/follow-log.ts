/**
 * A job behind retention and purges: the log, or a topic in it, begins later than before, so the queues' minima move up
 * to there, and the queue and index files that only point before the log's start are deleted. Reads a few entries per
 * queue, which may mean the disk: not for a thread that has clients. Only one such job runs at a time; it is the one
 * writer of the queues' minima.
 */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import { LOG_START, Positions } from '../../ring/positions.ts';
import type { Disk } from '../disk/disk.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import type { FollowerRetention } from '../follower.ts';
import { END_PHYSICAL, INDEX_HEADER_BYTES } from '../index/index-layout.ts';
import { listIndexFiles } from '../index/key-index.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { ENTRY_BYTES, queueDirectoryPath } from '../queue/consume-queue.ts';
import { QueueDirectory } from '../queue/queue-directory.ts';
import { EntryBlock, QueueFiles } from '../read/queue-files.ts';
import { firstWhere } from '../recovery/queue-recovery.ts';
import { type Purges, purgedTo } from '../topic-starts.ts';

export interface FollowLogInput {
  positions: SharedArrayBuffer;
  /** Region of the queue directory. */
  directory: number;
  store: StoreOptions;
  queues: { topic: string; queueId: number; id: number }[];
  purges: Purges;
}

/** The job as Piscina runs it, in a thread of its own. */
export function followLog({ positions, directory, store, queues, purges }: FollowLogInput): void {
  const logStart = new Positions(positions).get(LOG_START);
  followLogStart(nativeDisk, store, QueueDirectory.attach(directory), queues, logStart, purges);
}

/** Moves minima and deletes files for a log that begins at `logStart`, of topics that may be purged. */
export function followLogStart(
  disk: Disk,
  store: StoreOptions,
  directory: QueueDirectory,
  queues: FollowLogInput['queues'],
  logStart: number,
  purges: Purges = new Map(),
): void {
  const followers: FollowerRetention[] = [
    {
      expire(start) {
        for (const queue of queues)
          followQueue(disk, store, directory, queue, start, purgedTo(purges, queue.topic));
      },
    },
    { expire: (start) => deleteIndexFiles(disk, storePaths.index(store.directory), start) },
  ];
  for (const follower of followers) follower.expire(logStart);
}

function followQueue(
  disk: Disk,
  store: StoreOptions,
  directory: QueueDirectory,
  { topic, queueId, id }: FollowLogInput['queues'][0],
  logStart: number,
  purged: number,
): void {
  const before = directory.minimum(id);
  const maximum = directory.maximum(id);
  if (before === maximum && purged === 0) return;
  const root = storePaths.consumeQueue(store.directory);
  const files = new QueueFiles(disk, root, store.mappedFileSizeConsumeQueue, topic, queueId);
  const block = new EntryBlock(1);
  const firstFrom = (from: number, position: number) =>
    firstWhere(
      from,
      maximum,
      (offset) =>
        files.read(offset, 1, block) === 1 && !block.isFiller(0) && block.physicalOffset(0) >= position,
    );
  const minimum = firstFrom(before, Math.max(logStart, purged));
  if (minimum !== before) directory.setMinimum(id, minimum);
  if (minimum !== before || purged > 0) {
    const path = queueDirectoryPath(root, topic, queueId);
    const names = disk.list(path).filter((name) => /^\d{20}$/.test(name));
    const begin = Math.min(...names.map(Number)) / ENTRY_BYTES;
    // Entries of purged messages stay while the log has their records: recovery would miss them.
    const expired = purged === 0 ? minimum : firstFrom(Math.min(begin, maximum), logStart);
    const perFile = store.mappedFileSizeConsumeQueue / ENTRY_BYTES;
    // The newest file stays even when it is all expired: the queue's numbering goes on from it.
    const kept = Math.floor(Math.min(expired, maximum - 1) / perFile) * store.mappedFileSizeConsumeQueue;
    // The oldest first: a crash in between must not leave a queue with a file missing in the middle.
    for (const name of names.sort()) if (Number(name) < kept) disk.remove(join(path, name));
  }
  files.close();
}

/** The newest index file always stays: its dispatcher writes it. */
function deleteIndexFiles(disk: Disk, directory: string, logStart: number): void {
  const header = new Uint8Array(INDEX_HEADER_BYTES);
  for (const name of listIndexFiles(disk, directory).slice(0, -1)) {
    const file = disk.open(join(directory, name), -1);
    if (typeof file === 'number') continue;
    const read = file.read(0, header, 0, INDEX_HEADER_BYTES);
    file.close();
    if (read !== INDEX_HEADER_BYTES) continue;
    const end = readInt64(new DataView(header.buffer), END_PHYSICAL);
    if (end < logStart) disk.remove(join(directory, name));
  }
}
