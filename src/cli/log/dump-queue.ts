/** ConsumeQueue files, entry by entry. */
import { basename, join, relative } from 'node:path';
import { copied } from '../../lib/copied.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { ENTRY_BYTES, ENTRY_SIZE_AT } from '../../store/queue/consume-queue.ts';
import { EntryBlock } from '../../store/read/queue-files.ts';
import type { QueueName } from '../../store/recovery/queue-recovery.ts';
import { EntryProblems, EXT_ADDRESS_BELOW } from './explain/entry-problem.ts';
import { CONSUME_QUEUE, DELETED_QUEUE, ENTRY } from './explain/formats/consume-queue.ts';
import type { Damage, DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import type { RecordLookup } from './record-lookup.ts';
import { positionFiles, type StoreFiles } from './store-files.ts';

const BLOCK = 1024;

/** What entries are held against; without it they are only shown. */
export interface Against {
  records: RecordLookup;
  /** Position of the first record that still exists. */
  logStart: number;
}

interface Walk {
  file: RangeFile;
  /** Number of the file's first entry. */
  first: number;
  times: boolean;
  queue: QueueName;
  problems: EntryProblems | undefined;
  logStart: number;
}

/** `from` = queue offset before which nothing is shown. */
export function dumpQueueFile(
  disk: Disk,
  store: StoreFiles,
  path: string,
  from: number,
  against?: Against,
): DumpFile {
  const first = Number(basename(path)) / ENTRY_BYTES;
  const size = disk.size(path);
  return {
    path: relative(store.root, path),
    source: path,
    format: CONSUME_QUEUE,
    about:
      `ConsumeQueue: ${ENTRY_BYTES} bytes an entry, position of the record in the log (8), its size (4), ` +
      `tag hash or, of delayed messages, delivery time (8); this file begins with entry ${first}.`,
    items: items(disk, path, from, queueOf(store, path), against),
    damage: () => fileDamage(size, first, store.queueFileSize),
  };
}

/** Queues of deleted topics that nobody has removed yet. */
export function dumpDeletedQueues(disk: Disk, store: StoreFiles): DumpFile[] {
  const place = join(storePaths.consumeQueue(store.root), '.deleted');
  const directories = (path: string) =>
    disk
      .list(path)
      .sort()
      .map((name) => join(path, name))
      .filter((child) => disk.isDirectory(child));
  return directories(place)
    .flatMap(directories)
    .flatMap((queue) => positionFiles(disk, queue).map((name) => join(queue, name)))
    .map((path) => ({ ...dumpQueueFile(disk, store, path, 0), format: DELETED_QUEUE }));
}

function fileDamage(size: number, first: number, usual: number): Damage[] {
  const damage: Damage[] = [];
  if (!Number.isInteger(first))
    damage.push({ at: 0, text: `its name is no multiple of ${ENTRY_BYTES}: no entry begins here` });
  if (size % ENTRY_BYTES !== 0)
    damage.push({
      at: size - (size % ENTRY_BYTES),
      text: `${size % ENTRY_BYTES} bytes are left, too few for an entry`,
    });
  if (size !== usual)
    damage.push({ at: size, text: `the file ends here: it has ${size} bytes, the others have ${usual}` });
  return damage;
}

function queueOf(store: StoreFiles, path: string): QueueName {
  const [topic = '', queueId] = relative(storePaths.consumeQueue(store.root), path).split('/');
  return { topic, queueId: Number(queueId) };
}

function* items(disk: Disk, path: string, from: number, queue: QueueName, against?: Against): Iterable<Item> {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  const first = Math.ceil(Number(basename(path)) / ENTRY_BYTES);
  try {
    yield* entries(
      {
        file,
        first,
        times: queue.topic === SCHEDULE_TOPIC,
        queue,
        problems: against && new EntryProblems(against.records),
        logStart: against?.logStart ?? 0,
      },
      Math.max(first, from),
    );
  } finally {
    file.close();
  }
}

/** Entries that are missing between others are one item. */
function* entries(walk: Walk, from: number): Iterable<Item> {
  const block = new EntryBlock(BLOCK);
  let missingFrom = -1;
  let lastPhysical = -1;
  for (let offset = from; ; offset += BLOCK) {
    const read = walk.file.read((offset - walk.first) * ENTRY_BYTES, block.bytes, 0, block.bytes.length);
    if (read < 0) throw new Error(`a ConsumeQueue cannot be read at entry ${offset} (errno ${-read}).`);
    block.count = Math.floor(read / ENTRY_BYTES);
    for (let i = 0; i < block.count; i++) {
      if (isEmpty(block, i)) {
        if (missingFrom < 0) missingFrom = offset + i;
        continue;
      }
      if (missingFrom >= 0) yield missing(walk, missingFrom, offset + i);
      missingFrom = -1;
      yield entry(walk, block, i, offset + i, lastPhysical);
      lastPhysical = Math.max(lastPhysical, block.physicalOffset(i));
    }
    if (block.count < BLOCK) return;
  }
}

function missing({ first }: Walk, from: number, to: number): Item {
  const at = (from - first) * ENTRY_BYTES;
  const which = to - from === 1 ? `entry ${from} is` : `entries ${from} to ${to - 1} are`;
  const text = `${which} missing: zeros stand there, and real entries follow`;
  return {
    what: 'no entry',
    at,
    short: true,
    fields: [{ name: 'entries', value: to - from }],
    damage: [{ at, text }],
  };
}

function entry(walk: Walk, block: EntryBlock, i: number, offset: number, lastPhysical: number): Item {
  const at = (offset - walk.first) * ENTRY_BYTES;
  const bytes = copied(block.bytes, i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
  const isFiller = block.isFiller(i);
  const item: Item = {
    what: `${isFiller ? 'filler' : 'entry'} ${offset}`,
    at,
    short: true,
    fields: isFiller
      ? [{ name: 'size', value: block.size(i), meaning: 'the queue begins behind it' }]
      : [
          positionField(block.physicalOffset(i), walk),
          { name: 'size', value: block.size(i) },
          tagsField(block.tagsCode(i), walk.times),
        ],
    bytes,
    piece: ENTRY,
  };
  if (isFiller) return item;
  const damage = entryDamage(walk, block, i, offset, lastPhysical);
  return damage === undefined ? item : { ...item, damage: [{ at: at + damage.at, text: damage.text }] };
}

/** `at` is the offset in the entry. */
function entryDamage(
  { problems, queue, logStart }: Walk,
  block: EntryBlock,
  i: number,
  offset: number,
  lastPhysical: number,
): Damage | undefined {
  const [physical, size] = [block.physicalOffset(i), block.size(i)];
  if (physical < 0 || !Number.isSafeInteger(physical))
    return { at: 0, text: `physicalOffset ${physical} is no position` };
  if (size <= 0) return { at: ENTRY_SIZE_AT, text: `size ${size} is that of no record` };
  if (physical <= lastPhysical)
    return { at: 0, text: `points to ${physical}, which is not behind the entry in front (${lastPhysical})` };
  if (problems === undefined || physical < logStart) return undefined;
  const found = problems.of({ offset, physical, size, tagsCode: block.tagsCode(i) }, queue);
  return found && { at: found.at, text: `points to ${physical}: ${found.text}` };
}

function positionField(value: number, { logStart }: Walk): Field {
  const name = 'physicalOffset';
  return value < logStart
    ? { name, value, meaning: `in front of the log (${logStart}): the message has expired` }
    : { name, value };
}

function tagsField(value: bigint, isTime: boolean): Field {
  if (isTime) return { name: 'tagsCode', value, meaning: `to be delivered ${time(Number(value))}` };
  if (value < EXT_ADDRESS_BELOW) return { name: 'tagsCode', value, meaning: 'address in consumequeue_ext' };
  return { name: 'tagsCode', value };
}

function isEmpty(block: EntryBlock, i: number): boolean {
  return block.physicalOffset(i) === 0 && block.size(i) === 0 && block.tagsCode(i) === 0n;
}
