/** `ringmq log dump DIR`: prints what lies in the files of a store, or explains it. Never writes. */
import { basename, relative, resolve, sep } from 'node:path';
import { UserError } from '../../lib/user-error.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { ENTRY_BYTES } from '../../store/queue/consume-queue.ts';
import { dumpCommitLogFile, dumpCutFiles } from './dump-commit-log.ts';
import { dumpIndexFile } from './dump-index.ts';
import { type Against, dumpDeletedQueues, dumpQueueFile } from './dump-queue.ts';
import { dumpSmallFiles } from './dump-small-files.ts';
import { dumpTimerFiles } from './dump-timers.ts';
import { Explainer } from './explain/explain-files.ts';
import { explainMessage } from './explain/one-message.ts';
import { otherFiles } from './explain/other-files.ts';
import { type DumpFile, formatItem, formatJson } from './item.ts';
import { RecordLookup } from './record-lookup.ts';
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
  /** With what the formats are, what each field is for, and what is wrong. */
  explain?: boolean;
  /** One message, explained: position in the log, or message id. */
  at?: string;
  commitlog?: string;
  indexSlots?: number;
}

const DEFAULT_LIMIT = 10;

/** How many damages were met, where they are looked for: by `explain` and `at`. */
export function dumpStore(
  disk: Disk,
  root: string,
  options: DumpOptions,
  print: (text: string) => void,
  progress: (line: string) => void = () => {},
): number {
  const store = findStore(disk, root, options.commitlog);
  if (options.at === undefined && options.explain !== true) {
    for (const file of existing(root, options, chosenFiles(disk, store, options)))
      printFile(file, limitOf(options), options, print);
    return 0;
  }
  const { file, topic, queue, json = false, hex = false, at, indexSlots } = options;
  const toTheEnd = file !== undefined || topic !== undefined || queue !== undefined;
  const limit = at === undefined ? limitOf(options) : Number.POSITIVE_INFINITY;
  const shown = { json, hex, limit, toTheEnd, progress, whys: at !== undefined };
  const explainer = new Explainer(disk, shown, print);
  const records = new RecordLookup(disk, store);
  try {
    const against = { records, logStart: Number(store.logFiles[0] ?? 0) };
    if (at !== undefined) explainMessage(disk, store, at, against, explainer, indexSlots);
    else
      for (const one of existing(root, options, chosenFiles(disk, store, options, against)))
        explainer.file(one);
  } finally {
    records.close();
  }
  return explainer.damages;
}

function limitOf({ limit = DEFAULT_LIMIT }: DumpOptions): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

function existing(root: string, options: DumpOptions, files: DumpFile[]): DumpFile[] {
  if (files.length === 0) throw new UserError(`${root} has no such file: ${wanted(options)}.`);
  return files;
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
    if (item.explains === true) continue;
    if (shown === limit) {
      if (!json) print(`… and more: --limit 0 shows everything, --from begins further on.\n`);
      break;
    }
    print(json ? formatJson(file.path, item, hex) : formatItem(item, hex));
    shown++;
  }
  if (!json) print(shown === 0 ? 'nothing in it\n\n' : '\n');
}

function chosenFiles(disk: Disk, store: StoreFiles, options: DumpOptions, against?: Against): DumpFile[] {
  const { file, topic, queue } = options;
  if (topic !== undefined || queue !== undefined) {
    const isWanted = (name: string, id: number) => (topic ?? name) === name && (queue ?? id) === id;
    return queuesOf(disk, store, options, isWanted, against);
  }
  const all = allFiles(disk, store, options, against);
  if (file === undefined) {
    return options.from === undefined ? all : all.filter(({ path }) => /^commitlog\/\d/.test(path));
  }
  const inStore = relative(store.root, resolve(file)).split(sep).join('/');
  return all.filter(
    ({ path, source }) => path === file.replace(/^\.\//, '') || path === inStore || source === resolve(file),
  );
}

function allFiles(disk: Disk, store: StoreFiles, options: DumpOptions, against?: Against): DumpFile[] {
  const { from = 0, indexSlots } = options;
  const isBefore = (name: string) => from > 0 && Number(name) + store.logFileSize <= from;
  const known = [
    ...dumpSmallFiles(disk, store.root, against !== undefined),
    ...dumpTimerFiles(disk, store.root, from),
    ...actingFiles(disk, store.root, from, against !== undefined),
    ...store.logFiles
      .filter((name) => !isBefore(name))
      .map((name) => dumpCommitLogFile(disk, store, name, from)),
    ...dumpCutFiles(disk, store),
    ...queuesOf(disk, store, options, () => true, against),
    ...dumpDeletedQueues(disk, store),
    ...store.indexFiles.map((name) => dumpIndexFile(disk, store, name, from, indexSlots, against)),
  ];
  return against === undefined ? known : [...known, ...otherFiles(disk, store, known)];
}

/** Those that a slave has while it acts for its master. */
function actingFiles(disk: Disk, store: string, from: number, explains: boolean): DumpFile[] {
  const root = storePaths.actingTimers(store);
  const files = [...dumpSmallFiles(disk, root, explains), ...dumpTimerFiles(disk, root, from)];
  return files.map((file) => ({ ...file, path: relative(store, file.source) }));
}

function queuesOf(
  disk: Disk,
  store: StoreFiles,
  { from = 0 }: DumpOptions,
  isWanted: (topic: string, queueId: number) => boolean,
  against?: Against,
): DumpFile[] {
  return store.queues
    .filter(({ topic, queueId }) => isWanted(topic, queueId))
    .flatMap((queue) => queueFiles(disk, store.root, queue))
    .filter((path) => (Number(basename(path)) + store.queueFileSize) / ENTRY_BYTES > from)
    .map((path) => dumpQueueFile(disk, store, path, from, against));
}

function wanted({ file, topic, queue }: DumpOptions): string {
  if (file !== undefined) return file;
  return [topic === undefined ? '' : `topic ${topic}`, queue === undefined ? '' : `queue ${queue}`]
    .filter((part) => part !== '')
    .join(', ');
}
