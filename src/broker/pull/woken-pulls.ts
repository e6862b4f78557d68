/**
 * Pulls that have something to be answered with. They are served in slices: a message may wake hundreds of thousands at
 * once, and their thread has other clients. A connection that does not take its answers keeps its pulls waiting until
 * it has.
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
/** Where pulls come from: the disk, connections that have taken answers, the hold. */
const SOURCES = 3;

export interface WokenPull {
  pull: ParkedPull;
  /** Its messages have just been fetched from the disk. */
  fetched: boolean;
}

export interface WokenPullsParts {
  /** Takes the next pull out of the hold that has news or is due. */
  next: () => ParkedPull | undefined;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  serve: (connection: Connection, woken: WokenPull) => void;
  /** Ms of a clock that goes on within a turn. */
  clock: () => number;
  /** Ends a turn that no socket and no bell has begun. */
  endOfTurn: () => void;
}

/** Pulls of one connection that wait for it to take its answers. */
interface Stalled {
  readonly connection: Connection;
  readonly pulls: Fifo<WokenPull>;
  /** It has taken answers: its pulls go on. */
  resumed: boolean;
}

export class WokenPulls {
  readonly #parts: WokenPullsParts;
  readonly #fetched = new Fifo<WokenPull>();
  /** By slot of the connection. */
  readonly #stalled = new Map<number, Stalled>();
  readonly #resumed = new Fifo<Stalled>();
  #stalledPulls = 0;
  readonly #toFetch = new Fifo<() => Promise<void>>();
  /** Fetches that wait or run, by slot of the connection, and in all. */
  readonly #fetchesOf = new Map<number, number>();
  #fetches = 0;
  #fetching = 0;
  #turn = 0;
  #next: NodeJS.Immediate | undefined;

  constructor(parts: WokenPullsParts) {
    this.#parts = parts;
  }

  /** Pulls outside of the hold that are not answered yet. */
  get size(): number {
    return this.#stalledPulls + this.#fetches + this.#fetched.size;
  }

  /** Serves for a slice of time, unless a later turn is to go on anyway; what is left is served in later turns. */
  serve(): void {
    if (this.#next === undefined) this.#serveSlice();
  }

  /** The connection has taken its answers. */
  drained(connection: Connection): void {
    const stalled = this.#stalled.get(connection.slot);
    if (stalled === undefined || stalled.resumed) return;
    stalled.resumed = true;
    this.#resumed.push(stalled);
    this.serve();
  }

  /** The connection has gone. */
  drop(slot: number): void {
    const stalled = this.#stalled.get(slot);
    if (stalled === undefined) return;
    this.#stalled.delete(slot);
    this.#stalledPulls -= stalled.pulls.size;
    stalled.pulls.clear();
  }

  /** Pulls of a connection that wait for it to take its answers. */
  stalledOf(slot: number): number {
    return this.#stalled.get(slot)?.pulls.size ?? 0;
  }

  /**
   * Has `fetch` bring messages into memory, then serves the pull, whatever became of the fetch. Why not, in words for
   * the client, when too many wait.
   */
  fetch(pull: ParkedPull, fetch: () => Promise<void>): string | undefined {
    const ofConnection = this.#fetchesOf.get(pull.slot) ?? 0;
    const what = 'pulls whose messages have to be fetched from the disk';
    if (ofConnection >= MAX_FETCHES)
      return limitRemark(`${what}, of one connection`, MAX_FETCHES, 'MAX_FETCHES');
    if (this.#fetches >= MAX_ALL_FETCHES) return limitRemark(what, MAX_ALL_FETCHES, 'MAX_ALL_FETCHES');
    this.#fetchesOf.set(pull.slot, ofConnection + 1);
    this.#fetches++;
    this.#toFetch.push(async () => {
      try {
        // The disk is not asked for somebody who has gone: others wait behind.
        if (this.#parts.connectionOf(pull.slot, pull.generation) !== undefined) await fetch();
      } catch {
        // The read that follows finds out what is wrong and says so to the client.
      }
      this.#fetchEnded(pull.slot);
      this.#fetched.push({ pull, fetched: true });
    });
    this.#startFetches();
    return undefined;
  }

  #fetchEnded(slot: number): void {
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

  #serveSlice(): void {
    const until = this.#parts.clock() + SLICE_MS;
    for (let woken = this.#take(); woken !== undefined; woken = this.#take()) {
      this.#serveOne(woken);
      if (this.#parts.clock() < until) continue;
      this.#goOnLater();
      return;
    }
  }

  /** What was fetched, what goes on, what is new: by turns, so that much of one does not hold up the others. */
  #take(): WokenPull | undefined {
    for (let i = 0; i < SOURCES; i++) {
      this.#turn = (this.#turn + 1) % SOURCES;
      const woken = this.#takeFrom(this.#turn);
      if (woken !== undefined) return woken;
    }
    return undefined;
  }

  #takeFrom(source: number): WokenPull | undefined {
    if (source === 0) return this.#fetched.shift();
    if (source === 1) return this.#takeResumed();
    const pull = this.#parts.next();
    return pull && { pull, fetched: false };
  }

  /** Of each connection in turn, as far as it takes answers: what it does not take yet stays where it is. */
  #takeResumed(): WokenPull | undefined {
    for (let stalled = this.#resumed.shift(); stalled !== undefined; stalled = this.#resumed.shift()) {
      const woken = stalled.connection.congested ? undefined : stalled.pulls.shift();
      if (woken !== undefined) {
        this.#stalledPulls--;
        this.#resumed.push(stalled);
        return woken;
      }
      stalled.resumed = false;
      const { slot } = stalled.connection;
      if (stalled.pulls.size === 0 && this.#stalled.get(slot) === stalled) this.#stalled.delete(slot);
    }
    return undefined;
  }

  #serveOne(woken: WokenPull): void {
    const { slot, generation } = woken.pull;
    const connection = this.#parts.connectionOf(slot, generation);
    if (connection === undefined) return;
    if (!connection.congested) {
      this.#parts.serve(connection, woken);
      return;
    }
    let stalled = this.#stalled.get(slot);
    if (stalled === undefined) {
      stalled = { connection, pulls: new Fifo(), resumed: false };
      this.#stalled.set(slot, stalled);
    }
    stalled.pulls.push(woken);
    this.#stalledPulls++;
  }

  #goOnLater(): void {
    this.#next = setImmediate(() => {
      this.#next = undefined;
      this.#serveSlice();
      this.#parts.endOfTurn();
    });
  }
}
