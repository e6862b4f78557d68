/** Ranges of regions in the order in which they are to be sent, as `sendGathered` of the addon takes them. */

/** The addon takes twice as many. */
const MOST = 32;
/** Region, offset, length. */
const WORDS = 3;

export class Gathered {
  readonly parts = new Float64Array(MOST * WORDS);
  count = 0;
  /** Of all ranges. */
  bytes = 0;

  clear(): void {
    this.count = 0;
    this.bytes = 0;
  }

  /** No more than 32. */
  add(region: number, offset: number, length: number): void {
    const at = this.count * WORDS;
    this.parts[at] = region;
    this.parts[at + 1] = offset;
    this.parts[at + 2] = length;
    this.count++;
    this.bytes += length;
  }
}
