/** HTTP/2 frames as a gRPC client sends them, and the cutter for those that come. */

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;

export const HEAD_BYTES = 9;
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** What a peer takes when it has not said anything else. */
export const DEFAULT_WINDOW = 65_535;
export const LARGEST_PAYLOAD = 16_384;
export const LARGEST_WINDOW = 0x7fffffff;

const SETTINGS_HEADER_TABLE_SIZE = 1;
const SETTINGS_ENABLE_PUSH = 2;
const SETTINGS_INITIAL_WINDOW_SIZE = 4;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeInt32BE(stream, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** No header table, so that the same answer has the same bytes each time; nothing that holds the peer up. */
export function firstBytes(): Buffer {
  const settings: [number, number][] = [
    [SETTINGS_HEADER_TABLE_SIZE, 0],
    [SETTINGS_ENABLE_PUSH, 0],
    [SETTINGS_INITIAL_WINDOW_SIZE, LARGEST_WINDOW],
  ];
  const payload = Buffer.alloc(settings.length * 6);
  for (const [index, [name, value]] of settings.entries()) {
    payload.writeUInt16BE(name, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return Buffer.concat([
    Buffer.from(PREFACE, 'latin1'),
    frame(SETTINGS, 0, 0, payload),
    windowUpdate(LARGEST_WINDOW - DEFAULT_WINDOW),
  ]);
}

/** For the connection as a whole. */
export function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeInt32BE(bytes, 0);
  return frame(WINDOW_UPDATE, 0, 0, payload);
}

/** The payload of the frame is bytes[start, end). */
export type OnFrame = (
  type: number,
  flags: number,
  stream: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => void;

/** Cuts what a socket delivers into frames; only one that a read cut in two is collected in a buffer of its own. */
export class Http2Cutter {
  readonly #onFrame: OnFrame;
  #held: Uint8Array = new Uint8Array(1 << 16);
  #heldBytes = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  push(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (this.#heldBytes > 0 && at < length) at += this.#completeHeld(bytes, at, length);
    while (length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + payloadBytes(bytes, at);
      if (end > length) break;
      this.#emit(bytes, at, end);
      at = end;
    }
    if (at < length) this.#hold(bytes, at, length);
  }

  /** Adds to the held frame what it lacks, as far as it is there, and hands it over when it is whole. */
  #completeHeld(bytes: Uint8Array, at: number, length: number): number {
    const isHead = this.#heldBytes < HEAD_BYTES;
    const wanted = isHead ? HEAD_BYTES : HEAD_BYTES + payloadBytes(this.#held, 0);
    const taken = Math.min(wanted - this.#heldBytes, length - at);
    this.#hold(bytes, at, at + taken);
    const isWhole =
      this.#heldBytes >= HEAD_BYTES && this.#heldBytes === HEAD_BYTES + payloadBytes(this.#held, 0);
    if (!isWhole) return taken;
    const size = this.#heldBytes;
    this.#heldBytes = 0;
    this.#emit(this.#held, 0, size);
    return taken;
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

  #emit(bytes: Uint8Array, at: number, end: number): void {
    const stream =
      (((bytes[at + 5] as number) & 0x7f) << 24) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 8) |
      (bytes[at + 8] as number);
    this.#onFrame(bytes[at + 3] as number, bytes[at + 4] as number, stream, bytes, at + HEAD_BYTES, end);
  }
}

function payloadBytes(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}
