/**
 * A request as the data path sees it: one reusable view over a frame, with the header's fields located in place.
 * JSON headers that look like one before (templates), JSON headers of the usual shape (scan) and binary headers cost no
 * allocation; other JSON headers go through the general decoder and end in a table of the same kind.
 */

import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { fromInt16 } from './codes.ts';
import { FLAG_RESPONSE, SERIALIZE_BINARY, SERIALIZE_JSON } from './command.ts';
import { HEADER_WORD_BYTES } from './command-codec.ts';
import { ABSENT, FieldTable } from './field-table.ts';
import { type HeaderTemplate, HeaderTemplates } from './header-template.ts';
import { decodeJsonHeader } from './json-header.ts';
import { JsonScan } from './json-scan.ts';

const BINARY_FIXED_BYTES = 17; // code, language, version, opaque, flag, remark length

export class RequestView {
  code = 0;
  flag = 0;
  opaque = 0;
  version = 0;
  serializeType = SERIALIZE_JSON;
  /** The frame's bytes; the body lies in bytes[bodyOffset, +bodyLength). */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  bodyOffset = 0;
  bodyLength = 0;
  fields: FieldTable;
  /** The known layout that the header has, or undefined. */
  template: HeaderTemplate | undefined;
  readonly #ownFields = new FieldTable();
  readonly #templates = new HeaderTemplates();
  readonly #scan = new JsonScan();
  #scratch = Buffer.alloc(1024);

  constructor() {
    this.fields = this.#ownFields;
  }

  /**
   * Reads the frame that stands, without its length field, in bytes[offset, +length). False when it is no command:
   * the connection it came from must be closed.
   */
  read(bytes: Uint8Array, view: DataView, offset: number, length: number): boolean {
    if (length < HEADER_WORD_BYTES) return false;
    const word = view.getInt32(offset);
    const headerFrom = offset + HEADER_WORD_BYTES;
    const headerTo = headerFrom + (word & 0xffffff);
    if (headerTo > offset + length) return false;
    this.serializeType = word >>> 24;
    this.bytes = bytes;
    this.view = view;
    this.bodyOffset = headerTo;
    this.bodyLength = offset + length - headerTo;
    if (this.serializeType === SERIALIZE_JSON) return this.#readJson(bytes, view, headerFrom, headerTo);
    this.#forgetTemplate();
    if (this.serializeType === SERIALIZE_BINARY) return this.#readBinary(bytes, view, headerFrom, headerTo);
    return false;
  }

  integer(name: string): number {
    return this.fields.integer(this.fields.find(name));
  }

  text(name: string): string {
    return this.fields.text(this.fields.find(name));
  }

  has(name: string): boolean {
    return this.fields.find(name) !== ABSENT;
  }

  #readJson(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    const template = this.#templates.find(bytes, view, from, to);
    if (template === undefined) return this.#scanJson(bytes, from, to);
    this.template = template;
    this.fields = template.fields;
    this.code = template.code;
    this.flag = template.flag;
    this.opaque = template.opaque;
    this.version = template.version;
    return true;
  }

  #scanJson(bytes: Uint8Array, from: number, to: number): boolean {
    const scan = this.#scan;
    this.#forgetTemplate();
    if (!scan.scan(bytes, from, to, this.fields)) return this.#readGeneral(bytes, from, to);
    this.code = scan.code;
    this.flag = scan.flag;
    this.opaque = scan.opaque;
    this.version = scan.version;
    this.#templates.learn(bytes, from, to, scan, this.fields);
    return true;
  }

  #forgetTemplate(): void {
    this.template = undefined;
    this.fields = this.#ownFields;
  }

  #readBinary(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    this.fields.reset(bytes);
    if (from + BINARY_FIXED_BYTES > to) return false;
    this.version = view.getInt16(from + 3);
    this.opaque = view.getInt32(from + 5);
    this.flag = view.getInt32(from + 9);
    const code = view.getInt16(from);
    this.code = (this.flag & FLAG_RESPONSE) === 0 ? fromInt16(code) : code;
    const remarkLength = view.getInt32(from + 13);
    const entriesAt = from + BINARY_FIXED_BYTES + remarkLength;
    if (remarkLength < 0 || entriesAt + 4 > to) return false;
    const end = entriesAt + 4 + view.getInt32(entriesAt);
    if (end < entriesAt + 4 || end > to) return false;
    let at = entriesAt + 4;
    while (at < end) {
      if (at + 2 > end) return false;
      const nameLength = view.getInt16(at);
      const nameAt = at + 2;
      if (nameLength < 0 || nameAt + nameLength + 4 > end) return false;
      const valueLength = view.getInt32(nameAt + nameLength);
      const valueAt = nameAt + nameLength + 4;
      if (valueLength < 0 || valueAt + valueLength > end) return false;
      // No bytes are no value, as Java reads it.
      const counts = nameLength > 0 && valueLength > 0;
      if (counts && !this.fields.add(nameAt, nameLength, valueAt, valueLength, false)) return false;
      at = valueAt + valueLength;
    }
    return true;
  }

  /** The general decoder's fields, laid out in scratch memory so that the table can point at them. */
  #readGeneral(bytes: Uint8Array, from: number, to: number): boolean {
    let header: ReturnType<typeof decodeJsonHeader>;
    try {
      header = decodeJsonHeader(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from));
    } catch {
      return false;
    }
    const entries = Object.entries(header.fields);
    if (entries.length > MAX_HEADER_FIELDS) return false;
    const text = entries.map(([name, value]) => name + value).join('');
    const size = Buffer.byteLength(text);
    if (size > this.#scratch.length) this.#scratch = Buffer.alloc(size * 2);
    this.fields.reset(this.#scratch);
    let at = 0;
    for (const [name, value] of entries) {
      const nameLength = this.#scratch.write(name, at);
      const valueLength = this.#scratch.write(value, at + nameLength);
      this.fields.add(at, nameLength, at + nameLength, valueLength, false);
      at += nameLength + valueLength;
    }
    this.code = header.code;
    this.flag = header.flag;
    this.opaque = header.opaque;
    this.version = header.version;
    return true;
  }
}
