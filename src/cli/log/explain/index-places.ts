/** Where the index has a message: for each of its keys the slot, and the chain as far as the message's entry. */
import { copied } from '../../../lib/copied.ts';
import { readInt64 } from '../../../lib/int64.ts';
import { javaHashOfBytes } from '../../../lib/java-hash.ts';
import type { Disk, Mapping } from '../../../store/disk/disk.ts';
import {
  BEGIN_PHYSICAL,
  END_PHYSICAL,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  entryOffset,
  INDEX_COUNT,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  SLOT_BYTES,
  storedHash,
} from '../../../store/index/index-layout.ts';
import { storePaths } from '../../../store/paths.ts';
import { entryItem } from '../dump-index.ts';
import { indexGeometry } from '../index-geometry.ts';
import type { DumpFile, Field, Item } from '../item.ts';
import { type RecordKey, recordKeys } from '../record-keys.ts';
import type { RecordLookup } from '../record-lookup.ts';
import type { StoreFiles } from '../store-files.ts';
import { INDEX, SLOT } from './formats/index-file.ts';

/** Entries in front of the message's own that are shown. */
const SHOWN_CHAIN = 8;

/** An entry of a chain. */
export interface Link {
  number: number;
  hash: number;
  physical: number;
}

/** Index files that have the record at `position`; one that says so when none has. */
export function placesInIndex(
  disk: Disk,
  store: StoreFiles,
  position: number,
  topic: string,
  keys: readonly RecordKey[],
  slots?: number,
): DumpFile[] {
  if (keys.length === 0) return [nowhere('it has neither key nor tag, so it is not in the index')];
  const files: DumpFile[] = [];
  for (const name of store.indexFiles) {
    const source = `${storePaths.index(store.root)}/${name}`;
    const items = withIndex(disk, source, slots, (mapping, geometry) =>
      covers(mapping, position)
        ? keys.flatMap((key) => keyItems(mapping, geometry, topic, key, position))
        : [],
    );
    if (items !== undefined && items.length > 0)
      files.push({ path: `index/${name}`, source, format: INDEX, about: 'Its keys.', items });
  }
  const why = 'no index file covers its position: the dispatcher has not come so far, or the file is lost';
  return files.length > 0 ? files : [nowhere(why)];
}

/** Position of the newest record with this UNIQ_KEY, in whatever topic. */
export function positionOfKey(
  disk: Disk,
  store: StoreFiles,
  key: string,
  records: RecordLookup,
  slots?: number,
): number | undefined {
  const hashes = new Set(
    [...new Set(store.queues.map(({ topic }) => topic))].map((topic) => hashOf(`${topic}#${key}`)),
  );
  for (const name of [...store.indexFiles].reverse()) {
    const source = `${storePaths.index(store.root)}/${name}`;
    const found = withIndex(disk, source, slots, (mapping, geometry) => {
      for (const hash of hashes) {
        const link = chain(mapping, geometry, hash % geometry.slots).find(
          (one) => one.hash === hash && hasKey(records, one.physical, key),
        );
        if (link !== undefined) return link.physical;
      }
      return undefined;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

function hasKey(records: RecordLookup, physical: number, key: string): boolean {
  if (records.problemAt(physical) !== undefined || records.mapping === undefined) return false;
  return recordKeys(records.mapping, records.check.parts).some((one) => one.key === key);
}

function hashOf(text: string): number {
  const bytes = Buffer.from(text);
  return storedHash(javaHashOfBytes(bytes, 0, bytes.length));
}

/** Undefined when the file cannot be read, or nobody knows how many slots it has. */
export function withIndex<T>(
  disk: Disk,
  path: string,
  slots: number | undefined,
  use: (mapping: Mapping, geometry: IndexGeometry) => T,
): T | undefined {
  const size = disk.size(path);
  const mapping = size < INDEX_HEADER_BYTES ? -1 : disk.map(path, size);
  if (typeof mapping === 'number') return undefined;
  try {
    const geometry = indexGeometry(mapping, slots);
    return geometry === undefined ? undefined : use(mapping, geometry);
  } finally {
    mapping.close();
  }
}

function covers({ view }: Mapping, position: number): boolean {
  return readInt64(view, BEGIN_PHYSICAL) <= position && position <= readInt64(view, END_PHYSICAL);
}

/** From the newest entry on; ends where it does not lead to an older one. */
export function chain({ view }: Mapping, geometry: IndexGeometry, slot: number): Link[] {
  const count = Math.min(view.getInt32(INDEX_COUNT), geometry.entries);
  const links: Link[] = [];
  let number = view.getInt32(INDEX_HEADER_BYTES + slot * SLOT_BYTES);
  let last = geometry.entries;
  while (number > 0 && number < last) {
    const at = entryOffset(geometry, number);
    if (number < count)
      links.push({ number, hash: view.getInt32(at), physical: readInt64(view, at + ENTRY_PHYSICAL) });
    last = number;
    number = view.getInt32(at + ENTRY_PREVIOUS);
  }
  return links;
}

function keyItems(
  mapping: Mapping,
  geometry: IndexGeometry,
  topic: string,
  { key, hash }: RecordKey,
  position: number,
): Item[] {
  const slot = hash % geometry.slots;
  const links = chain(mapping, geometry, slot);
  const own = links.findIndex((link) => link.hash === hash && link.physical === position);
  const at = INDEX_HEADER_BYTES + slot * SLOT_BYTES;
  const fields: Field[] = [
    { name: 'key', value: `${topic}#${key}` },
    { name: 'keyHash', value: hash, meaning: `mod ${geometry.slots} slots = slot ${slot}` },
    {
      name: 'chain',
      value: links.length,
      meaning:
        own < 0
          ? 'entries, and this message is in none of them'
          : `entries; number ${own + 1} from the newest is this message`,
    },
  ];
  const damage =
    own < 0
      ? [
          {
            at,
            text: `the chain of slot ${slot} has no entry for the key ${key} of the record at ${position}`,
          },
        ]
      : [];
  const head: Item = {
    what: `slot ${slot}`,
    at,
    fields,
    bytes: copied(mapping.bytes, at, at + SLOT_BYTES),
    piece: SLOT,
    damage,
  };
  const shown = links.slice(0, own < 0 ? SHOWN_CHAIN : own + 1);
  const left = Math.max(0, shown.length - SHOWN_CHAIN - 1);
  const entries = [...shown.slice(0, SHOWN_CHAIN), ...shown.slice(SHOWN_CHAIN).slice(-1)].map(
    (link): Item => {
      const item = entryItem(mapping, geometry, link.number);
      return { ...item, fields: [...item.fields, whose(link, hash, position)] };
    },
  );
  if (left > 0)
    head.fields.push({ name: 'left out', value: left, meaning: 'entries between those that are shown' });
  return [head, ...entries];
}

function whose({ hash, physical }: Link, wanted: number, position: number): Field {
  const field = (value: string, meaning: string) => ({ name: 'whose', value, meaning });
  if (hash !== wanted) return field('another key', 'which has the same slot');
  if (physical === position) return field('this message', '');
  return field('another message', 'with this hash: it has the same key, or one that collides');
}

function nowhere(text: string): DumpFile {
  const items: Item[] = [{ what: 'no entry', at: 0, fields: [{ name: 'why', value: text }] }];
  return { path: 'index', source: '', format: INDEX, about: 'Where its keys would be.', items };
}
