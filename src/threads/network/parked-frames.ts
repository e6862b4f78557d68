/**
 * Frames that wait until control has made a topic or group. They are copied aside and run again, in order, when it is
 * there; what comes meanwhile for the same name goes behind them. A bounded number of bytes waits for one name and for
 * all, and none waits for an answer longer than three seconds.
 */
import { Fifo } from '../../lib/fifo.ts';
import { MAX_ALL_CREATION_BYTES, MAX_CREATION_BYTES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';

const PATIENCE_MS = 3000;

export interface ParkedFrame {
  connection: Connection;
  /** Without its length field. */
  frame: Uint8Array;
}

interface Waiting {
  readonly frames: Fifo<ParkedFrame>;
  bytes: number;
  deadline: number;
  /** What it waits for is there: its frames run as far as rings allow. */
  ready: boolean;
}

export class ParkedFrames {
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;
  #ready = 0;

  /** Names that frames wait for. */
  get size(): number {
    return this.#waiting.size;
  }

  get hasReady(): boolean {
    return this.#ready > 0;
  }

  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Starts waiting for `key` when nothing does yet; the limit's name when too many bytes wait. */
  park(key: string, parked: ParkedFrame, now: number): string | undefined {
    const { length } = parked.frame;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.bytes + length > MAX_CREATION_BYTES) return 'MAX_CREATION_BYTES';
    if (this.#bytes + length > MAX_ALL_CREATION_BYTES) return 'MAX_ALL_CREATION_BYTES';
    this.#bytes += length;
    if (waiting === undefined) {
      const frames = new Fifo<ParkedFrame>();
      frames.push(parked);
      this.#waiting.set(key, { frames, bytes: length, deadline: now + PATIENCE_MS, ready: false });
    } else {
      waiting.frames.push(parked);
      waiting.bytes += length;
    }
    return undefined;
  }

  /** What `key` waits for is there. */
  markReady(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || waiting.ready) return;
    waiting.ready = true;
    this.#ready++;
  }

  /** Runs what is ready, in order within each name; `run` returns false when a frame cannot run now. */
  runReady(run: (parked: ParkedFrame) => boolean): void {
    for (const [key, waiting] of this.#waiting) {
      if (this.#ready === 0) return;
      if (!waiting.ready) continue;
      for (let parked = waiting.frames.peek(); parked !== undefined; parked = waiting.frames.peek()) {
        if (!run(parked)) break;
        waiting.frames.shift();
        waiting.bytes -= parked.frame.length;
        this.#bytes -= parked.frame.length;
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

  /** Takes the frames that have waited for an answer for too long, with the name they waited for. */
  takeExpired(now: number): { key: string; frames: Iterable<ParkedFrame> }[] {
    const expired: { key: string; frames: Iterable<ParkedFrame> }[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (waiting.ready || waiting.deadline > now) continue;
      this.#remove(key, waiting);
      expired.push({ key, frames: waiting.frames });
    }
    return expired;
  }

  #remove(key: string, waiting: Waiting): void {
    this.#waiting.delete(key);
    this.#bytes -= waiting.bytes;
    if (waiting.ready) this.#ready--;
  }
}
