/**
 * IndexFile, big-endian (RocketMQ): from the hash of `topic#key` to positions in the log.
 *
 *     header, 40 bytes
 *          0 beginTimestamp  i64  store time of the first record, ms
 *          8 endTimestamp    i64  of the last
 *         16 beginPhyOffset  i64  position of the first record
 *         24 endPhyOffset    i64  of the last; records before it are in the index already
 *         32 hashSlotCount   i32  slots in use
 *         36 indexCount      i32  number of the next entry; starts at 1, entry 0 is never used
 *     slots, 4 bytes each: number of the newest entry of the chain; valid while 0 < number < indexCount
 *     entries, 20 bytes each
 *          0 keyHash         i32  |Java hash| of `topic#key`
 *          4 phyOffset       i64
 *         12 timeDiff        i32  seconds since beginTimestamp
 *         16 previous        i32  older entry of the slot, 0 = none
 */
export const BEGIN_TIMESTAMP = 0;
export const END_TIMESTAMP = 8;
export const BEGIN_PHYSICAL = 16;
export const END_PHYSICAL = 24;
export const SLOT_COUNT = 32;
export const INDEX_COUNT = 36;
export const INDEX_HEADER_BYTES = 40;
export const SLOT_BYTES = 4;
export const INDEX_ENTRY_BYTES = 20;
export const ENTRY_PHYSICAL = 4;
export const ENTRY_TIME = 12;
export const ENTRY_PREVIOUS = 16;

export interface IndexGeometry {
  slots: number;
  /** Entries, the unused entry 0 included. */
  entries: number;
}

export function indexFileBytes(geometry: IndexGeometry): number {
  return INDEX_HEADER_BYTES + geometry.slots * SLOT_BYTES + geometry.entries * INDEX_ENTRY_BYTES;
}

export function entryOffset(geometry: IndexGeometry, entry: number): number {
  return INDEX_HEADER_BYTES + geometry.slots * SLOT_BYTES + entry * INDEX_ENTRY_BYTES;
}

/** What a file stores for a key's Java hash: its magnitude; the one value without magnitude becomes 0. */
export function storedHash(javaHash: number): number {
  return javaHash === -0x80000000 ? 0 : Math.abs(javaHash);
}

/** `yyyyMMddHHmmssSSS` in local time: the name of an index file made now. */
export function indexFileName(now: number): string {
  const d = new Date(now);
  const two = (n: number) => String(n).padStart(2, '0');
  return (
    String(d.getFullYear()).padStart(4, '0') +
    two(d.getMonth() + 1) +
    two(d.getDate()) +
    two(d.getHours()) +
    two(d.getMinutes()) +
    two(d.getSeconds()) +
    String(d.getMilliseconds()).padStart(3, '0')
  );
}
