/**
 * A request as the data path sees it: one reusable view over a frame, with the header's fields located in place.
 * Headers that look like one before (templates), JSON headers of the usual shape and binary headers (scans) cost no
 * allocation; other JSON headers go through the general decoder and end in a table of the same kind.
 */

import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { BinaryScan } from './binary-scan.ts';
import { SERIALIZE_BINARY, SERIALIZE_JSON } from './command.ts';
import { HEADER_WORD_BYTES } from './command-codec.ts';
import { ABSENT, FieldTable } from './field-table.ts';
import { type HeaderScan, type HeaderTemplate, HeaderTemplates } from './header-template.ts';
import { decodeJsonHeader } from './json-header.ts';
import { JsonScan } from './json-scan.ts';

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
  readonly #jsonTemplates = new HeaderTemplates();
  readonly #jsonScan = new JsonScan();
  readonly #binaryTemplates = new HeaderTemplates();
  readonly #binaryScan = new BinaryScan();
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
    if (this.serializeType === SERIALIZE_BINARY) return this.#readBinary(bytes, view, headerFrom, headerTo);
    this.#forgetTemplate();
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
    const template = this.#jsonTemplates.find(bytes, view, from, to);
    return template === undefined ? this.#scanJson(bytes, from, to) : this.#take(template);
  }

  #readBinary(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    const template = this.#binaryTemplates.find(bytes, view, from, to);
    return template === undefined ? this.#scanBinary(bytes, view, from, to) : this.#take(template);
  }

  #take(template: HeaderTemplate): true {
    this.template = template;
    this.fields = template.fields;
    this.code = template.code;
    this.flag = template.flag;
    this.opaque = template.opaque;
    this.version = template.version;
    return true;
  }

  #scanJson(bytes: Uint8Array, from: number, to: number): boolean {
    const scan = this.#jsonScan;
    this.#forgetTemplate();
    if (!scan.scan(bytes, from, to, this.fields)) return this.#readGeneral(bytes, from, to);
    this.#takeScan(scan);
    if (scan.ascii) this.#jsonTemplates.learn(bytes, from, to, scan, this.fields);
    return true;
  }

  #scanBinary(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    const scan = this.#binaryScan;
    this.#forgetTemplate();
    if (!scan.scan(bytes, view, from, to, this.fields)) return false;
    this.#takeScan(scan);
    this.#binaryTemplates.learn(bytes, from, to, scan, this.fields);
    return true;
  }

  #takeScan(scan: HeaderScan): void {
    this.code = scan.code;
    this.flag = scan.flag;
    this.opaque = scan.opaque;
    this.version = scan.version;
  }

  #forgetTemplate(): void {
    this.template = undefined;
    this.fields = this.#ownFields;
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
