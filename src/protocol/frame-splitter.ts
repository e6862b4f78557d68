/**
 * Cuts a byte stream into frames, for the control path. Does no IO.
 * Frames that lie whole in a chunk are handed out in place; only the incomplete rest of a chunk is copied.
 */
import { MAX_FRAME_BYTES } from '../lib/limits.ts';
import { LENGTH_BYTES } from './command-codec.ts';
import { ProtocolError } from './errors.ts';

const MIN_TAIL_BYTES = 4096;

export class FrameSplitter {
  /** The first `#tailLength` bytes are the start of a frame that has not arrived in full. */
  #tail: Buffer = Buffer.alloc(0);
  #tailLength = 0;

  /**
   * Yields each complete frame WITHOUT its length field, as decodeCommand() takes it; each is a view of `chunk` or of
   * memory given up by the splitter. Run it to its end before the next push. After a ProtocolError (a length that no
   * frame can have) the stream has no meaning any more.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    const bytes =
      this.#tailLength > 0
        ? this.#appendToTail(chunk)
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = frameEnd(bytes, start); end <= bytes.length; end = frameEnd(bytes, start)) {
      yield bytes.subarray(start + LENGTH_BYTES, end);
      start = end;
    }
    if (start > 0 || this.#tailLength === 0) this.#startTail(bytes.subarray(start));
  }

  /** Doubles the room, so that a frame in many chunks costs linear time and no more memory than twice what came. */
  #appendToTail(chunk: Uint8Array): Buffer {
    const length = this.#tailLength + chunk.length;
    if (length > this.#tail.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#tail.length * 2));
      this.#tail.copy(larger, 0, 0, this.#tailLength);
      this.#tail = larger;
    }
    this.#tail.set(chunk, this.#tailLength);
    this.#tailLength = length;
    return this.#tail.subarray(0, length);
  }

  /** Always into new memory: frames that were handed out still point into the old one. */
  #startTail(rest: Buffer): void {
    this.#tail = Buffer.allocUnsafeSlow(rest.length === 0 ? 0 : Math.max(rest.length, MIN_TAIL_BYTES));
    this.#tail.set(rest);
    this.#tailLength = rest.length;
  }
}

/** Where the frame that starts at `start` ends; Infinity while its length field is incomplete. */
function frameEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start < LENGTH_BYTES) return Number.POSITIVE_INFINITY;
  const length = bytes.readInt32BE(start);
  // The word with the header length belongs to every frame.
  if (length < 4 || length > MAX_FRAME_BYTES - LENGTH_BYTES) {
    throw new ProtocolError('LENGTH', `frame claims ${length} bytes`);
  }
  return start + LENGTH_BYTES + length;
}
