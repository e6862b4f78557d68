/** Output buffers of a network thread, reused as soon as the kernel has taken their bytes. */

const SMALL = 16 * 1024;
const LARGE = 512 * 1024;
const KEPT_SMALL = 64;
const KEPT_LARGE = 4;

export class OutputPool {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];

  take(bytes: number): Buffer {
    if (bytes <= SMALL) return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL);
    if (bytes <= LARGE) return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE);
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** A larger buffer with the first `used` bytes of `buffer`, which goes back to the pool. */
  grow(buffer: Buffer, used: number, bytes: number): Buffer {
    const larger = this.take(Math.max(bytes, Math.min(buffer.length * 2, LARGE)));
    buffer.copy(larger, 0, 0, used);
    this.give(buffer);
    return larger;
  }

  give(buffer: Buffer): void {
    if (buffer.length === SMALL && this.#small.length < KEPT_SMALL) this.#small.push(buffer);
    else if (buffer.length === LARGE && this.#large.length < KEPT_LARGE) this.#large.push(buffer);
  }
}
