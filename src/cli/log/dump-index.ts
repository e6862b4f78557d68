/** Index files: header, then the entries in the order in which they were made; for --explain slots in between. */
import { join } from 'node:path';
import { copied } from '../../lib/copied.ts';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import {
  BEGIN_TIMESTAMP,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  ENTRY_TIME,
  entryOffset,
  INDEX_COUNT,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  SLOT_BYTES,
} from '../../store/index/index-layout.ts';
import { storePaths } from '../../store/paths.ts';
import type { Against } from './dump-queue.ts';
import { HEADER, INDEX, INDEX_ENTRY, SLOT } from './explain/formats/index-file.ts';
import { pieceFields } from './explain/piece-fields.ts';
import { indexGeometry } from './index-geometry.ts';
import type { Damage, DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import { indexEntryProblem } from './record-keys.ts';
import type { StoreFiles } from './store-files.ts';

/** Slots in use that --explain shows, as an example. */
const SHOWN_SLOTS = 3;

/** `from` = number of the entry before which none is shown; `slots` = hash slots, where the content does not tell. */
export function dumpIndexFile(
  disk: Disk,
  store: StoreFiles,
  name: string,
  from: number,
  slots?: number,
  against?: Against,
): DumpFile {
  const path = join(storePaths.index(store.root), name);
  const size = disk.size(path);
  return {
    path: `index/${name}`,
    source: path,
    format: INDEX,
    about: 'Index: header (40 bytes), hash slots (4 bytes: newest entry of the chain), entries (20 bytes).',
    items: items(disk, path, from, slots, against),
    damage: () =>
      size >= INDEX_HEADER_BYTES
        ? []
        : [{ at: size, text: `the file ends here: ${INDEX_HEADER_BYTES} bytes of header belong there` }],
  };
}

function* items(disk: Disk, path: string, from: number, slots?: number, against?: Against): Iterable<Item> {
  const size = disk.size(path);
  if (size < INDEX_HEADER_BYTES) return;
  const mapping = disk.map(path, size);
  if (typeof mapping === 'number') throw new Error(`${path} cannot be read (errno ${-mapping}).`);
  try {
    const geometry = indexGeometry(mapping, slots);
    yield header(mapping, geometry);
    if (geometry === undefined) return;
    yield* slotItems(mapping, geometry);
    yield* entries(mapping, geometry, from, against);
  } finally {
    mapping.close();
  }
}

function header({ view, bytes, size }: Mapping, geometry: IndexGeometry | undefined): Item {
  const shape: Field[] =
    geometry === undefined
      ? [{ name: 'slots', value: 'unknown', meaning: 'say how many with --index-slots' }]
      : [
          { name: 'slots', value: geometry.slots, meaning: 'maxHashSlotNum, seen from the content' },
          { name: 'entries', value: geometry.entries, meaning: 'maxIndexNum' },
        ];
  const head = copied(bytes, 0, INDEX_HEADER_BYTES);
  const fields = pieceFields(HEADER, head).map(({ at, name, value, spec }): Field => {
    const meaning = name.endsWith('Timestamp')
      ? spec.meaning.replace('ms since 1970', time(Number(value)))
      : spec.meaning;
    return { at, name, value, meaning };
  });
  const damage = headerDamage(view, size, geometry);
  return { what: 'header', at: 0, fields: [...fields, ...shape], bytes: head, piece: HEADER, damage };
}

function headerDamage(view: DataView, size: number, geometry: IndexGeometry | undefined): Damage[] {
  const damage: Damage[] = [];
  for (const { at, name, value } of pieceFields(
    HEADER,
    new Uint8Array(view.buffer, view.byteOffset, INDEX_HEADER_BYTES),
  )) {
    if (Number(value) < 0 || !Number.isSafeInteger(Number(value)))
      damage.push({ at, text: `${name} is ${value}, which is no time, position or number` });
  }
  const count = view.getInt32(INDEX_COUNT);
  if (geometry === undefined)
    damage.push({
      at: size,
      text: `its ${size} bytes and its content fit no number of slots: say how many with --index-slots`,
    });
  else if (count > geometry.entries)
    damage.push({
      at: INDEX_COUNT,
      text: `indexCount is ${count}, there is room for ${geometry.entries} entries`,
    });
  return damage;
}

/** The first ones in use, and all that cannot be meant. */
function* slotItems({ view, bytes }: Mapping, geometry: IndexGeometry): Iterable<Item> {
  const count = Math.min(view.getInt32(INDEX_COUNT), geometry.entries);
  let shown = 0;
  for (let slot = 0; slot < geometry.slots; slot++) {
    const at = INDEX_HEADER_BYTES + slot * SLOT_BYTES;
    const newest = view.getInt32(at);
    if (newest === 0) continue;
    const problem = slotProblem(view, geometry, slot, newest, count);
    if (problem === undefined && shown >= SHOWN_SLOTS) continue;
    if (problem === undefined) shown++;
    const entryAt = { name: 'entry at', value: entryOffset(geometry, newest), meaning: 'byte of the file' };
    yield {
      what: `slot ${slot}`,
      at,
      explains: true,
      fields: problem === undefined ? [entryAt] : [],
      bytes: copied(bytes, at, at + SLOT_BYTES),
      piece: SLOT,
      ...(problem === undefined ? {} : { damage: [{ at, text: problem }] }),
    };
  }
}

function slotProblem(
  view: DataView,
  geometry: IndexGeometry,
  slot: number,
  newest: number,
  count: number,
): string | undefined {
  if (newest < 0 || newest >= geometry.entries)
    return `names entry ${newest}, the file has room for ${geometry.entries}`;
  // A broker at work writes slots before it counts their entries.
  if (newest >= count) return undefined;
  const hash = view.getInt32(entryOffset(geometry, newest));
  return hash % geometry.slots === slot
    ? undefined
    : `names entry ${newest}, whose hash ${hash} belongs into slot ${hash % geometry.slots}`;
}

function* entries(
  mapping: Mapping,
  geometry: IndexGeometry,
  from: number,
  against?: Against,
): Iterable<Item> {
  const count = Math.min(mapping.view.getInt32(INDEX_COUNT), geometry.entries);
  for (let number = Math.max(1, from); number < count; number++)
    yield entryItem(mapping, geometry, number, against);
}

/** Of a number that the header counts. */
export function entryItem(
  { view, bytes }: Mapping,
  geometry: IndexGeometry,
  number: number,
  against?: Against,
): Item {
  const begin = readInt64(view, BEGIN_TIMESTAMP);
  const at = entryOffset(geometry, number);
  const hash = view.getInt32(at);
  const seconds = view.getInt32(at + ENTRY_TIME);
  const damage = entryDamage(view, at, number, against);
  return {
    what: `entry ${number}`,
    at,
    short: true,
    fields: [
      { name: 'keyHash', value: hash, meaning: `slot ${hash % geometry.slots}` },
      { name: 'phyOffset', value: readInt64(view, at + ENTRY_PHYSICAL) },
      { name: 'timeDiff', value: seconds, meaning: time(begin + seconds * 1000) },
      { name: 'previous', value: view.getInt32(at + ENTRY_PREVIOUS) },
    ],
    bytes: copied(bytes, at, at + INDEX_ENTRY_BYTES),
    piece: INDEX_ENTRY,
    ...(damage === undefined ? {} : { damage: [damage] }),
  };
}

function entryDamage(view: DataView, at: number, number: number, against?: Against): Damage | undefined {
  const hash = view.getInt32(at);
  const physical = readInt64(view, at + ENTRY_PHYSICAL);
  const previous = view.getInt32(at + ENTRY_PREVIOUS);
  if (hash < 0) return { at, text: `keyHash ${hash} is negative` };
  if (physical < 0 || !Number.isSafeInteger(physical))
    return { at: at + ENTRY_PHYSICAL, text: `phyOffset ${physical} is no position` };
  if (view.getInt32(at + ENTRY_TIME) < 0)
    return { at: at + ENTRY_TIME, text: `timeDiff ${view.getInt32(at + ENTRY_TIME)} is negative` };
  if (previous < 0 || previous >= number)
    return { at: at + ENTRY_PREVIOUS, text: `previous ${previous} is no older entry than ${number}` };
  if (against === undefined || physical < against.logStart) return undefined;
  const problem = indexEntryProblem(against.records, physical, hash);
  return problem === undefined
    ? undefined
    : { at: at + ENTRY_PHYSICAL, text: `points to ${physical}: ${problem}` };
}
