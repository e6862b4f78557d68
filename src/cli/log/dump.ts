/** `ringmq log dump DIR`: prints what lies in the files of a store. Never writes. */
import { basename, relative, resolve, sep } from 'node:path';
import { UserError } from '../../lib/user-error.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { ENTRY_BYTES } from '../../store/queue/consume-queue.ts';
import { dumpCommitLogFile } from './dump-commit-log.ts';
import { dumpIndexFile } from './dump-index.ts';
import { dumpQueueFile } from './dump-queue.ts';
import { dumpSmallFiles } from './dump-small-files.ts';
import { dumpTimerFiles } from './dump-timers.ts';
import { type DumpFile, formatItem, formatJson } from './item.ts';
import { findStore, queueFiles, type StoreFiles } from './store-files.ts';

export interface DumpOptions {
  /** Only this file: a path, from the store's root or from here. */
  file?: string;
  /** Only the ConsumeQueues of this topic. */
  topic?: string;
  queue?: number;
  /** Position in the log, queue offset or index entry to begin at; alone, it means the log. */
  from?: number;
  /** Pieces of each file; 0 = all. */
  limit?: number;
  json?: boolean;
  hex?: boolean;
  commitlog?: string;
  indexSlots?: number;
}

const DEFAULT_LIMIT = 10;

export function dumpStore(
  disk: Disk,
  root: string,
  options: DumpOptions,
  print: (text: string) => void,
): void {
  const store = findStore(disk, root, options.commitlog);
  const limit = options.limit ?? DEFAULT_LIMIT;
  const files = chosenFiles(disk, store, options);
  if (files.length === 0) throw new UserError(`${root} has no such file: ${wanted(options)}.`);
  for (const file of files) printFile(file, limit === 0 ? Number.POSITIVE_INFINITY : limit, options, print);
}

function printFile(
  file: DumpFile,
  limit: number,
  { json = false, hex = false }: DumpOptions,
  print: (text: string) => void,
): void {
  if (!json) print(`== ${file.path}\n${file.about}\n`);
  let shown = 0;
  for (const item of file.items) {
    if (shown === limit) {
      if (!json) print(`… and more: --limit 0 shows everything, --from begins further on.\n`);
      break;
    }
    print(json ? formatJson(file.path, item, hex) : formatItem(item, hex));
    shown++;
  }
  if (!json) print(shown === 0 ? 'nothing in it\n\n' : '\n');
}

function chosenFiles(disk: Disk, store: StoreFiles, options: DumpOptions): DumpFile[] {
  const { file, topic, queue } = options;
  if (topic !== undefined || queue !== undefined) {
    return queuesOf(disk, store, options, (name, id) => (topic ?? name) === name && (queue ?? id) === id);
  }
  const all = allFiles(disk, store, options);
  if (file === undefined) {
    return options.from === undefined ? all : all.filter(({ path }) => path.startsWith('commitlog/'));
  }
  const inStore = relative(store.root, resolve(file)).split(sep).join('/');
  return all.filter(({ path }) => path === file.replace(/^\.\//, '') || path === inStore);
}

function allFiles(disk: Disk, store: StoreFiles, options: DumpOptions): DumpFile[] {
  const { from = 0, indexSlots } = options;
  const isBefore = (name: string) => Number(name) + store.logFileSize <= from;
  return [
    ...dumpSmallFiles(disk, store.root),
    ...dumpTimerFiles(disk, store.root, from),
    ...store.logFiles
      .filter((name) => !isBefore(name))
      .map((name) => dumpCommitLogFile(disk, store, name, from)),
    ...queuesOf(disk, store, options, () => true),
    ...store.indexFiles.map((name) => dumpIndexFile(disk, store, name, from, indexSlots)),
  ];
}

function queuesOf(
  disk: Disk,
  store: StoreFiles,
  { from = 0 }: DumpOptions,
  isWanted: (topic: string, queueId: number) => boolean,
): DumpFile[] {
  return store.queues
    .filter(({ topic, queueId }) => isWanted(topic, queueId))
    .flatMap((queue) => queueFiles(disk, store.root, queue))
    .filter((path) => (Number(basename(path)) + store.queueFileSize) / ENTRY_BYTES > from)
    .map((path) => dumpQueueFile(disk, store, path, from));
}

function wanted({ file, topic, queue }: DumpOptions): string {
  if (file !== undefined) return file;
  return [topic === undefined ? '' : `topic ${topic}`, queue === undefined ? '' : `queue ${queue}`]
    .filter((part) => part !== '')
    .join(', ');
}
