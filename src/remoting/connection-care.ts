/**
 * What the connections of one server share: how much they may hold together, how many requests may be under way, and
 * the clock that closes those on which nothing moves. A client has one of its own for its single connection.
 */
import { type Clock, systemClock } from '../lib/clock.ts';
import { HoldBudget } from '../lib/hold-budget.ts';
import {
  FRAME_STALL_MS,
  MAX_NAME_SERVER_OUTPUT_BYTES,
  MAX_NAME_SERVER_UNFINISHED_BYTES,
  MAX_OUTPUT_BYTES,
  MAX_REQUESTS_PER_CONNECTION,
  MAX_REQUESTS_UNDER_WAY,
  MAX_UNSENT_BYTES,
  MIN_FRAME_GROWTH_BYTES,
  TLS_HANDSHAKE_MS,
} from '../lib/limits.ts';

/** RocketMQ's own limit on both sides. */
export const DEFAULT_IDLE_TIMEOUT_MS = 120_000;

/** The limits that hold for the connections of a server; tests take smaller ones. */
export const connectionLimits = {
  unfinishedBytes: MAX_NAME_SERVER_UNFINISHED_BYTES,
  stallMs: FRAME_STALL_MS,
  handshakeMs: TLS_HANDSHAKE_MS,
  unsentBytes: MAX_UNSENT_BYTES,
  outputBytes: MAX_OUTPUT_BYTES,
  allOutputBytes: MAX_NAME_SERVER_OUTPUT_BYTES,
  requestsPerConnection: MAX_REQUESTS_PER_CONNECTION,
  requests: MAX_REQUESTS_UNDER_WAY,
};

export type ConnectionLimits = typeof connectionLimits;

/** A connection as it is looked after. */
export interface CaredFor {
  /** There may be room for its next request. Must not throw. */
  resume(): void;
  /** Time for what is due; closes itself when nothing has moved for too long. Must not throw. */
  tick(now: number): void;
}

const MAX_TICK_MS = 1000;

export interface CareOptions {
  idleTimeoutMs?: number;
  limits?: Partial<ConnectionLimits>;
  clock?: Clock;
  /** Time for what else is due with the connections; `now` is ms of the clock. */
  ticked?: (now: number) => void;
}

export class ConnectionCare {
  readonly limits: ConnectionLimits;
  readonly idleTimeoutMs: number;
  readonly clock: Clock;
  /** Bytes of frames whose end has not come. */
  readonly input: HoldBudget;
  /** Bytes of answers that their peers have not read. */
  readonly output: HoldBudget;
  readonly #ticked: (now: number) => void;
  readonly #connections = new Set<CaredFor>();
  /** Those with requests that found no room, in the order in which they came. */
  readonly #waiting = new Set<CaredFor>();
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CareOptions = {}) {
    this.limits = { ...connectionLimits, ...options.limits };
    this.idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    this.clock = options.clock ?? systemClock;
    this.#ticked = options.ticked ?? (() => {});
    this.input = new HoldBudget({
      what: 'bytes of an unfinished frame',
      limit: this.limits.unfinishedBytes,
      limitName: 'MAX_NAME_SERVER_UNFINISHED_BYTES',
      stallMs: this.limits.stallMs,
      minGrowth: MIN_FRAME_GROWTH_BYTES,
    });
    this.output = new HoldBudget({
      what: 'bytes of answers that are not read',
      limit: this.limits.allOutputBytes,
      limitName: 'MAX_NAME_SERVER_OUTPUT_BYTES',
      stallMs: this.idleTimeoutMs,
      minGrowth: Number.POSITIVE_INFINITY,
    });
  }

  get size(): number {
    return this.#connections.size;
  }

  /** The timer runs while there are connections, and keeps no process alive: sockets decide that. */
  add(connection: CaredFor): void {
    this.#connections.add(connection);
    if (this.#timer !== undefined) return;
    const period = Math.max(1, Math.min(MAX_TICK_MS, this.idleTimeoutMs / 2));
    this.#timer = setInterval(() => this.tick(), period);
    this.#timer.unref();
  }

  remove(connection: CaredFor): void {
    this.#connections.delete(connection);
    this.#waiting.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Looks at all connections; the timer does that by itself. */
  tick(): void {
    const now = this.clock.monotonic();
    for (const connection of this.#connections) connection.tick(now);
    this.input.closeStalled(now);
    this.output.closeStalled(now);
    this.#ticked(now);
  }

  /** Whether one more request may be served; if not, the connection hears of the next chance by `resume`. */
  mayServe(connection: CaredFor): boolean {
    if (this.#underWay < this.limits.requests) return true;
    this.#waiting.add(connection);
    return false;
  }

  began(): void {
    this.#underWay += 1;
  }

  /** A request was answered: whoever waits longest gets the room. */
  ended(): void {
    this.#underWay -= 1;
    for (const connection of this.#waiting) {
      if (this.#underWay >= this.limits.requests) return;
      this.#waiting.delete(connection);
      connection.resume();
    }
  }
}
