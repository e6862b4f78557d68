/** CRC-32: the addon against zlib's, and the addon's copy with and without it. */
import { crc32 } from 'node:zlib';
import { addon } from '../../src/native/addon.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const ROOM = 1 << 20;
const STEP = 128 * 1024;
const PLACES = ROOM / STEP;

function fill(bytes: Uint8Array): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

function ofSize(size: number, source: number, target: number): Subject[] {
  const bytes = new Uint8Array(addon.attach(source));
  const batch = size > 16_384 ? 16 : 256;
  const subject = (name: string, operation: (at: number) => number): Subject => ({
    name: `${name}, ${size} bytes`,
    batch,
    run: repeat(batch, (i) => operation((i % PLACES) * STEP)),
  });
  return [
    subject('addon.crcOfRegion', (at) => addon.crcOfRegion(source, at, size)),
    subject('addon.crcOfBytes', (at) => addon.crcOfBytes(bytes, at, size)),
    subject('zlib.crc32', (at) => crc32(bytes.subarray(at, at + size))),
    subject('addon.copyWithCrc', (at) => addon.copyWithCrc(target, at, source, at, size, at, size)),
    subject('addon.copy', (at) => {
      addon.copy(target, at, source, at, size);
      return at;
    }),
  ];
}

export function open(): Suite {
  const source = addon.allocateRegion(ROOM);
  const target = addon.allocateRegion(ROOM);
  fill(new Uint8Array(addon.attach(source)));
  fill(new Uint8Array(addon.attach(target)));
  return { subjects: [128, 1024, 65_536].flatMap((size) => ofSize(size, source, target)) };
}
