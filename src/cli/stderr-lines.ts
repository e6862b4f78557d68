/**
 * Writing to stderr at once, whatever is behind it: who does not read any more, or no room for a file, costs lines and
 * nothing else. A pipe or terminal whose reader rests would hold the thread up for as long as it likes; so it is
 * written without blocking, and waited for only a moment.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';

const STDERR = 2;
/** How long a full pipe is waited for. One that stays full is not waited for again until it takes something. */
const PATIENCE_MS = 250;
const PAUSE_MS = 5;

export class StderrLines {
  readonly #descriptor: number;
  readonly #write: typeof writeSync;
  /** The end of a line of which a beginning was taken. */
  #rest: Uint8Array = new Uint8Array(0);
  #isFull = false;

  /** `write` takes the place of the system's in tests. */
  constructor(descriptor = withoutBlocking(STDERR), write = writeSync) {
    this.#descriptor = descriptor;
    this.#write = write;
  }

  /** False when nothing of it was taken. Never throws. */
  write(text: string): boolean {
    const line = Buffer.from(text);
    const ahead = this.#rest.length;
    const left = this.#push(ahead === 0 ? line : Buffer.concat([this.#rest, line]));
    // What was begun is finished first: lines stay whole, if late.
    const isTaken = left.length < line.length;
    this.#rest = isTaken ? left : left.subarray(0, left.length - line.length);
    return isTaken;
  }

  /** What was not taken. */
  #push(bytes: Uint8Array): Uint8Array {
    let left = bytes;
    let patience = this.#isFull ? 0 : PATIENCE_MS / PAUSE_MS;
    while (left.length > 0) {
      try {
        left = left.subarray(this.#write(this.#descriptor, left));
        this.#isFull = false;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        this.#isFull = patience === 0;
        if (this.#isFull) break;
        patience--;
        pause();
      }
    }
    return left;
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}

/**
 * A descriptor of the same thing that does not block. Whoever else has the original (the shell, a program that shares
 * the pipe) must not notice, so a pipe or terminal is opened anew. A socket cannot be; it is nobody else's.
 */
function withoutBlocking(descriptor: number): number {
  try {
    const kind = fstatSync(descriptor);
    // Node sets it so for its stream.
    if (kind.isSocket()) void process.stderr;
    if (!kind.isFIFO() && !kind.isCharacterDevice()) return descriptor;
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return descriptor;
  }
}
