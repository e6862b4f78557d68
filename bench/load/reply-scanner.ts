/**
 * Cuts what a socket delivers into frames and hands each to `onReply`. Frames are read where they lie in the receive
 * buffer; only a frame that the buffer's end cut in two is collected in a buffer of its own.
 */
import { JsonReplyHeader } from './reply-header.ts';

/** The frame is bytes[start, end), length field and all, and its last `bodyBytes` are the body. */
export type OnReply = (
  code: number,
  opaque: number,
  bodyBytes: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/** A length beyond this is a torn stream, not a reply. */
const LARGEST_FRAME = 64 << 20;
const LENGTH_BYTES = 4;
const PREFIX_BYTES = 8;
const SERIALIZE_JSON = 0;
const BINARY_OPAQUE_AT = 5;

export class ReplyScanner {
  readonly #onReply: OnReply;
  readonly #json = new JsonReplyHeader();
  #held = new Uint8Array(4096);
  #heldBytes = 0;

  constructor(onReply: OnReply) {
    this.#onReply = onReply;
  }

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  push(bytes: Uint8Array, length: number): void {
    let at = 0;
    if (this.#heldBytes > 0) {
      at = this.#completeHeld(bytes, length);
      if (at < 0) return;
    }
    while (length - at >= LENGTH_BYTES) {
      const size = frameSize(bytes, at);
      if (length - at < size) break;
      this.#frame(bytes, at, at + size);
      at += size;
    }
    if (at < length) this.#hold(bytes, at, length);
  }

  /** Adds what the held frame lacks and reads it. Returns where the next frame starts, or -1 when it is still short. */
  #completeHeld(bytes: Uint8Array, length: number): number {
    let at = 0;
    if (this.#heldBytes < LENGTH_BYTES) {
      at = Math.min(LENGTH_BYTES - this.#heldBytes, length);
      this.#hold(bytes, 0, at);
      if (this.#heldBytes < LENGTH_BYTES) return -1;
    }
    const size = frameSize(this.#held, 0);
    const rest = Math.min(size - this.#heldBytes, length - at);
    this.#hold(bytes, at, at + rest);
    if (this.#heldBytes < size) return -1;
    this.#frame(this.#held, 0, size);
    this.#heldBytes = 0;
    return at + rest;
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const total = this.#heldBytes + to - from;
    if (total > this.#held.length) {
      const larger = new Uint8Array(Math.max(total, this.#held.length * 2));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(from, to), this.#heldBytes);
    this.#heldBytes = total;
  }

  #frame(bytes: Uint8Array, start: number, end: number): void {
    const headerBytes = uint24(bytes, start + 5);
    const header = start + PREFIX_BYTES;
    const body = end - header - headerBytes;
    if (body < 0)
      throw new Error(`reply frame of ${end - start} bytes claims a header of ${headerBytes} bytes`);
    let code: number;
    let opaque: number;
    if (bytes[start + 4] === SERIALIZE_JSON) {
      code = this.#json.code(bytes, header, header + headerBytes);
      opaque = this.#json.opaque(bytes, header, header + headerBytes);
    } else {
      code = ((bytes[header] as number) << 8) | (bytes[header + 1] as number);
      opaque = int32(bytes, header + BINARY_OPAQUE_AT);
    }
    this.#onReply(code, opaque, body, bytes, start, end);
  }
}

function uint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

function int32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | uint24(bytes, at + 1);
}

function frameSize(bytes: Uint8Array, at: number): number {
  const length = int32(bytes, at);
  if (length < LENGTH_BYTES || length > LARGEST_FRAME) throw new Error(`reply frame claims ${length} bytes`);
  return length + LENGTH_BYTES;
}
