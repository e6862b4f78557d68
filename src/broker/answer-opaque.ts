/** Where the opaque stands in an answer that is a template, in either form of header, and how it gets there. */
import { writeDecimal } from '../lib/digits.ts';
import { OPAQUE_OFFSET } from '../protocol/binary-header.ts';
import { HEADER_WORD_BYTES, LENGTH_BYTES } from '../protocol/command-codec.ts';

const JSON_OPAQUE = '"opaque":';
const BINARY_PLACE = LENGTH_BYTES + HEADER_WORD_BYTES + OPAQUE_OFFSET;

/** Offset in the whole frame; nothing behind a JSON header's opaque may read like it. */
export function opaquePlace(frame: Buffer, binary: boolean): number {
  return binary ? BINARY_PLACE : frame.lastIndexOf(JSON_OPAQUE) + JSON_OPAQUE.length;
}

/** A JSON header's has to have as many characters as the one that is there. */
export function writeOpaque(out: Buffer, at: number, opaque: number, binary: boolean): void {
  if (binary) out.writeInt32BE(opaque, at);
  else writeDecimal(out, at, opaque);
}
