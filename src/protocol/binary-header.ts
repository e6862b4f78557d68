/**
 * The ROCKETMQ binary header, big endian:
 *
 * ```
 * | 2 code | 1 language | 2 version | 4 opaque | 4 flag | 4 n + remark of n bytes | 4 n + n bytes of entries |
 * entry: | 2 n + name of n bytes | 4 n + value of n bytes |
 * ```
 *
 * The code has 16 bits only; see `fromInt16`. A length of 0 reads as "absent", as Java reads it.
 */
import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { utf8Length, writeUtf8 } from '../lib/utf8.ts';
import { fromInt16, toInt16 } from './codes.ts';
import { FLAG_RESPONSE, type RemotingCommand } from './command.ts';
import { limitError, ProtocolError } from './errors.ts';
import { languageByNumber, languageNumber } from './languages.ts';

export type CommandHeader = Omit<RemotingCommand, 'body' | 'serializeType'>;

export const CODE_OFFSET = 0;
const LANGUAGE_OFFSET = CODE_OFFSET + 2;
export const VERSION_OFFSET = LANGUAGE_OFFSET + 1;
export const OPAQUE_OFFSET = VERSION_OFFSET + 2;
export const FLAG_OFFSET = OPAQUE_OFFSET + 4;
/** Of the remark's length; the remark follows. */
export const REMARK_OFFSET = FLAG_OFFSET + 4;
const MAX_NAME_BYTES = 0x7f_ff;

export function encodeBinaryHeader(command: CommandHeader): Buffer {
  const remark = command.remark ?? '';
  const entries = Object.entries(command.fields);
  const remarkLength = utf8Length(remark);
  const fieldsLength = lengthOf(entries);
  const fieldsAt = REMARK_OFFSET + 4 + remarkLength;
  const header = Buffer.allocUnsafe(fieldsAt + 4 + fieldsLength);
  header.writeInt16BE(toInt16(command.code), CODE_OFFSET);
  header.writeUInt8(languageNumber(command.language), LANGUAGE_OFFSET);
  header.writeInt16BE(toInt16(command.version), VERSION_OFFSET);
  header.writeInt32BE(command.opaque, OPAQUE_OFFSET);
  header.writeInt32BE(command.flag, FLAG_OFFSET);
  header.writeInt32BE(remarkLength, REMARK_OFFSET);
  writeUtf8(header, REMARK_OFFSET + 4, remark);
  header.writeInt32BE(fieldsLength, fieldsAt);
  let at = fieldsAt + 4;
  for (const [name, value] of entries) {
    const valueAt = writeUtf8(header, at + 2, name) + 4;
    const end = writeUtf8(header, valueAt, String(value));
    header.writeInt16BE(valueAt - at - 6, at);
    header.writeInt32BE(end - valueAt, valueAt - 4);
    at = end;
  }
  return header;
}

/** Bytes of the fields; counted first, so that they are written once, to where they belong. */
function lengthOf(entries: readonly [name: string, value: string][]): number {
  let length = 0;
  for (const [name, value] of entries) {
    const nameLength = utf8Length(name);
    if (nameLength > MAX_NAME_BYTES) throw new ProtocolError('LENGTH', `field name of ${nameLength} bytes`);
    length += 2 + nameLength + 4 + utf8Length(String(value));
  }
  return length;
}

/** Throws a ProtocolError when a length points outside the header. */
export function decodeBinaryHeader(header: Buffer): CommandHeader {
  const reader = new Reader(header);
  const code = reader.int16();
  const language = languageByNumber(reader.uint8());
  const version = reader.int16();
  const opaque = reader.int32();
  const flag = reader.int32();
  const remark = reader.text(reader.int32());
  const fields = decodeFields(reader);
  const isRequest = (flag & FLAG_RESPONSE) === 0;
  return { code: isRequest ? fromInt16(code) : code, language, version, opaque, flag, remark, fields };
}

function decodeFields(reader: Reader): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  const end = reader.claim(reader.int32());
  let count = 0;
  while (reader.offset < end) {
    if (++count > MAX_HEADER_FIELDS) {
      throw limitError('fields in a header', MAX_HEADER_FIELDS, 'MAX_HEADER_FIELDS');
    }
    const name = reader.text(reader.int16());
    const value = reader.text(reader.int32());
    if (name !== undefined && value !== undefined) fields[name] = value;
  }
  if (reader.offset !== end) throw new ProtocolError('LENGTH', 'last field runs past the fields');
  return fields;
}

/** Reads forward; every length is checked against what is left before anything is made of it. */
class Reader {
  offset = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  /** `length` bytes as UTF-8; no bytes are no text. */
  text(length: number): string | undefined {
    const start = this.#advance(length);
    return length === 0 ? undefined : this.#bytes.toString('utf8', start, this.offset);
  }

  /** Where the next `length` bytes end, without reading them. */
  claim(length: number): number {
    const end = this.offset + length;
    if (length < 0 || end > this.#bytes.length) {
      throw new ProtocolError('LENGTH', `${length} bytes claimed, ${this.#bytes.length - this.offset} left`);
    }
    return end;
  }

  #advance(length: number): number {
    const start = this.offset;
    this.offset = this.claim(length);
    return start;
  }
}
