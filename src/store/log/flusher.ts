/**
 * Makes the CommitLog durable. A group is everything that was appended when the previous sync ended, so groups grow
 * with the load by themselves (group commit). Files are synced in order across a roll.
 *
 * After a failed sync the kernel may have dropped the dirty pages while keeping them marked clean: trying again would
 * succeed and lie. So the store halts: nothing is acknowledged any more.
 */
import {
  APPENDED,
  APPENDED_TIME,
  FLUSHED,
  FLUSHED_TIME,
  HALT_SYNC_FAILED,
  type Positions,
} from '../../ring/positions.ts';
import { isShortage } from '../disk/errors.ts';
import type { Segments } from './segments.ts';

export class Flusher {
  readonly #segments: Segments;
  readonly #positions: Positions;

  readonly #onShortage: ((errno: number) => void) | undefined;

  /**
   * `onShortage`: descriptors or memory have run out, so that a file could not be opened; nothing is lost, and the next
   * call tries again. Without it that halts the store.
   */
  constructor(segments: Segments, positions: Positions, onShortage?: (errno: number) => void) {
    this.#segments = segments;
    this.#positions = positions;
    this.#onShortage = onShortage;
  }

  /** Syncs what is appended and not yet durable; returns the bytes made durable. */
  doWork(): number {
    const time = this.#positions.get(APPENDED_TIME);
    const target = this.#positions.get(APPENDED);
    const start = this.#positions.get(FLUSHED);
    let flushed = start;
    while (flushed < target) {
      const fileStart = this.#segments.startOf(flushed);
      const end = Math.min(target, fileStart + this.#segments.fileSize);
      const mapping = this.#segments.at(flushed);
      if (mapping === undefined && this.#onShortage !== undefined && isShortage(this.#segments.lastError)) {
        this.#onShortage(this.#segments.lastError);
        return flushed - start;
      }
      const outcome = mapping?.sync(flushed - fileStart, end - fileStart) ?? -this.#segments.lastError;
      if (outcome < 0) {
        this.#positions.halt(HALT_SYNC_FAILED, -outcome);
        return 0;
      }
      flushed = end;
      this.#positions.set(FLUSHED, flushed);
    }
    if (target > start) {
      this.#positions.set(FLUSHED_TIME, time);
      this.#segments.dropBefore(this.#segments.startOf(flushed));
    }
    return target - start;
  }

  get behind(): boolean {
    return this.#positions.get(FLUSHED) < this.#positions.get(APPENDED);
  }
}
