/** Which files a store has, told from the files alone: no configuration is needed, nothing is locked or written. */
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../lib/user-error.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { listIndexFiles } from '../../store/index/key-index.ts';
import { storePaths } from '../../store/paths.ts';
import { queueDirectoryPath } from '../../store/queue/consume-queue.ts';
import { listQueues, type QueueName } from '../../store/recovery/queue-recovery.ts';

export interface StoreFiles {
  root: string;
  commitLogDirectory: string;
  /** Names in the CommitLog's directory that are 20 digits, ascending. */
  logFiles: string[];
  /** Bytes of (nearly) every CommitLog file; 0 without any. */
  logFileSize: number;
  /** Bytes of (nearly) every ConsumeQueue file; 0 without any. */
  queueFileSize: number;
  /** By topic, then number. */
  queues: QueueName[];
  indexFiles: string[];
  /** There is an abort file: a broker works on the store right now, or the last one ended without a clean stop. */
  open: boolean;
}

/** Folders between a store's root and the files that lie deepest, those of ConsumeQueues. */
const MOST_ABOVE = 4;

/** The root of the store, where `path` is that or one of its files, which `file` names then. */
export function storeAt(disk: Disk, path: string): { root: string; file?: string } {
  if (disk.isDirectory(path)) return { root: path };
  if (disk.size(path) < 0) throw new UserError(`${path} does not exist: name a store, or a file of one.`);
  let root = dirname(path);
  for (let i = 0; i < MOST_ABOVE; i++) {
    if (disk.isDirectory(join(root, 'commitlog'))) return { root, file: path };
    root = dirname(root);
  }
  throw new UserError(
    `${path} is not in a store: no folder above it has a commitlog. Name the root of its store, with --file ${basename(path)}, ` +
      'and the directory of its CommitLog with --commitlog.',
  );
}

const POSITION_NAME = /^\d{20}$/;

export function findStore(disk: Disk, root: string, commitLog?: string): StoreFiles {
  const commitLogDirectory = commitLog ?? join(root, 'commitlog');
  if (!disk.isDirectory(root)) throw new UserError(`${root} is not a directory: name the root of a store.`);
  if (!disk.isDirectory(commitLogDirectory)) {
    throw new UserError(
      `${commitLogDirectory} does not exist: name the root directory of a store, ` +
        'or the directory of its CommitLog with --commitlog.',
    );
  }
  const queueRoot = storePaths.consumeQueue(root);
  const queues = listQueues(disk, queueRoot).sort(
    (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0) || a.queueId - b.queueId,
  );
  const logFiles = positionFiles(disk, commitLogDirectory);
  const queuePaths = queues.flatMap((queue) => queueFiles(disk, root, queue));
  return {
    root,
    commitLogDirectory,
    logFiles,
    logFileSize: commonSize(
      disk,
      logFiles.map((name) => join(commitLogDirectory, name)),
    ),
    queueFileSize: commonSize(disk, queuePaths),
    queues,
    indexFiles: listIndexFiles(disk, storePaths.index(root)),
    open: disk.size(storePaths.abort(root)) >= 0,
  };
}

/** Files named by a position, ascending. */
export function positionFiles(disk: Disk, directory: string): string[] {
  return disk
    .list(directory)
    .filter((name) => POSITION_NAME.test(name) && !disk.isDirectory(join(directory, name)))
    .sort();
}

/** Paths of a queue's files, ascending. */
export function queueFiles(disk: Disk, root: string, queue: QueueName): string[] {
  const directory = queueDirectoryPath(storePaths.consumeQueue(root), queue.topic, queue.queueId);
  return positionFiles(disk, directory).map((name) => join(directory, name));
}

/** The size that most of the files have. */
function commonSize(disk: Disk, paths: readonly string[]): number {
  const counts = new Map<number, number>();
  for (const path of paths) {
    const size = disk.size(path);
    if (size > 0) counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  let common = 0;
  for (const [size, count] of counts) if (count > (counts.get(common) ?? 0)) common = size;
  return common;
}
