/**
 * Zstandard frames, by fzstd: zlib has them from Node.js 22 on only. It trusts what it reads: so sizes are looked at
 * before, and how long it takes is limited from outside.
 */
import { runInNewContext } from 'node:vm';
import { Decompress } from 'fzstd';
import { Damaged, TooMuch, tooLarge } from './problem.ts';

const MAGIC = 0xfd2fb528;
/** Bits of the descriptor. */
const IS_SINGLE_SEGMENT = 0x20;
const HAS_CHECKSUM = 0x04;
const DICTIONARY_BITS = 0x03;
/** What `zstd` itself takes without being told to take more. */
const MOST_WINDOW = 128 * 1024 * 1024;
const BLOCK_HEAD = 3;
const RUN = 1;
/** Twenty bytes can ask for minutes of copying. A body of 4 MiB takes a second at most, at the highest level. */
const LONGEST_MS = 10_000;

/** The one frame of `bytes`: clients write no more. Throws Damaged or TooMuch. */
export function unpackZstd(bytes: Uint8Array, most: number, longestMs = LONGEST_MS): Uint8Array {
  requireFrame(bytes, most);
  const parts: Uint8Array[] = [];
  let length = 0;
  const unpacking = new Decompress((part) => {
    length += part.length;
    if (length > most) throw tooLarge(most);
    parts.push(part);
  });
  try {
    // Code that does not look at a clock can be stopped in no other way without a thread of its own.
    runInNewContext('unpack()', { unpack: () => unpacking.push(bytes, true) }, { timeout: longestMs });
  } catch (error) {
    if (error instanceof TooMuch) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TooMuch(`not unpacked after ${longestMs / 1000} s`);
    throw new Damaged((error as Error).message);
  }
  return Buffer.concat(parts, length);
}

/** Its head and the heads of its blocks, and that the frame ends where the bytes do. */
function requireFrame(bytes: Uint8Array, most: number): void {
  const { hasChecksum, window, content, length } = headOf(bytes);
  if (content !== undefined && content > most) throw tooLarge(most);
  if (window > MOST_WINDOW) throw new TooMuch('unpacked in a window of more than 128 MiB');
  let at = length;
  for (let isLast = false; !isLast; ) {
    const head = littleEndian(bytes, at, BLOCK_HEAD);
    isLast = (head & 1) === 1;
    at += BLOCK_HEAD + (((head >> 1) & 3) === RUN ? 1 : head >> 3);
  }
  if (hasChecksum) at += 4;
  if (at > bytes.length) throw new Damaged('it is cut off');
  if (at < bytes.length) throw new Damaged('something follows its end');
}

interface FrameHead {
  hasChecksum: boolean;
  /** How far back it refers, and how much it holds where it says that, in bytes. */
  window: number;
  content: number | undefined;
  length: number;
}

function headOf(bytes: Uint8Array): FrameHead {
  if (littleEndian(bytes, 0, 4) !== MAGIC) throw new Damaged('it does not begin like a Zstandard frame');
  const descriptor = littleEndian(bytes, 4, 1);
  if ((descriptor & DICTIONARY_BITS) !== 0) throw new Damaged('it needs a dictionary');
  const isSingle = (descriptor & IS_SINGLE_SEGMENT) !== 0;
  const windowByte = isSingle ? 0 : littleEndian(bytes, 5, 1);
  const at = isSingle ? 5 : 6;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const size = littleEndian(bytes, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const base = 2 ** (10 + (windowByte >> 3));
  return {
    hasChecksum: (descriptor & HAS_CHECKSUM) !== 0,
    window: isSingle ? size : base + (base / 8) * (windowByte & 7),
    content: sizeBytes === 0 ? undefined : size,
    length: at + sizeBytes,
  };
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new Damaged('it is cut off');
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}
