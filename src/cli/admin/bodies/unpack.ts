/** Bodies as their producers gave them, where these were compressed by a client. */
import { inflateSync } from 'node:zlib';
import { unpackLz4 } from './lz4.ts';
import { Damaged, TooMuch, tooLarge } from './problem.ts';
import { unpackZstd } from './zstd.ts';

/** Bits of sysFlag that say by what a body is compressed; 0 is what old clients write for zlib. */
const COMPRESSION_SHIFT = 8;
const COMPRESSION_MASK = 7;
const MOST_BYTES = 64 * 1024 * 1024;

interface Method {
  name: string;
  unpack(bytes: Uint8Array, most: number): Uint8Array;
}

const ZLIB: Method = { name: 'zlib', unpack: unpackZlib };
const METHODS: Readonly<Record<number, Method>> = {
  0: ZLIB,
  1: { name: 'LZ4', unpack: unpackLz4 },
  2: { name: 'Zstandard', unpack: unpackZstd },
  3: ZLIB,
};

function unpackZlib(bytes: Uint8Array, most: number): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
    throw new Damaged((error as Error).message);
  }
}

export interface Unpacked {
  bytes: Uint8Array;
  /** Why these are the stored bytes and not those of the producer. */
  problem?: string;
}

/** Of a body whose sysFlag says that it is compressed. */
export function unpack(body: Uint8Array, sysFlag: number, most = MOST_BYTES): Unpacked {
  const number = (sysFlag >> COMPRESSION_SHIFT) & COMPRESSION_MASK;
  const method = METHODS[number];
  if (method === undefined)
    return { bytes: body, problem: `compressed by a method that is not known here (${number})` };
  try {
    return { bytes: method.unpack(body, most) };
  } catch (error) {
    if (error instanceof TooMuch)
      return {
        bytes: body,
        problem: `compressed by ${method.name}, and ${error.message}: shown as it is stored`,
      };
    if (error instanceof Damaged)
      return {
        bytes: body,
        problem: `said to be compressed by ${method.name}, and is not: ${error.message}`,
      };
    throw error;
  }
}
