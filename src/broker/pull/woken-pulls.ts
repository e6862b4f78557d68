/**
 * Pulls that have something to be answered with, in the order in which they came to it. They are served in slices: a
 * message may wake tens of thousands at once, and their thread has other clients. A connection that does not take its
 * answers keeps its pulls waiting until it has.
 *
 * Pulls whose messages are on disk only are fetched a few at a time: each fetch takes a thread of libuv's pool.
 */
import { Fifo } from '../../lib/fifo.ts';
import { limitRemark, MAX_ALL_FETCHES, MAX_FETCHES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import type { ParkedPull } from './pull-hold.ts';

/** How long a slice takes, ms. */
const SLICE_MS = 4;
/** Fetches from the disk at a time. */
const FETCHES = 4;

export interface WokenPull {
  pull: ParkedPull;
  /** To be answered whatever comes. */
  last: boolean;
  /** Its messages have just been fetched from the disk. */
  fetched: boolean;
}

export interface WokenPullsParts {
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  serve: (connection: Connection, woken: WokenPull) => void;
  /** Ms of a clock that goes on within a turn. */
  clock: () => number;
  /** Ends a turn that no socket and no bell has begun. */
  endOfTurn: () => void;
}

export class WokenPulls {
  readonly #parts: WokenPullsParts;
  readonly #ready = new Fifo<WokenPull>();
  /** By slot of the connection that has to take its answers first. */
  readonly #stalled = new Map<number, WokenPull[]>();
  readonly #toFetch = new Fifo<() => Promise<void>>();
  /** Fetches that wait or run, by slot of the connection, and in all. */
  readonly #fetchesOf = new Map<number, number>();
  #fetches = 0;
  #fetching = 0;
  #next: NodeJS.Immediate | undefined;

  constructor(parts: WokenPullsParts) {
    this.#parts = parts;
  }

  /** Pulls that wait for their turn. */
  get size(): number {
    return this.#ready.size;
  }

  add(pull: ParkedPull, last: boolean, fetched = false): void {
    this.#ready.push({ pull, last, fetched });
  }

  /** Serves for a slice of time; what is left is served in later turns. */
  serve(): void {
    const until = this.#parts.clock() + SLICE_MS;
    for (let woken = this.#ready.shift(); woken !== undefined; woken = this.#ready.shift()) {
      this.#serveOne(woken);
      if (this.#ready.size > 0 && this.#parts.clock() >= until) {
        this.#goOnLater();
        return;
      }
    }
  }

  /** The connection has taken its answers. */
  drained(connection: Connection): void {
    const stalled = this.#stalled.get(connection.slot);
    if (stalled === undefined) return;
    this.#stalled.delete(connection.slot);
    for (const woken of stalled) this.#ready.push(woken);
    this.serve();
  }

  /** The connection has gone. */
  drop(slot: number): void {
    this.#stalled.delete(slot);
  }

  /** Pulls of a connection that wait for it to take its answers. */
  stalledOf(slot: number): number {
    return this.#stalled.get(slot)?.length ?? 0;
  }

  /**
   * Has `fetch` bring messages into memory, then serves the pull, whatever became of the fetch. Why not, in words for
   * the client, when too many wait.
   */
  fetch(pull: ParkedPull, last: boolean, fetch: () => Promise<void>): string | undefined {
    const ofConnection = this.#fetchesOf.get(pull.slot) ?? 0;
    const what = 'pulls whose messages have to be fetched from the disk';
    if (ofConnection >= MAX_FETCHES)
      return limitRemark(`${what}, of one connection`, MAX_FETCHES, 'MAX_FETCHES');
    if (this.#fetches >= MAX_ALL_FETCHES) return limitRemark(what, MAX_ALL_FETCHES, 'MAX_ALL_FETCHES');
    this.#fetchesOf.set(pull.slot, ofConnection + 1);
    this.#fetches++;
    this.#toFetch.push(async () => {
      try {
        await fetch();
      } catch {
        // The read that follows finds out what is wrong and says so to the client.
      }
      this.#fetched(pull.slot);
      this.add(pull, last, true);
    });
    this.#startFetches();
    return undefined;
  }

  #fetched(slot: number): void {
    this.#fetches--;
    const left = (this.#fetchesOf.get(slot) ?? 1) - 1;
    if (left === 0) this.#fetchesOf.delete(slot);
    else this.#fetchesOf.set(slot, left);
  }

  #startFetches(): void {
    while (this.#fetching < FETCHES) {
      const fetch = this.#toFetch.shift();
      if (fetch === undefined) return;
      this.#fetching++;
      void fetch().then(() => {
        this.#fetching--;
        this.#startFetches();
        this.serve();
        this.#parts.endOfTurn();
      });
    }
  }

  #serveOne(woken: WokenPull): void {
    const { slot, generation } = woken.pull;
    const connection = this.#parts.connectionOf(slot, generation);
    if (connection === undefined) return;
    if (!connection.congested) {
      this.#parts.serve(connection, woken);
      return;
    }
    const stalled = this.#stalled.get(slot);
    if (stalled === undefined) this.#stalled.set(slot, [woken]);
    else stalled.push(woken);
  }

  #goOnLater(): void {
    if (this.#next !== undefined) return;
    this.#next = setImmediate(() => {
      this.#next = undefined;
      this.serve();
      this.#parts.endOfTurn();
    });
  }
}
