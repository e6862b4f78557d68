/**
 * LZ4 frames, as RocketMQ's Java client writes them. There is no package for it that is kept and looks at bounds; the
 * format is small (https://github.com/lz4/lz4/tree/dev/doc). Nothing grows beyond what the caller allows, whatever the
 * bytes say. Checksums are passed over: the log has one of its own for each body.
 */
import { Damaged, tooLarge } from './problem.ts';

const MAGIC = 0x184d2204;
/** Sixteen magic numbers of frames that hold no data. */
const SKIPPABLE = 0x184d2a50;
const VERSION = 1;
/** Bits of the descriptor. */
const HAS_BLOCK_CHECKSUMS = 0x10;
const HAS_SIZE = 0x08;
const HAS_CHECKSUM = 0x04;
const HAS_DICTIONARY = 0x01;
/** Of a block's size: its bytes are stored as they are. */
const IS_PLAIN = 0x8000_0000;
const MIN_MATCH = 4;
/** A length that goes on in the next bytes. */
const LONG = 15;
const FIRST_BYTES = 64 * 1024;

/** All frames of `bytes`, one behind the other. Throws Damaged or TooMuch. */
export function unpackLz4(bytes: Uint8Array, most: number): Uint8Array {
  const out = new Output(most);
  const from = new Input(bytes);
  do {
    const magic = from.uint32();
    if (magic === MAGIC) unpackFrame(from, out);
    else if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE) from.take(from.uint32());
    else throw new Damaged('it does not begin like an LZ4 frame');
  } while (!from.isAtEnd);
  return out.bytes();
}

function unpackFrame(from: Input, out: Output): void {
  const descriptor = from.byte();
  if (descriptor >> 6 !== VERSION) throw new Damaged('it is of a later version of the format');
  if ((descriptor & HAS_DICTIONARY) !== 0) throw new Damaged('it needs a dictionary');
  from.byte(); // the largest size of its blocks
  if ((descriptor & HAS_SIZE) !== 0) from.take(8);
  from.byte(); // the descriptor's checksum
  // Blocks may refer to those before them, never to another frame.
  const begin = out.length;
  for (let size = from.uint32(); size !== 0; size = from.uint32()) {
    const block = from.take(size & ~IS_PLAIN);
    if (size >>> 0 >= IS_PLAIN) out.append(block);
    else unpackBlock(new Input(block), out, begin);
    if ((descriptor & HAS_BLOCK_CHECKSUMS) !== 0) from.take(4);
  }
  if ((descriptor & HAS_CHECKSUM) !== 0) from.take(4);
}

/** Sequences of literals and a match in what is unpacked already; the last one has literals only. */
function unpackBlock(from: Input, out: Output, begin: number): void {
  while (!from.isAtEnd) {
    const token = from.byte();
    out.append(from.take(lengthOf(token >> 4, from)));
    if (from.isAtEnd) return;
    const distance = from.byte() | (from.byte() << 8);
    if (distance === 0 || distance > out.length - begin)
      throw new Damaged('it refers to what lies before its beginning');
    out.repeat(distance, lengthOf(token & LONG, from) + MIN_MATCH);
  }
}

function lengthOf(short: number, from: Input): number {
  if (short < LONG) return short;
  let length = LONG;
  for (;;) {
    const more = from.byte();
    length += more;
    if (more < 255) return length;
  }
}

class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Damaged('it is cut off');
    this.#at++;
    return byte;
  }

  uint32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new Damaged('it is cut off');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

/** Grows by doubling, up to a limit. */
class Output {
  readonly #most: number;
  #bytes = new Uint8Array(FIRST_BYTES);
  length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  repeat(distance: number, count: number): void {
    this.#reserve(count);
    const begin = this.length - distance;
    if (distance >= count) this.#bytes.copyWithin(this.length, begin, begin + count);
    else for (let i = 0; i < count; i++) this.#bytes[this.length + i] = this.#bytes[begin + i] as number;
    this.length += count;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.#most) throw tooLarge(this.#most);
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}
