/**
 * How many slots an index file has. Its size alone leaves that open; what it holds does not: the newest entry of all is
 * the head of its slot's chain.
 */
import { readInt64 } from '../../lib/int64.ts';
import type { Mapping } from '../../store/disk/disk.ts';
import {
  BEGIN_PHYSICAL,
  END_PHYSICAL,
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  ENTRY_TIME,
  entryOffset,
  INDEX_COUNT,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  type IndexGeometry,
  indexFileBytes,
  SLOT_BYTES,
} from '../../store/index/index-layout.ts';

/** RocketMQ's default: four entries to a slot. */
const USUAL_UNIT = SLOT_BYTES + 4 * INDEX_ENTRY_BYTES;

/** A broker at work may change the header while it is read. */
const TRIES = 5;

/** `slots` as a person gave it; undefined when neither that nor the content leads to a shape that fits the size. */
export function indexGeometry(mapping: Mapping, slots?: number): IndexGeometry | undefined {
  if (slots !== undefined) return geometryOf(mapping.size, slots);
  const usual = geometryOf(mapping.size, (mapping.size - INDEX_HEADER_BYTES) / USUAL_UNIT);
  for (let tries = 0; tries < TRIES; tries++) {
    const last = mapping.view.getInt32(INDEX_COUNT) - 1;
    if (last < 1) return usual;
    if (usual !== undefined && agrees(mapping, usual, last)) return usual;
    const found = fromContent(mapping, last);
    if (found !== undefined) return found;
  }
  // Damage may hide the slots of a usual file; its size then has the last word.
  return usual;
}

function geometryOf(size: number, slots: number): IndexGeometry | undefined {
  const entries = (size - indexFileBytes({ slots, entries: 0 })) / INDEX_ENTRY_BYTES;
  const fits = Number.isInteger(slots) && Number.isInteger(entries) && slots > 0 && entries > 0;
  return fits ? { slots, entries } : undefined;
}

/** Wherever the position of the last record stands, the last entry may be: each such place gives a number of slots. */
function fromContent(mapping: Mapping, last: number): IndexGeometry | undefined {
  const bytes = Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset, mapping.size);
  const wanted = Buffer.from(bytes.subarray(END_PHYSICAL, END_PHYSICAL + 8));
  let at = bytes.indexOf(wanted, INDEX_HEADER_BYTES);
  while (at >= 0) {
    const slotBytes = at - ENTRY_PHYSICAL - last * INDEX_ENTRY_BYTES - INDEX_HEADER_BYTES;
    const geometry = geometryOf(mapping.size, slotBytes / SLOT_BYTES);
    if (geometry !== undefined && agrees(mapping, geometry, last)) return geometry;
    at = bytes.indexOf(wanted, at + 1);
  }
  return undefined;
}

/** Whether the first and the last entry, and the slot of the last, are where they would be with this shape. */
function agrees({ view, size }: Mapping, geometry: IndexGeometry, last: number): boolean {
  const at = entryOffset(geometry, last);
  if (last >= geometry.entries || at + INDEX_ENTRY_BYTES > size) return false;
  const first = entryOffset(geometry, 1);
  const begins = readInt64(view, first + ENTRY_PHYSICAL) === readInt64(view, BEGIN_PHYSICAL);
  if (!begins || view.getInt32(first + ENTRY_TIME) !== 0 || view.getInt32(first + ENTRY_PREVIOUS) !== 0)
    return false;
  const hash = view.getInt32(at);
  if (hash < 0 || readInt64(view, at + ENTRY_PHYSICAL) > readInt64(view, END_PHYSICAL)) return false;
  // A broker at work may have put newer entries in front of it already.
  return view.getInt32(INDEX_HEADER_BYTES + (hash % geometry.slots) * SLOT_BYTES) >= last;
}
