/**
 * Recalls that found no room in memory (MAX_RECALLED_KEYS) stay in force: messages that one of them may mean are put
 * aside, and for as many as fit into a batch the chains are read once more, in short steps.
 */
import { assert } from '../../lib/assert.ts';
import { Fifo } from '../../lib/fifo.ts';
import type { KeyDigest } from './recalled-keys.ts';
import { type Chain, PIECE_UNITS } from './slot-loader.ts';
import type { TimedMessages, TimerPut } from './timed-messages.ts';
import { isRecall, type TimerUnit } from './timer-layout.ts';
import type { UnitReader } from './timer-log.ts';
import type { Steps, TimerStore } from './timer-store.ts';

/** A recall's record is read: that takes as long as so many units. */
export const RECALL_COST = 16;
/** Messages that one reading of the chains decides. */
export const MAX_DOUBTFUL = 16 * 1024;

export class RecallSearch {
  readonly #timers: TimerStore;
  readonly #messages: TimedMessages;
  readonly #reader: UnitReader;

  constructor(timers: TimerStore, messages: TimedMessages) {
    this.#timers = timers;
    this.#messages = messages;
    this.#reader = timers.reader();
  }

  /** Which of the messages are recalled in the chains, by the recalls that count. */
  *among(
    wanted: ReadonlySet<KeyDigest>,
    chains: readonly Chain[],
    counts: (position: number, unit: Readonly<TimerUnit>) => boolean,
  ): Steps<Set<KeyDigest>> {
    const found = new Set<KeyDigest>();
    let read = 0;
    for (const { slot, last, after } of chains) {
      for (let at = last; at > after; ) {
        const unit = this.#timers.follow(this.#reader, at, slot);
        const { previous } = unit;
        if (isRecall(unit) && counts(at, unit)) {
          const digest = this.#messages.digestAt(unit.physical);
          if (digest !== undefined && wanted.has(digest)) found.add(digest);
          read += RECALL_COST;
        }
        at = previous;
        if (++read < PIECE_UNITS) continue;
        read = 0;
        yield;
      }
    }
    return found;
  }
}

/** Puts of messages of which nobody knows whether they were recalled. */
export class DoubtfulPuts {
  readonly #search: RecallSearch;
  #waiting: TimerPut[] = [];
  #batch: TimerPut[] = [];
  #steps: Steps<Set<KeyDigest>> | undefined;
  /** Were not recalled. */
  readonly decided = new Fifo<TimerPut>();

  constructor(search: RecallSearch) {
    this.#search = search;
  }

  /** Of those that are not decided. */
  get size(): number {
    return this.#waiting.length + this.#batch.length;
  }

  get isFull(): boolean {
    return this.#waiting.length >= MAX_DOUBTFUL;
  }

  get isSearching(): boolean {
    return this.#steps !== undefined;
  }

  /** `put.doubt` says what the message is known by. */
  add(put: TimerPut): void {
    this.#waiting.push(put);
  }

  /** One step of a search in the chains as they were when it began; what has turned out to be recalled. */
  step(
    chains: () => readonly Chain[],
    counts: (position: number, unit: Readonly<TimerUnit>) => boolean,
  ): TimerPut[] {
    if (this.#steps === undefined) {
      this.#batch = this.#waiting;
      this.#waiting = [];
      this.#steps = this.#search.among(new Set(this.#batch.map(doubtOf)), chains(), counts);
    }
    const { done, value } = this.#steps.next();
    if (!done) return [];
    const batch = this.#batch;
    this.#batch = [];
    this.#steps = undefined;
    const isRecalled = (put: TimerPut) => value.has(doubtOf(put));
    const recalled = batch.filter(isRecalled);
    for (const put of batch) {
      if (isRecalled(put)) continue;
      Object.assign(put, { doubt: undefined, decided: true });
      this.decided.push(put);
    }
    return recalled;
  }

  /** They are no longer its concern. */
  takeAll(): TimerPut[] {
    const all = [...this.#batch, ...this.#waiting, ...this.decided];
    this.decided.clear();
    this.#batch = [];
    this.#waiting = [];
    this.#steps = undefined;
    return all;
  }
}

function doubtOf({ doubt }: TimerPut): KeyDigest {
  assert(doubt !== undefined, 'the put is doubtful');
  return doubt;
}
