/**
 * Cuts a byte stream into frames without copying whole ones. A frame is a 4-byte big-endian length and that many bytes.
 *
 * The cutter keeps bytes aside in one case only: they are not handled yet. `kept` bytes come before any later chunk.
 * Invariant: 0 <= start <= end <= kept.length; [start, end) are the kept bytes.
 */
import { copied } from '../lib/copied.ts';
import { MAX_FRAME_BYTES } from '../lib/limits.ts';
import { LENGTH_BYTES } from './command-codec.ts';
import { ProtocolError } from './errors.ts';

/** A frame holds at least the word with serialize type and header length. */
const MIN_LENGTH = 4;

/** All complete frames were handled. */
export const CUT_ALL = 0;
/** The handler could not take a frame now; it is kept with everything behind it. */
export const CUT_BLOCKED = 1;
/** A length that no frame has: the connection must be closed. */
export const CUT_BROKEN = 2;
/** The peer has to take its answers first; the frame is kept with everything behind it. */
export const CUT_CONGESTED = 3;

/** The connection has had its turn; the frame is kept with everything behind it. */
export const CUT_LATER = 4;

/** Handles the frame, without its length field, in bytes[offset, +length): HANDLED, or why not. */
export type FrameHandler = (bytes: Uint8Array, view: DataView, offset: number, length: number) => number;

/** The count of frames stays a small integer, which costs the loop nothing. */
const MAX_COUNT = 0x3fffffff;

const NONE = new Uint8Array(0);
const NO_VIEW = new DataView(NONE.buffer);

/** What a cutter holds ready for its next unfinished frame; larger memory goes back when nothing is kept. */
const HELD_READY_BYTES = 16 * 1024;

/** Where larger memory comes from: buffers that begin where their memory does, with any content. */
export interface FrameMemory {
  take(bytes: number): Buffer;
  give(memory: Buffer): void;
}

const SYSTEM_MEMORY: FrameMemory = { take: (bytes) => Buffer.allocUnsafeSlow(bytes), give: () => {} };

export class FrameCutter {
  readonly #memory: FrameMemory;
  /** What #kept lies in, when it was taken from #memory. */
  #taken: Buffer | undefined;
  #kept: Uint8Array = NONE;
  #keptView: DataView = NO_VIEW;
  #start = 0;
  #end = 0;
  #frames = 0;

  /**
   * `memory` may be shared with others. A frame of 64 KiB is kept nearly always, and new memory for each costs more
   * than all else that is done for it: the system clears every page, and the collector has to find what was dropped.
   */
  constructor(memory: FrameMemory = SYSTEM_MEMORY) {
    this.#memory = memory;
  }

  /** Bytes kept aside: of a frame whose end has not come, or of frames that the handler could not take. */
  get keptBytes(): number {
    return this.#end - this.#start;
  }

  /** Bytes of the memory that it has, used or not. */
  get heldBytes(): number {
    return this.#kept.length;
  }

  /**
   * Frames handled so far, modulo 2^30. As long as it stays the same, what is kept belongs to the same frame: whoever
   * looks after every push knows since when that has been waiting.
   */
  get frames(): number {
    return this.#frames;
  }

  /** Gives up the memory that a cutter holds ready for the next unfinished frame; harmless while bytes are kept. */
  release(): void {
    if (this.keptBytes === 0) this.#forget();
  }

  /** Takes the chunk bytes[0, length). The handler may return CUT_BLOCKED or CUT_BROKEN for a frame. */
  push(bytes: Uint8Array, view: DataView, length: number, handle: FrameHandler): number {
    let at = 0;
    while (this.keptBytes > 0) {
      at = this.#complete(bytes, at, length);
      const outcome = this.resume(handle);
      if (at === length) return outcome;
      if (outcome !== CUT_ALL) {
        this.#keep(bytes, at, length);
        return outcome;
      }
    }
    while (length - at >= LENGTH_BYTES) {
      const frameLength = view.getInt32(at);
      if (frameLength < MIN_LENGTH || frameLength > MAX_FRAME_BYTES - LENGTH_BYTES) return CUT_BROKEN;
      const end = at + LENGTH_BYTES + frameLength;
      if (end > length) break;
      const outcome = handle(bytes, view, at + LENGTH_BYTES, frameLength);
      if (outcome !== CUT_ALL) {
        this.#keep(bytes, at, length);
        return outcome;
      }
      this.#frames = (this.#frames + 1) & MAX_COUNT;
      at = end;
    }
    if (at < length) this.#keep(bytes, at, length);
    return CUT_ALL;
  }

