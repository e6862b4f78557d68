/**
 * Frames that wait until control has made a topic or group. They are copied aside and run again, in order, when it is
 * there; what comes meanwhile for the same name goes behind them. A bounded number of bytes waits for one name and for
 * all, and none waits for an answer longer than three seconds.
 */
import { Fifo } from '../../lib/fifo.ts';
import { MAX_ALL_CREATION_BYTES, MAX_CREATION_BYTES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';

const PATIENCE_MS = 3000;
/** Names that are found overdue in one turn. */
const OVERDUE_TOGETHER = 4096;
/** What a frame that waits costs beside its bytes, roughly: a buffer of its own and its entry. */
const FRAME_BYTES = 256;

export interface ParkedFrame {
  connection: Connection;
  /** Without its length field. */
  frame: Uint8Array;
}

/** Why frames that waited are not run. */
export interface ParkedRefusal {
  code: number;
  remark: string;
}

interface Waiting {
  readonly frames: Fifo<ParkedFrame>;
  bytes: number;
  deadline: number;
  /** Of what is ready: its frames are refused. */
  refusal: ParkedRefusal | undefined;
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

  /** What `key` waited for is known; its frames run, or are refused, as soon as rings and time allow. */
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
      this.#waiting.set(key, { frames, bytes: cost, deadline: now + PATIENCE_MS, refusal: undefined });
    } else {
      waiting.frames.push(parked);
      waiting.bytes += cost;
    }
    return undefined;
  }

  /** What `key` waits for is there, or will not be, for that reason. The first of two answers counts. */
  markReady(key: string, refusal?: ParkedRefusal): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || this.#ready.has(key)) return;
    waiting.refusal = refusal;
    this.#ready.set(key, waiting);
  }

  /**
   * Runs what is ready, in order within each name and by turns of the names, while `mayGoOn`; `run` returns false when
   * a frame cannot run now. True when that is to be called again although nobody brings news: time was over, and
   * something has run in it.
   */
  runReady(
    run: (parked: ParkedFrame, key: string, refusal: ParkedRefusal | undefined) => boolean,
    mayGoOn: () => boolean,
  ): boolean {
    let ran = 0;
    for (let names = this.#ready.size; names > 0 && mayGoOn(); names--) {
      const [key, waiting] = this.#ready.entries().next().value as [string, Waiting];
      // Who is not through stands behind the others the next time.
      this.#ready.delete(key);
      this.#ready.set(key, waiting);
      for (let parked = waiting.frames.peek(); parked !== undefined; parked = waiting.frames.peek()) {
        if (!run(parked, key, waiting.refusal)) break;
        ran++;
        waiting.frames.shift();
        waiting.bytes -= costOf(parked);
        this.#bytes -= costOf(parked);
        if (waiting.frames.size > 0 && !mayGoOn()) return true;
      }
      if (waiting.frames.size === 0) this.#remove(key, waiting);
    }
    return ran > 0 && this.#ready.size > 0 && !mayGoOn();
  }

  /** Names that have been waited for too long; of very many some, the rest when these are ready. */
  overdue(now: number): string[] {
    const overdue: string[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (waiting.deadline > now || overdue.length >= OVERDUE_TOGETHER) break;
      if (!this.#ready.has(key)) overdue.push(key);
    }
    return overdue;
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
