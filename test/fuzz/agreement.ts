/** What the data path's view of a request and the general decoder must agree on. */
import * as assert from 'uvu/assert';
import { MAX_HEADER_FIELDS as MAX_FIELDS } from '../../src/lib/limits.ts';
import type { RemotingCommand } from '../../src/protocol/command.ts';
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import type { RequestView } from '../../src/protocol/request-view.ts';

/** Names asked for whether they are there or not. */
const ASKED = ['a', 'b', 'e', 'i', 'm', 'topic', 'queueId', 'consumerGroup', 'properties', '$ref', '0', 'x'];

export interface Reading {
  code: number;
  flag: number;
  opaque: number;
  version: number;
  body: Uint8Array;
  has(name: string): boolean;
  text(name: string): string;
  integer(name: string): number;
  isTrue(name: string): boolean;
}

/** undefined: no command. */
export type Reader = (frame: Uint8Array) => Reading | undefined;

/** As the network thread reads: the frame lies somewhere in a larger buffer. */
export function inPlace(view: RequestView): Reader {
  return (frame) => readWith(view, frame);
}

function readWith(view: RequestView, frame: Uint8Array): Reading | undefined {
  const buffer = new Uint8Array(frame.length + 11).fill(0x22);
  buffer.set(frame, 7);
  if (!view.read(buffer, new DataView(buffer.buffer), 7, frame.length)) return undefined;
  const { code, flag, opaque, version, bodyOffset, bodyLength, bytes, fields } = view;
  return {
    code,
    flag,
    opaque,
    version,
    body: bytes.subarray(bodyOffset, bodyOffset + bodyLength),
    has: (name) => view.has(name),
    text(name) {
      const field = fields.find(name);
      const copy = new Uint8Array(fields.valueLength[field] ?? 0);
      if (field >= 0) {
        const length = fields.copyTo(field, copy, 0);
        assert.ok(length <= (fields.valueLength[field] as number), 'a copy is no longer than the value');
        assert.is(Buffer.from(copy.subarray(0, length)).toString(), view.text(name));
      }
      return view.text(name);
    },
    integer: (name) => view.integer(name),
    isTrue: (name) => fields.isTrue(fields.find(name)),
  };
}

function decode(frame: Uint8Array): RemotingCommand | undefined {
  try {
    return decodeCommand(frame);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** As the data path keeps text: in UTF-8, where half a surrogate pair has no place. */
function wellFormed(value: string): string {
  return Buffer.from(value).toString();
}

export function agree(read: Reader, frame: Uint8Array): void {
  const expected = decode(frame);
  const found = read(frame);
  // The one known difference: a frame with more fields than any request has is refused.
  if (expected !== undefined && Object.keys(expected.fields).length > MAX_FIELDS) return;
  assert.is(found !== undefined, expected !== undefined, 'whether it is a command');
  if (found === undefined || expected === undefined) return;
  for (const name of ['code', 'flag', 'opaque', 'version'] as const) {
    assert.is(found[name], expected[name], name);
  }
  assert.equal(Buffer.from(found.body), Buffer.from(expected.body ?? []), 'body');
  const ascii = Object.keys(expected.fields).filter((name) => /^[\x20-\x7e]+$/.test(name));
  for (const name of new Set([...ASKED, ...ascii])) {
    const value = expected.fields[name];
    assert.is(found.has(name), value !== undefined, `whether there is a field ${name}`);
    if (value === undefined) continue;
    assert.is(found.text(name), wellFormed(value), `field ${name}`);
    const whole = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    const number = Math.abs(whole) <= 2 ** 63 ? whole : Number.NaN;
    assert.is(String(found.integer(name)), String(number), `number ${name}`);
    assert.is(found.isTrue(name), value.toLowerCase() === 'true', `whether ${name} is true`);
  }
}

export function frameOf(serializeType: number, header: Uint8Array, body: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(4 + header.length + body.length);
  frame.writeUInt8(serializeType, 0);
  frame.writeUIntBE(header.length, 1, 3);
  frame.set(header, 4);
  frame.set(body, 4 + header.length);
  return frame;
}