  /** Handles what is kept, as far as it goes. */
  resume(handle: FrameHandler): number {
    while (this.keptBytes >= LENGTH_BYTES) {
      const frameLength = this.#keptView.getInt32(this.#start);
      if (frameLength < MIN_LENGTH || frameLength > MAX_FRAME_BYTES - LENGTH_BYTES) return CUT_BROKEN;
      if (this.keptBytes < LENGTH_BYTES + frameLength) break;
      const outcome = handle(this.#kept, this.#keptView, this.#start + LENGTH_BYTES, frameLength);
      if (outcome !== CUT_ALL) return outcome;
      this.#frames = (this.#frames + 1) & MAX_COUNT;
      this.#start += LENGTH_BYTES + frameLength;
    }
    if (this.keptBytes === 0) this.#drop();
    else if (this.#taken !== undefined && this.keptBytes < this.#kept.length / 8) this.#move(this.keptBytes);
    return CUT_ALL;
  }

  /**
   * Keeps of bytes[at, length) what the first frame kept lacks, and no more: those behind it are handled where they
   * are. Where the rest begins.
   */
  #complete(bytes: Uint8Array, at: number, length: number): number {
    let from = at;
    for (let lacking = this.#lacking(); lacking > 0 && from < length; lacking = this.#lacking()) {
      const to = Math.min(length, from + lacking);
      this.#keep(bytes, from, to);
      from = to;
    }
    return from;
  }

  /** Bytes that the first frame kept lacks, or its length; not above 0 when it is whole or its length is none. */
  #lacking(): number {
    const { keptBytes } = this;
    return (keptBytes < LENGTH_BYTES ? 0 : this.#keptView.getInt32(this.#start)) + LENGTH_BYTES - keptBytes;
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const added = to - from;
    this.#reserve(this.keptBytes + added);
    this.#kept.set(bytes.subarray(from, to), this.#end);
    this.#end += added;
  }

  /**
   * Room for `bytes` kept bytes from `start` on; moves them to the front when the space behind is too small. Grows
   * with the bytes that came, never by the length that a frame claims.
   */
  #reserve(bytes: number): void {
    if (this.#start + bytes <= this.#kept.length) return;
    if (bytes > this.#kept.length) {
      this.#move(Math.max(bytes, this.#kept.length * 2, 4096));
      return;
    }
    this.#kept.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** What is kept goes to the front of other memory: larger, or no larger than it needs. */
  #move(bytes: number): void {
    const before = this.#kept.subarray(this.#start, this.#end);
    const taken = bytes > HELD_READY_BYTES ? this.#memory.take(bytes) : undefined;
    // Not the Buffer itself: who handles a frame may count on what a Uint8Array does.
    const target = new Uint8Array(taken?.buffer ?? new ArrayBuffer(bytes));
    target.set(before);
    this.#giveBack();
    this.#taken = taken;
    this.#kept = target;
    this.#keptView = new DataView(target.buffer);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #giveBack(): void {
    if (this.#taken !== undefined) this.#memory.give(this.#taken);
    this.#taken = undefined;
  }

  /** An idle connection holds no large memory for a frame that has long been handled. */
  #drop(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#taken !== undefined) this.#forget();
  }

  #forget(): void {
    this.#start = 0;
    this.#end = 0;
    this.#giveBack();
    this.#kept = NONE;
    this.#keptView = NO_VIEW;
  }
}

/**
 * For readers at leisure: hands out every frame of the chunk in memory of its own, without its length field. Throws a
 * ProtocolError at a length that no frame has.
 */
export function cutFrames(cutter: FrameCutter, chunk: Uint8Array, take: (frame: Uint8Array) => void): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const outcome = cutter.push(chunk, view, chunk.length, (bytes, _view, offset, length) => {
    take(copied(bytes, offset, offset + length));
    return CUT_ALL;
  });
  if (outcome === CUT_BROKEN) throw new ProtocolError('LENGTH', 'a length that no frame has');
}
