/**
 * Is there a sound record at this place of the log? Recovery and `log check` trust nothing else.
 *
 * Checked: magic, size (against the file's end and against the sum of the parts), that the record names its own
 * position (RocketMQ does not check this; stale but well-formed bytes behind the tail would come back to life), the
 * body's CRC, and that no part of topic and properties is missing.
 *
 * The format has no checksum for the text. A page or sector that never reached the disk shows as zeros, and so does the
 * end of a record that a killed RocketMQ was still copying; a NUL that a producer once put into a property looks the
 * same, but stands among other bytes. So text counts as missing when it ends in NUL, or when a whole sector of it is
 * zeros; a record with other NULs is odd, but whole. New messages with NUL are refused, older ones may lie in the log.
 */
import { BLANK_BYTES, MAGIC_BLANK, MAGIC_V1, MAGIC_V2 } from '../../record/layout.ts';
import { bodyCrcOf, magicOf, physicalOffsetOf, RecordParts, totalSizeOf } from '../../record/view.ts';
import type { Mapping } from '../disk/disk.ts';

export type Unsound =
  | 'no magic'
  | 'size does not fit'
  | 'parts do not add up'
  | 'names another position'
  | 'body checksum differs'
  | 'a part of topic or properties is missing';

/** What a disk writes as a whole at least. */
export const SECTOR = 512;

export class RecordCheck {
  /** Of the record found sound. */
  readonly parts = new RecordParts();
  /** Size of the record, or of the BLANK up to the end of the file. */
  size = 0;
  blank = false;
  /** The record found sound has NULs in its text. */
  odd = false;
  /** Why the last `check` said no. */
  reason: Unsound = 'no magic';

  /** True for a sound record or BLANK at `at` of a file that starts at `fileStart`. */
  check(mapping: Mapping, at: number, fileStart: number, withCrc = true): boolean {
    const { view } = mapping;
    this.blank = false;
    if (at + BLANK_BYTES > mapping.size) return this.#no('size does not fit');
    const magic = magicOf(view, at);
    this.size = totalSizeOf(view, at);
    if (magic === MAGIC_BLANK) {
      this.blank = true;
      return this.size === mapping.size - at || this.#no('size does not fit');
    }
    if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return this.#no('no magic');
    if (this.size <= 0 || at + this.size + BLANK_BYTES > mapping.size) return this.#no('size does not fit');
    if (!this.parts.locate(view, at, at + this.size) || this.parts.size !== this.size) {
      return this.#no('parts do not add up');
    }
    if (physicalOffsetOf(view, at) !== fileStart + at) return this.#no('names another position');
    if (withCrc && !this.#crcHolds(mapping, at)) return this.#no('body checksum differs');
    return this.#textHolds(mapping.bytes) || this.#no('a part of topic or properties is missing');
  }

  #crcHolds(mapping: Mapping, at: number): boolean {
    const { bodyOffset, bodyLength } = this.parts;
    return (
      bodyLength === 0 || (mapping.crc(bodyOffset, bodyLength) & 0x7fffffff) === bodyCrcOf(mapping.view, at)
    );
  }

  #textHolds(bytes: Uint8Array): boolean {
    const { topicOffset, topicLength, propertiesOffset, propertiesLength } = this.parts;
    if (topicLength === 0) return false;
    const topicEnd = topicOffset + topicLength;
    const end = propertiesOffset + propertiesLength;
    this.odd = hasZero(bytes, topicOffset, topicEnd) || hasZero(bytes, propertiesOffset, end);
    if (!this.odd) return true;
    if (bytes[topicEnd - 1] === 0) return false;
    return propertiesLength === 0 || (bytes[end - 1] !== 0 && !hasZeroSector(bytes, propertiesOffset, end));
  }

  #no(reason: Unsound): false {
    this.reason = reason;
    return false;
  }
}

function hasZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === 0) return true;
  return false;
}

/** Whether a sector that begins in [from, to) holds nothing but zeros there. */
export function hasZeroSector(bytes: Uint8Array, from: number, to: number): boolean {
  for (let sector = Math.ceil(from / SECTOR) * SECTOR; sector < to; sector += SECTOR) {
    const end = Math.min(sector + SECTOR, to);
    let at = sector;
    while (at < end && bytes[at] === 0) at++;
    if (at === end) return true;
  }
  return false;
}
