/**
 * Frames that wait until control has made a topic or group. They are copied aside, in order, and run again when the
 * answer comes; a bounded number of bytes waits for one name, and none longer than three seconds.
 */
import type { Connection } from '../../net/connection.ts';

const MAX_BYTES = 4 * 1024 * 1024;
const PATIENCE_MS = 3000;

export interface ParkedFrame {
  connection: Connection;
  /** Without its length field. */
  frame: Uint8Array;
}

interface Waiting {
  frames: ParkedFrame[];
  bytes: number;
  deadline: number;
}

export class ParkedFrames {
  readonly #waiting = new Map<string, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Starts waiting for `key` when nothing does yet; false when too many bytes wait for it. */
  park(key: string, frame: ParkedFrame, now: number): boolean {
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = { frames: [], bytes: 0, deadline: now + PATIENCE_MS };
      this.#waiting.set(key, waiting);
    }
    if (waiting.bytes + frame.frame.length > MAX_BYTES && waiting.frames.length > 0) return false;
    waiting.bytes += frame.frame.length;
    waiting.frames.push(frame);
    return true;
  }

  take(key: string): ParkedFrame[] {
    const frames = this.#waiting.get(key)?.frames ?? [];
    this.#waiting.delete(key);
    return frames;
  }

  /** Takes the frames whose time is over, with the name they waited for. */
  takeExpired(now: number): { key: string; frames: ParkedFrame[] }[] {
    const expired: { key: string; frames: ParkedFrame[] }[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (waiting.deadline > now) continue;
      this.#waiting.delete(key);
      expired.push({ key, frames: waiting.frames });
    }
    return expired;
  }
}
