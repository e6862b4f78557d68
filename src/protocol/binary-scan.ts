/**
 * Reads a binary header in place: locates its fields without building a string or an object. What it accepts, and what
 * it finds, is what `decodeBinaryHeader` does; a differential fuzz test holds the two together.
 */
import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { CODE_OFFSET, FLAG_OFFSET, OPAQUE_OFFSET, REMARK_OFFSET, VERSION_OFFSET } from './binary-header.ts';
import { fromInt16 } from './codes.ts';
import { FLAG_RESPONSE } from './command.ts';
import type { FieldTable } from './field-table.ts';

export class BinaryScan {
  code = 0;
  flag = 0;
  opaque = 0;
  version = 0;

  /** Scans the header in bytes[from, to) and lists its fields in `table`. False: it is none. */
  scan(bytes: Uint8Array, view: DataView, from: number, to: number, table: FieldTable): boolean {
    table.reset(bytes);
    if (from + REMARK_OFFSET + 4 > to) return false;
    this.version = view.getInt16(from + VERSION_OFFSET);
    this.opaque = view.getInt32(from + OPAQUE_OFFSET);
    this.flag = view.getInt32(from + FLAG_OFFSET);
    const code = view.getInt16(from + CODE_OFFSET);
    this.code = (this.flag & FLAG_RESPONSE) === 0 ? fromInt16(code) : code;
    const remarkLength = view.getInt32(from + REMARK_OFFSET);
    const entriesAt = from + REMARK_OFFSET + 4 + remarkLength;
    if (remarkLength < 0 || entriesAt + 4 > to) return false;
    const end = entriesAt + 4 + view.getInt32(entriesAt);
    return end >= entriesAt + 4 && end <= to && this.#entries(view, entriesAt + 4, end, table);
  }

  #entries(view: DataView, from: number, end: number, table: FieldTable): boolean {
    let at = from;
    let entries = 0;
    while (at < end) {
      // Those without a name or a value count too, as for the general decoder.
      if (++entries > MAX_HEADER_FIELDS || at + 2 > end) return false;
      const nameLength = view.getInt16(at);
      const nameAt = at + 2;
      if (nameLength < 0 || nameAt + nameLength + 4 > end) return false;
      const valueLength = view.getInt32(nameAt + nameLength);
      const valueAt = nameAt + nameLength + 4;
      if (valueLength < 0 || valueAt + valueLength > end) return false;
      // No bytes are no value, as Java reads it.
      const counts = nameLength > 0 && valueLength > 0;
      if (counts && !table.add(nameAt, nameLength, valueAt, valueLength, false)) return false;
      at = valueAt + valueLength;
    }
    return true;
  }
}
