/**
 * Reads ahead of single reads that go on where others have ended. What becomes due is read record by record, in the
 * order of the log or nearly so, at a few places at once; a system call for each costs more than all that is done with
 * the record. A read anywhere else brings what it asks for, and no more.
 */
import type { LogBytes } from './log-bytes.ts';

const BLOCK_BYTES = 64 * 1024;
/** Whoever goes on has no more than this between one record and the next: a block is to bring several of them. */
const NEAR_BYTES = 8 * 1024;
/** So many places are read on from at once, of which the one that was not used for the longest time is given up. */
const PLACES = 4;

/** Bytes [from, from + length) of the log; none are held at first, and `from` says where a read was. */
interface Block {
  from: number;
  length: number;
  bytes: Uint8Array | undefined;
  usedAt: number;
}

function newBlock(): Block {
  return { from: -1, length: 0, bytes: undefined, usedAt: 0 };
}

export class ReadAhead implements LogBytes {
  readonly #log: LogBytes;
  readonly #settled: () => number;
  readonly #blocks = Array.from({ length: PLACES }, newBlock);
  #reads = 0;

  /** `settled`: bytes of the log before it never change. */
  constructor(log: LogBytes, settled: () => number) {
    this.#log = log;
    this.#settled = settled;
  }

  get fileSize(): number {
    return this.#log.fileSize;
  }

  offsetOf(position: number): number {
    return this.#log.offsetOf(position);
  }

  copy(position: number, length: number, target: Uint8Array, at: number): number {
    this.#reads += 1;
    const near = this.#blockNear(position);
    if (near !== undefined) {
      near.usedAt = this.#reads;
      if (holds(near, position, length) || this.#fill(near, position, length)) {
        const from = position - near.from;
        target.set((near.bytes as Uint8Array).subarray(from, from + length), at);
        return 0;
      }
      return this.#log.copy(position, length, target, at);
    }
    const errno = this.#log.copy(position, length, target, at);
    if (errno === 0) this.#remember(position);
    return errno;
  }

  /** The block that holds the byte at `position`, or behind which it lies near enough to be read on. */
  #blockNear(position: number): Block | undefined {
    for (const block of this.#blocks) {
      const ahead = position - block.from;
      if (block.from >= 0 && ahead >= 0 && ahead < block.length + NEAR_BYTES) return block;
    }
    return undefined;
  }

  /** Reads from `position` on; false when there is not as much as is asked for, or it cannot be read. */
  #fill(block: Block, position: number, length: number): boolean {
    const inFile = this.#log.fileSize - this.#log.offsetOf(position);
    const most = Math.min(BLOCK_BYTES, inFile, this.#settled() - position);
    block.from = position;
    block.length = 0;
    if (most < length) return false;
    block.bytes ??= new Uint8Array(BLOCK_BYTES);
    if (this.#log.copy(position, most, block.bytes, 0) !== 0) return false;
    block.length = most;
    return true;
  }

  #remember(position: number): void {
    let oldest = this.#blocks[0] as Block;
    for (const block of this.#blocks) if (block.usedAt < oldest.usedAt) oldest = block;
    oldest.from = position;
    oldest.length = 0;
    oldest.usedAt = this.#reads;
  }
}

function holds(block: Block, position: number, length: number): boolean {
  return position + length <= block.from + block.length;
}
