/** Index files: header, then the entries in the order in which they were made. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import {
  BEGIN_PHYSICAL,
  BEGIN_TIMESTAMP,
  END_PHYSICAL,
  END_TIMESTAMP,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  ENTRY_TIME,
  entryOffset,
  INDEX_COUNT,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  SLOT_COUNT,
} from '../../store/index/index-layout.ts';
import { storePaths } from '../../store/paths.ts';
import { indexGeometry } from './index-geometry.ts';
import type { DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import type { StoreFiles } from './store-files.ts';

/** `from` = number of the entry before which none is shown. */
export function dumpIndexFile(
  disk: Disk,
  store: StoreFiles,
  name: string,
  from: number,
  slots?: number,
): DumpFile {
  return {
    path: `index/${name}`,
    about: 'Index: header (40 bytes), hash slots (4 bytes: newest entry of the chain), entries (20 bytes).',
    items: items(disk, join(storePaths.index(store.root), name), from, slots),
  };
}

function* items(disk: Disk, path: string, from: number, slots?: number): Iterable<Item> {
  const size = disk.size(path);
  if (size < INDEX_HEADER_BYTES) return;
  const mapping = disk.map(path, size);
  if (typeof mapping === 'number') throw new Error(`${path} cannot be read (errno ${-mapping}).`);
  try {
    const geometry = indexGeometry(mapping, slots);
    yield header(mapping, geometry);
    if (geometry !== undefined) yield* entries(mapping, geometry, from);
  } finally {
    mapping.close();
  }
}

function header({ view, bytes }: Mapping, geometry: IndexGeometry | undefined): Item {
  const shape: Field[] =
    geometry === undefined
      ? [{ name: 'slots', value: 'unknown', meaning: 'say how many with --index-slots' }]
      : [
          { name: 'slots', value: geometry.slots, meaning: 'maxHashSlotNum, seen from the content' },
          { name: 'entries', value: geometry.entries, meaning: 'maxIndexNum' },
        ];
  return {
    what: 'header',
    at: 0,
    fields: [...headerFields(view), ...shape],
    bytes: bytes.slice(0, INDEX_HEADER_BYTES),
  };
}

function headerFields(view: DataView): Field[] {
  const begin = readInt64(view, BEGIN_TIMESTAMP);
  const end = readInt64(view, END_TIMESTAMP);
  return [
    { at: BEGIN_TIMESTAMP, name: 'beginTimestamp', value: begin, meaning: `first record, ${time(begin)}` },
    { at: END_TIMESTAMP, name: 'endTimestamp', value: end, meaning: `last record, ${time(end)}` },
    {
      at: BEGIN_PHYSICAL,
      name: 'beginPhyOffset',
      value: readInt64(view, BEGIN_PHYSICAL),
      meaning: 'position of the first record',
    },
    {
      at: END_PHYSICAL,
      name: 'endPhyOffset',
      value: readInt64(view, END_PHYSICAL),
      meaning: 'position of the last',
    },
    { at: SLOT_COUNT, name: 'hashSlotCount', value: view.getInt32(SLOT_COUNT), meaning: 'slots in use' },
    {
      at: INDEX_COUNT,
      name: 'indexCount',
      value: view.getInt32(INDEX_COUNT),
      meaning: 'number of the next entry; 0 is never used',
    },
  ];
}

function* entries({ view, bytes }: Mapping, geometry: IndexGeometry, from: number): Iterable<Item> {
  const begin = readInt64(view, BEGIN_TIMESTAMP);
  const count = Math.min(view.getInt32(INDEX_COUNT), geometry.entries);
  for (let number = Math.max(1, from); number < count; number++) {
    const at = entryOffset(geometry, number);
    const hash = view.getInt32(at);
    const seconds = view.getInt32(at + ENTRY_TIME);
    yield {
      what: `entry ${number}`,
      at,
      short: true,
      fields: [
        { name: 'keyHash', value: hash, meaning: `slot ${hash % geometry.slots}` },
        { name: 'phyOffset', value: readInt64(view, at + ENTRY_PHYSICAL) },
        { name: 'timeDiff', value: seconds, meaning: time(begin + seconds * 1000) },
        { name: 'previous', value: view.getInt32(at + ENTRY_PREVIOUS) },
      ],
      bytes: bytes.slice(at, at + INDEX_ENTRY_BYTES),
    };
  }
}
