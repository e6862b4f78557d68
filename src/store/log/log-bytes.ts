/** Bytes of the CommitLog as single reads need them, whoever brings them: mappings, or the files themselves. */
import type { RangeFile } from '../disk/disk.ts';
import { EIO } from '../disk/errors.ts';

export interface LogBytes {
  readonly fileSize: number;
  /** Where `position` lies in its file. */
  offsetOf(position: number): number;
  /**
   * Copies [position, +length) of the log, which lies in one file, to target[at…]. 0, or the errno and then the target
   * holds nothing of worth.
   */
  copy(position: number, length: number, target: Uint8Array, at: number): number;
}

/** Reads all of [offset, +length) of a file. 0 or the errno; a file that ends before is EIO. */
export function readExactly(
  file: RangeFile,
  offset: number,
  length: number,
  target: Uint8Array,
  at: number,
): number {
  const read = file.read(offset, target, at, length);
  if (read < 0) return -read;
  return read === length ? 0 : EIO;
}
