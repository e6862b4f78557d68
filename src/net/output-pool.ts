/**
 * Buffers of a network thread for output and for frames whose end has not come, reused as soon as the kernel has taken
 * their bytes or the frame is handled. Their sizes are powers of two: a buffer of half a megabyte for each of many
 * connections would be made anew all the time.
 */

/** 16 KiB. */
const SMALLEST_BITS = 14;
/** 512 KiB; larger ones are made when they are needed and not kept. */
const LARGEST_BITS = 19;
/** Of each size. */
const KEPT_BYTES = 2 * 1024 * 1024;

/** The power of two of the size for so many bytes. */
function bitsFor(bytes: number): number {
  return Math.max(SMALLEST_BITS, 32 - Math.clz32(bytes - 1));
}

export class OutputPool {
  /** By the size's power of two, the smallest first. */
  readonly #free: Buffer[][] = Array.from({ length: LARGEST_BITS - SMALLEST_BITS + 1 }, () => []);

  take(bytes: number): Buffer {
    const bits = bitsFor(bytes);
    if (bits > LARGEST_BITS) return Buffer.allocUnsafeSlow(bytes);
    return this.#free[bits - SMALLEST_BITS]?.pop() ?? Buffer.allocUnsafeSlow(1 << bits);
  }

  /**
   * A buffer of at least twice the size with the first `used` bytes of `buffer`, which goes back to the pool. Doubling
   * keeps what is copied proportional to what is written.
   */
  grow(buffer: Buffer, used: number, bytes: number): Buffer {
    const larger = this.take(Math.max(bytes, buffer.length * 2));
    buffer.copy(larger, 0, 0, used);
    this.give(buffer);
    return larger;
  }

  give(buffer: Buffer): void {
    const bits = bitsFor(buffer.length);
    const free = this.#free[bits - SMALLEST_BITS];
    if (free === undefined || buffer.length !== 1 << bits) return;
    if ((free.length + 1) * buffer.length <= KEPT_BYTES) free.push(buffer);
  }
}
