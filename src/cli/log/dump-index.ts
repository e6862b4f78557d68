/** Index files: header, then the entries in the order in which they were made. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
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
import type { DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import { indexGeometry, type StoreFiles } from './store-files.ts';

/** `from` = number of the entry before which none is shown. */
export function dumpIndexFile(
  disk: Disk,
  store: StoreFiles,
  name: string,
  from: number,
  slots?: number,
): DumpFile {
  const path = join(storePaths.index(store.root), name);
  const geometry = indexGeometry(disk.size(path), slots);
  const shape =
    geometry === undefined
      ? 'its size does not tell how many slots it has (--index-slots)'
      : `this file has ${geometry.slots} slots and room for ${geometry.entries} entries`;
  return {
    path: `index/${name}`,
    about: `Index: header (40 bytes), hash slots (4 bytes: newest entry of the chain), entries (20 bytes); ${shape}.`,
    items: items(disk, path, geometry, from),
  };
}

function* items(disk: Disk, path: string, geometry: IndexGeometry | undefined, from: number): Iterable<Item> {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  try {
    const bytes = new Uint8Array(INDEX_HEADER_BYTES);
    if (file.read(0, bytes, 0, INDEX_HEADER_BYTES) !== INDEX_HEADER_BYTES) return;
    const view = new DataView(bytes.buffer);
    yield { what: 'header', at: 0, fields: headerFields(view), bytes: bytes.slice() };
    if (geometry !== undefined) yield* entries(file, geometry, view, from);
  } finally {
    file.close();
  }
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

function* entries(file: RangeFile, geometry: IndexGeometry, header: DataView, from: number): Iterable<Item> {
  const begin = readInt64(header, BEGIN_TIMESTAMP);
  const count = Math.min(header.getInt32(INDEX_COUNT), geometry.entries);
  const bytes = new Uint8Array(INDEX_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let number = Math.max(1, from); number < count; number++) {
    const at = entryOffset(geometry, number);
    if (file.read(at, bytes, 0, INDEX_ENTRY_BYTES) !== INDEX_ENTRY_BYTES) return;
    const hash = view.getInt32(0);
    yield {
      what: `entry ${number}`,
      at,
      short: true,
      fields: [
        { name: 'keyHash', value: hash, meaning: `slot ${hash % geometry.slots}` },
        { name: 'phyOffset', value: readInt64(view, ENTRY_PHYSICAL) },
        {
          name: 'timeDiff',
          value: view.getInt32(ENTRY_TIME),
          meaning: time(begin + view.getInt32(ENTRY_TIME) * 1000),
        },
        { name: 'previous', value: view.getInt32(ENTRY_PREVIOUS) },
      ],
      bytes: bytes.slice(),
    };
  }
}
