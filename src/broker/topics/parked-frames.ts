/**
 * Frames that wait until control has made a topic or group. They are copied aside and run again, in order, when it is
 * there; what comes meanwhile for the same name goes behind them. A bounded number of bytes waits for one name and for
 * all, and none waits for an answer longer than three seconds.
 */
import { Fifo } from '../../lib/fifo.ts';
import { MAX_ALL_CREATION_BYTES, MAX_CREATION_BYTES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';

const PATIENCE_MS = 3000;
/** Frames that are refused in one turn, rounded up to whole names. */
const EXPIRED_TOGETHER = 4096;
/** What a frame that waits costs beside its bytes, roughly: a buffer of its own and its entry. */
const FRAME_BYTES = 256;

export interface ParkedFrame {
  connection: Connection;
  /** Without its length field. */
  frame: Uint8Array;
}

interface Waiting {
  readonly frames: Fifo<ParkedFrame>;
  bytes: number;
  deadline: number;
}

export class ParkedFrames {
  /** In the order in which they began to wait, which is that of their deadlines. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #ready = new Map<string, Waiting>();
  #bytes = 0;

  /** Names that frames wait for. */
  get size(): number {
    return this.#waiting.size;
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Bytes that wait, with what they cost besides. */
  get bytes(): number {
    return this.#bytes;
  }

  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** What `key` waits for is there; its frames run as soon as rings allow. */
  isReady(key: string): boolean {
    return this.#ready.has(key);
  }

  /** Starts waiting for `key` when nothing does yet; the limit's name when too many bytes wait. */
  park(key: string, parked: ParkedFrame, now: number): string | undefined {
    const cost = costOf(parked);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.bytes + cost > MAX_CREATION_BYTES) return 'MAX_CREATION_BYTES';
    if (this.#bytes + cost > MAX_ALL_CREATION_BYTES) return 'MAX_ALL_CREATION_BYTES';
    this.#bytes += cost;
    if (waiting === undefined) {
      const frames = new Fifo<ParkedFrame>();
      frames.push(parked);
      this.#waiting.set(key, { frames, bytes: cost, deadline: now + PATIENCE_MS });
    } else {
      waiting.frames.push(parked);
      waiting.bytes += cost;
    }
    return undefined;
  }

  /** What `key` waits for is there. */
  markReady(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) this.#ready.set(key, waiting);
  }

  /** Runs what is ready, in order within each name; `run` returns false when a frame cannot run now. */
  runReady(run: (parked: ParkedFrame, key: string) => boolean): void {
    for (const [key, waiting] of this.#ready) {
      for (let parked = waiting.frames.peek(); parked !== undefined; parked = waiting.frames.peek()) {
        if (!run(parked, key)) break;
        waiting.frames.shift();
        waiting.bytes -= costOf(parked);
        this.#bytes -= costOf(parked);
      }
      if (waiting.frames.size === 0) this.#remove(key, waiting);
    }
  }

  /** Takes the frames of `key`, which will not be there. */
  take(key: string): Iterable<ParkedFrame> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return [];
    this.#remove(key, waiting);
    return waiting.frames;
  }

  /**
   * Takes the frames that have waited for an answer for too long, with the name they waited for. Of very many some: the
   * rest the next time.
   */
  takeExpired(now: number): { key: string; frames: Iterable<ParkedFrame> }[] {
    const expired: { key: string; frames: Iterable<ParkedFrame> }[] = [];
    let count = 0;
    for (const [key, waiting] of this.#waiting) {
      if (waiting.deadline > now || count >= EXPIRED_TOGETHER) break;
      if (this.#ready.has(key)) continue;
      count += waiting.frames.size;
      this.#remove(key, waiting);
      expired.push({ key, frames: waiting.frames });
    }
    return expired;
  }

  #remove(key: string, waiting: Waiting): void {
    this.#waiting.delete(key);
    this.#ready.delete(key);
    this.#bytes -= waiting.bytes;
  }
}

function costOf({ frame }: ParkedFrame): number {
  return FRAME_BYTES + frame.length;
}
