/** ConsumeQueue files, entry by entry. */
import { basename, relative } from 'node:path';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { ENTRY_BYTES } from '../../store/queue/consume-queue.ts';
import { EntryBlock } from '../../store/read/queue-files.ts';
import type { DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import type { StoreFiles } from './store-files.ts';

const BLOCK = 1024;
/** RocketMQ with enableConsumeQueueExt stores addresses of another file in place of hashes: all below this. */
const EXT_ADDRESS_BELOW = -2147483648n;

/** `from` = queue offset before which nothing is shown. */
export function dumpQueueFile(disk: Disk, store: StoreFiles, path: string, from: number): DumpFile {
  const first = Number(basename(path)) / ENTRY_BYTES;
  return {
    path: relative(store.root, path),
    about:
      `ConsumeQueue: ${ENTRY_BYTES} bytes an entry, position of the record in the log (8), its size (4), ` +
      `tag hash or, of delayed messages, delivery time (8); this file begins with entry ${first}.`,
    items: items(disk, path, first, from, isSchedule(store, path)),
  };
}

function isSchedule(store: StoreFiles, path: string): boolean {
  return relative(storePaths.consumeQueue(store.root), path).startsWith(`${SCHEDULE_TOPIC}/`);
}

function* items(disk: Disk, path: string, first: number, from: number, times: boolean): Iterable<Item> {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  try {
    yield* entries(file, first, Math.max(first, from), times);
  } finally {
    file.close();
  }
}

function* entries(file: RangeFile, first: number, from: number, times: boolean): Iterable<Item> {
  const block = new EntryBlock(BLOCK);
  let offset = from;
  for (;;) {
    const read = file.read((offset - first) * ENTRY_BYTES, block.bytes, 0, block.bytes.length);
    block.count = Math.max(0, Math.floor(read / ENTRY_BYTES));
    for (let i = 0; i < block.count; i++) {
      if (isEmpty(block, i)) return;
      yield entry(block, i, offset + i, (offset + i - first) * ENTRY_BYTES, times);
    }
    if (block.count < BLOCK) return;
    offset += block.count;
  }
}

function entry(block: EntryBlock, i: number, offset: number, at: number, times: boolean): Item {
  const bytes = block.bytes.slice(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
  if (block.isFiller(i)) {
    return {
      what: `filler ${offset}`,
      at,
      short: true,
      fields: [{ name: 'size', value: block.size(i), meaning: 'the queue begins behind it' }],
      bytes,
    };
  }
  return {
    what: `entry ${offset}`,
    at,
    short: true,
    fields: [
      { name: 'physicalOffset', value: block.physicalOffset(i) },
      { name: 'size', value: block.size(i) },
      tagsField(block.tagsCode(i), times),
    ],
    bytes,
  };
}

function tagsField(value: bigint, isTime: boolean): Field {
  if (isTime) return { name: 'tagsCode', value, meaning: `to be delivered ${time(Number(value))}` };
  if (value < EXT_ADDRESS_BELOW) return { name: 'tagsCode', value, meaning: 'address in consumequeue_ext' };
  return { name: 'tagsCode', value };
}

function isEmpty(block: EntryBlock, i: number): boolean {
  return block.physicalOffset(i) === 0 && block.size(i) === 0;
}
