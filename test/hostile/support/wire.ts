/**
 * Frames that no honest client sends, built by hand: header values may be any bytes, in either header format.
 *
 *   | 4: bytes that follow | 1: header format, 0 JSON, 1 binary | 3: header length | header | body |
 */

/** A field's value as it stands in a header of either format. */
export interface WireValue {
  /** For messages about failures. */
  readonly name: string;
  /** A JSON value as text, quotes included if it has any; may break the rules of JSON and UTF-8. */
  readonly json: Buffer;
  readonly binary: Buffer;
}

export interface WireRequest {
  readonly code: number;
  readonly fields?: Readonly<Record<string, WireValue | string>>;
  readonly body?: Buffer;
  readonly oneway?: boolean;
  readonly binary?: boolean;
  /** MQVersion ordinal; default: that of 5.5.0. */
  readonly version?: number;
  /** Replaces the flag that `oneway` makes. */
  readonly flag?: number;
}

const JSON_FORMAT = 0;
const BINARY_FORMAT = 1;
const ONEWAY = 2;

export function encodeRequest(request: WireRequest, opaque: number): Buffer {
  const binary = request.binary === true;
  const header = binary ? binaryHeader(request, opaque) : jsonHeader(request, opaque);
  return frameOf(binary ? BINARY_FORMAT : JSON_FORMAT, header, request.body ?? Buffer.alloc(0));
}

export function frameOf(format: number, header: Buffer, body: Buffer): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length + body.length, 0);
  prefix.writeUInt8(format, 4);
  prefix.writeUIntBE(header.length, 5, 3);
  return Buffer.concat([prefix, header, body]);
}

/** A value that both formats hold as the same plain text. */
export function plain(text: string, name = text.slice(0, 20)): WireValue {
  return { name, json: Buffer.from(JSON.stringify(text)), binary: Buffer.from(text) };
}

function entries({ fields = {} }: WireRequest): [string, WireValue][] {
  return Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? plain(value) : value,
  ]);
}

function flagOf({ flag, oneway }: WireRequest): number {
  return flag ?? (oneway === true ? ONEWAY : 0);
}

function jsonHeader(request: WireRequest, opaque: number): Buffer {
  const { code, version = 513 } = request;
  const start = `{"code":${code},"flag":${flagOf(request)},"language":"JAVA","opaque":${opaque},"version":${version}`;
  const parts: Buffer[] = [Buffer.from(`${start},"extFields":{`)];
  for (const [i, [name, value]] of entries(request).entries()) {
    parts.push(Buffer.from(`${i > 0 ? ',' : ''}${JSON.stringify(name)}:`), value.json);
  }
  parts.push(Buffer.from('}}'));
  return Buffer.concat(parts);
}

function binaryHeader(request: WireRequest, opaque: number): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of entries(request)) {
    const nameLength = Buffer.alloc(2);
    nameLength.writeUInt16BE(Buffer.byteLength(name));
    const valueLength = Buffer.alloc(4);
    valueLength.writeUInt32BE(value.binary.length);
    parts.push(nameLength, Buffer.from(name), valueLength, value.binary);
  }
  const fields = Buffer.concat(parts);
  const head = Buffer.alloc(21);
  head.writeInt16BE((request.code << 16) >> 16, 0);
  head.writeInt16BE(request.version ?? 513, 3);
  head.writeInt32BE(opaque, 5);
  head.writeInt32BE(flagOf(request), 9);
  head.writeInt32BE(fields.length, 17);
  return Buffer.concat([head, fields]);
}

export interface WireAnswer {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Reads a frame that begins with its length field. */
export function decodeAnswer(frame: Buffer): WireAnswer {
  const headerLength = frame.readUIntBE(5, 3);
  const header = frame.subarray(8, 8 + headerLength);
  const body = frame.subarray(8 + headerLength);
  if (frame.readUInt8(4) === BINARY_FORMAT) return { ...decodeBinary(header), body };
  const { code, opaque, flag, remark = '', extFields = {} } = JSON.parse(header.toString());
  return { code, opaque, flag, remark, fields: extFields, body };
}

function decodeBinary(header: Buffer): Omit<WireAnswer, 'body'> {
  const remarkEnd = 17 + header.readInt32BE(13);
  const fields: Record<string, string> = {};
  let at = remarkEnd + 4;
  while (at < header.length) {
    const nameEnd = at + 2 + header.readUInt16BE(at);
    const valueEnd = nameEnd + 4 + header.readInt32BE(nameEnd);
    fields[header.toString('utf8', at + 2, nameEnd)] = header.toString('utf8', nameEnd + 4, valueEnd);
    at = valueEnd;
  }
  return {
    code: header.readInt16BE(0),
    opaque: header.readInt32BE(5),
    flag: header.readInt32BE(9),
    remark: header.toString('utf8', 17, remarkEnd),
    fields,
  };
}
