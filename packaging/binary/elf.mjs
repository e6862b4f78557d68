/** What of an ELF file (64 bit, little endian) is needed to run it; the layout is that of its specification. */
import { SetupError } from '../lib/errors.mjs';

const HEADER = {
  segments: 32,
  sections: 40,
  segmentSize: 54,
  segmentCount: 56,
  sectionCount: 60,
  sectionNames: 62,
};
/** `libstdc++-5d72f927.so.6.0.33`: the system has a link with the first of the numbers. */
const OWN_LIBRARY = /(lib[a-z_+]+)-[0-9a-f]{8}\.so(\.\d+)[.\d]*(?=\0)/g;
const OWN_FOLDER = /\$ORIGIN[^\0]*_binaries\.libs(?=\0)/g;
const SEGMENT = { offset: 8, length: 32 };

/**
 * The file up to the end of the last segment, without the sections behind that: symbols and debug information. Of
 * whatever processor; the `strip` of a system knows its own only.
 */
export function loadedPart(file) {
  if (file.readUInt32BE(0) !== 0x7f454c46) throw new SetupError('The program of Node.js is no ELF file.');
  const begin = Number(file.readBigUInt64LE(HEADER.segments));
  const size = file.readUInt16LE(HEADER.segmentSize);
  const count = file.readUInt16LE(HEADER.segmentCount);
  let end = begin + count * size;
  for (let at = begin; at < begin + count * size; at += size) {
    const offset = Number(file.readBigUInt64LE(at + SEGMENT.offset));
    end = Math.max(end, offset + Number(file.readBigUInt64LE(at + SEGMENT.length)));
  }
  const part = Buffer.from(file.subarray(0, end));
  part.writeBigUInt64LE(0n, HEADER.sections);
  part.writeUInt16LE(0, HEADER.sectionCount);
  part.writeUInt16LE(0, HEADER.sectionNames);
  return part;
}

/**
 * Wheels bring their libraries along under names of their own, and a folder in which to look for them. Takes both out
 * of a file: it asks for the system's libraries, where the system has them.
 */
export function withSystemLibraries(file) {
  const changed = Buffer.from(file);
  const text = file.toString('latin1');
  for (const { 0: all, 1: name, 2: number, index } of text.matchAll(OWN_LIBRARY)) {
    changed.fill(0, index, index + all.length);
    changed.write(`${name}.so${number}`, index, 'latin1');
  }
  for (const { 0: all, index } of text.matchAll(OWN_FOLDER)) changed.fill(0, index, index + all.length);
  return changed;
}
