/**
 * Which parts of the log were in memory a moment ago. To ask the kernel for every message costs more than reading it,
 * so blocks are asked for as a whole and believed for a while: what is dropped meanwhile costs one slow read, no more.
 */
import type { Segments } from '../log/segments.ts';

/** Power of two, counted from the start of each file. */
const BLOCK = 256 * 1024;
/** Power of two; consumers that read at so many places at once do not get into each other's way. */
const REMEMBERED = 64;
const BELIEVED_MS = 200;

export class ResidentBlocks {
  readonly #segments: Segments;
  readonly #now: () => number;
  /** Where each block begins, by its number's low bits, and until when it is believed to be in memory. */
  readonly #blocks = new Float64Array(REMEMBERED).fill(-1);
  readonly #until = new Float64Array(REMEMBERED);
  #time = 0;

  /** `now`: ms of a clock that never steps. */
  constructor(segments: Segments, now: () => number) {
    this.#segments = segments;
    this.#now = now;
  }

  /** A read of many messages asks the clock once. */
  beginRead(): void {
    this.#time = this.#now();
  }

  /** Whether the bytes [position, +length) of the log, in one file, are in memory. */
  has(position: number, length: number): boolean {
    const start = this.#segments.startOf(position);
    const inFile = position - start;
    for (let at = position - (inFile & (BLOCK - 1)); at < position + length; at += BLOCK) {
      if (!this.#hasBlock(at, start)) return this.#ask(position, length);
    }
    return true;
  }

  /** The block at `from` of the file that starts at `start`. */
  #hasBlock(from: number, start: number): boolean {
    const place = Math.floor(from / BLOCK) & (REMEMBERED - 1);
    const now = this.#time;
    if (this.#blocks[place] === from && now < (this.#until[place] as number)) return true;
    if (!this.#ask(from, Math.min(BLOCK, start + this.#segments.fileSize - from))) return false;
    this.#blocks[place] = from;
    this.#until[place] = now + BELIEVED_MS;
    return true;
  }

  #ask(position: number, length: number): boolean {
    return this.#segments.at(position)?.resident(this.#segments.offsetOf(position), length) ?? true;
  }
}
