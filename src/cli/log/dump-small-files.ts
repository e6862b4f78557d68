/** The store's small files: checkpoint, abort, lock, boot mark and everything under config/. */
import { basename, join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { dumpTimerCheck } from './dump-timers.ts';
import type { DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';

const CHECKPOINT_FIELDS = [
  ['physicMsgTimestamp', 'store time of a record known to be durable in the log'],
  ['logicsMsgTimestamp', 'store time of the last record whose queue entry is durable'],
  ['indexMsgTimestamp', 'store time of the last record in a completed index file'],
  ['masterFlushedOffset', 'of a slave: what resetMasterFlushOffset has set'],
  ['confirmPhyOffset', 'only with a controller'],
  ['logicsPhysicalOffset', 'start of the record of logicsMsgTimestamp: recovery after a crash begins there'],
] as const;

const TEXT_FILES: readonly (readonly [(root: string) => string, string])[] = [
  [
    storePaths.abort,
    'abort: exists while a broker runs, holds its process id; found at start, the last stop was not clean.',
  ],
  [storePaths.lock, 'lock: a broker holds a lock on its first byte while it runs.'],
  [storePaths.timerClock, "ringmq.timer-clock: RingMQ's own, what spans of timed messages count in; ms."],
  [storePaths.boot, "ringmq.boot: RingMQ's own, the boot of the machine in which the store was last opened."],
];

/** Those that exist. */
export function dumpSmallFiles(disk: Disk, root: string): DumpFile[] {
  const files: DumpFile[] = [];
  if (disk.size(storePaths.checkpoint(root)) >= 0) {
    files.push({
      path: 'checkpoint',
      about: 'checkpoint: how far log, queues and index are durable; six numbers of 8 bytes.',
      items: checkpoint(disk, storePaths.checkpoint(root)),
    });
  }
  for (const [pathOf, about] of TEXT_FILES) {
    if (disk.size(pathOf(root)) >= 0)
      files.push({ path: basename(pathOf(root)), about, items: text(disk, pathOf(root)) });
  }
  const config = storePaths.config(root);
  for (const name of disk.list(config).sort()) {
    const path = join(config, name);
    if (disk.isDirectory(path)) continue;
    if (path === storePaths.timerCheck(root)) {
      files.push(dumpTimerCheck(disk, root));
      continue;
    }
    files.push({
      path: `config/${name}`,
      about: 'State of topics, groups or offsets, as JSON.',
      items: text(disk, path),
    });
  }
  return files;
}

function* checkpoint(disk: Disk, path: string): Iterable<Item> {
  const bytes = disk.readWhole(path);
  if (bytes === undefined || bytes.length < CHECKPOINT_FIELDS.length * 8) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields = CHECKPOINT_FIELDS.map(([name, meaning], i): Field => {
    const value = readInt64(view, i * 8);
    const date = name.endsWith('Timestamp') ? time(value) : '';
    return { at: i * 8, name, value, meaning: date === '' ? meaning : `${meaning}, ${date}` };
  });
  yield { what: 'checkpoint', at: 0, fields, bytes: bytes.subarray(0, CHECKPOINT_FIELDS.length * 8) };
}

function* text(disk: Disk, path: string): Iterable<Item> {
  const bytes = disk.readWhole(path);
  if (bytes !== undefined)
    yield { what: 'text', at: 0, fields: [], text: Buffer.from(bytes).toString('utf8'), bytes };
}
