/** Bodies as their producers gave them, where these were compressed by a client. */
import { inflateSync } from 'node:zlib';
import { compressionName, compressionNumber } from '../../../record/compression.ts';
import { unpackLz4 } from './lz4.ts';
import { Damaged, TooMuch, tooLarge } from './problem.ts';
import { unpackZstd } from './zstd.ts';

const MOST_BYTES = 64 * 1024 * 1024;

type Method = (bytes: Uint8Array, most: number) => Uint8Array;

/** By the number in sysFlag. */
const METHODS: readonly (Method | undefined)[] = [unpackZlib, unpackLz4, unpackZstd, unpackZlib];

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
  const number = compressionNumber(sysFlag);
  const method = METHODS[number];
  if (method === undefined)
    return { bytes: body, problem: `compressed by a method that is not known here (${number})` };
  try {
    return { bytes: method(body, most) };
  } catch (error) {
    if (error instanceof TooMuch)
      return {
        bytes: body,
        problem: `compressed by ${compressionName(sysFlag)}, and ${error.message}: shown as it is stored`,
      };
    if (error instanceof Damaged)
      return {
        bytes: body,
        problem: `said to be compressed by ${compressionName(sysFlag)}, and is not: ${error.message}`,
      };
    throw error;
  }
}
