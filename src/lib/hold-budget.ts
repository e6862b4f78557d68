/**
 * A limit on what the connections of a server hold together: bytes of frames whose end has not come, or answers that
 * their peers do not read. Each connection may hold what its own limit allows as long as there is room for all; when
 * there is none, those go that have held most for longest. Whoever holds something and moves nothing goes after a
 * while in any case.
 */
import { limitRemark } from './limits.ts';

export interface HoldBudgetOptions {
  /** What is held, for the sentence that says why a connection was closed: `bytes of unfinished frames`. */
  what: string;
  /** Bytes that all holds may have together. */
  limit: number;
  /** The limit's name in limits.ts. */
  limitName: string;
  /** Within this time a hold must move, or it is closed. */
  stallMs: number;
  /** Growing by so many bytes counts as moving. Infinity: only another `unit` does. */
  minGrowth: number;
}

/** One connection's place in a budget. Made by the connection, kept up to date by `HoldBudget.update`. */
export class Hold {
  /**
   * It waits for us (a full ring, handlers under way), not for its peer: it never stalls, and goes last. To be set
   * before `update`.
   */
  waiting = false;
  bytes = 0;
  unit = 0;
  /** When `unit` began, and when it last moved; ms of a monotonic clock. */
  since = 0;
  movedAt = 0;
  movedBytes = 0;
  /** Place in the budget's list; -1 = holds nothing. */
  place = -1;
  closed = false;
  readonly close: (reason: string) => void;

  /** `close` ends the connection and must not throw. It may run inside `update` of this or of another connection. */
  constructor(close: (reason: string) => void) {
    this.close = close;
  }
}

/** What remains after a shortage: closing one connection per byte too many would look through all of them each time. */
const ROOM_AFTER_SHORTAGE = 1 / 4;

export class HoldBudget {
  readonly #options: HoldBudgetOptions;
  /** Holds that have bytes, in any order. */
  readonly #holds: Hold[] = [];
  #bytes = 0;

  constructor(options: HoldBudgetOptions) {
    this.#options = options;
  }

  /** What all hold together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many hold something. */
  get size(): number {
    return this.#holds.length;
  }

  /**
   * What a connection holds now. `unit` names it: the number of a frame, or how much has left already in large steps;
   * another unit is progress, and its age begins anew. May close connections, this one among them.
   */
  update(hold: Hold, bytes: number, unit: number, now: number): void {
    if (hold.place < 0) {
      if (bytes === 0 || hold.closed) return;
      hold.place = this.#holds.length;
      this.#holds.push(hold);
      begin(hold, unit, now);
    } else if (bytes === 0) {
      this.remove(hold);
      return;
    } else if (unit !== hold.unit) {
      begin(hold, unit, now);
    }
    this.#bytes += bytes - hold.bytes;
    hold.bytes = bytes;
    if (hold.movedBytes < 0) hold.movedBytes = bytes;
    else if (bytes - hold.movedBytes >= this.#options.minGrowth) moved(hold, now);
    if (this.#bytes > this.#options.limit) this.#makeRoom(now);
  }

  /** The connection is gone: whatever is said of it later counts no more. */
  end(hold: Hold): void {
    hold.closed = true;
    this.remove(hold);
  }

  /** The connection holds nothing any more. */
  remove(hold: Hold): void {
    if (hold.place < 0) return;
    const last = this.#holds.pop() as Hold;
    if (last !== hold) {
      this.#holds[hold.place] = last;
      last.place = hold.place;
    }
    hold.place = -1;
    this.#bytes -= hold.bytes;
    hold.bytes = 0;
  }

  /** Closes what has not moved for too long. To be called every second or so. */
  closeStalled(now: number): void {
    const { stallMs, what } = this.#options;
    const stalled: Hold[] = [];
    for (const hold of this.#holds) {
      if (hold.waiting) moved(hold, now);
      else if (now - hold.movedAt >= stallMs) stalled.push(hold);
    }
    for (const hold of stalled) {
      this.#close(hold, `${hold.bytes} ${what} without progress for ${stallMs / 1000} s`);
    }
  }

  /** The largest and oldest first; the quick ones hold little for short, and come last. */
  #makeRoom(now: number): void {
    const { limit, limitName, what } = this.#options;
    const cost = (hold: Hold) => hold.bytes * (now - hold.since + 1);
    const order = [...this.#holds].sort((a, b) => Number(a.waiting) - Number(b.waiting) || cost(b) - cost(a));
    for (const hold of order) {
      if (this.#bytes <= (hold.waiting ? limit : limit * (1 - ROOM_AFTER_SHORTAGE))) return;
      this.#close(hold, limitRemark(`${what} of all connections`, limit, limitName));
    }
  }

  #close(hold: Hold, reason: string): void {
    if (hold.closed) return;
    hold.closed = true;
    this.remove(hold);
    hold.close(reason);
  }
}

function begin(hold: Hold, unit: number, now: number): void {
  hold.unit = unit;
  hold.since = now;
  hold.movedAt = now;
  // Known when the bytes are.
  hold.movedBytes = -1;
}

function moved(hold: Hold, now: number): void {
  hold.movedAt = now;
  hold.movedBytes = hold.bytes;
}
