/**
 * Which topics open half messages are for. Their queue does not say it, and most are ended within a moment: so only the
 * records of those are read that have been open for a while, a few at a time.
 */
import { decodeRecord } from '../../record/decode.ts';
import type { DeliveryFigures } from '../figures.ts';
import { realQueueOf } from '../real-queue.ts';
import type { TransactionContext } from './context.ts';
import { ENDED, type OpenHalves } from './open-halves.ts';

/** How long they are left alone, and how many are read in one turn. */
const LOOK_MS = 1_000;
const BATCH = 256;
/** Between two turns while there are more. */
const PAUSE_MS = 100;
/** No topic's name: its copy counts. */
const MOVED = '';

export class HalfTopics {
  readonly #context: Pick<TransactionContext, 'store' | 'timers'>;
  readonly #halves: OpenHalves;
  readonly #figures: DeliveryFigures;
  /** By offset in the half queue. */
  readonly #topics = new Map<number, string>();
  /** Of the next one to be read, and up to where they have been open for long enough. */
  #next = 0;
  #until = 0;
  #looks = false;

  constructor(
    context: Pick<TransactionContext, 'store' | 'timers'>,
    halves: OpenHalves,
    figures: DeliveryFigures,
  ) {
    this.#context = context;
    this.#halves = halves;
    this.#figures = figures;
  }

  /** Some may have been opened. */
  wake(): void {
    if (this.#halves.size > 0) this.#lookIn(LOOK_MS);
  }

  #lookIn(ms: number): void {
    if (this.#looks) return;
    this.#looks = true;
    this.#context.timers.after(ms, () => this.#look());
  }

  /** It is open no more. */
  hasEnded(offset: number): void {
    const topic = this.#topics.get(offset);
    if (topic === undefined) return;
    this.#topics.delete(offset);
    if (topic !== MOVED) this.#figures.count('halves', topic, -1);
  }

  /** A copy has taken its place, which is open until that is written down. */
  hasMoved(from: number, to: number, topic: string): void {
    if (!this.#topics.has(from)) this.#figures.count('halves', topic);
    this.#topics.set(from, MOVED);
    this.#topics.set(to, topic);
  }

  #look(): void {
    this.#looks = false;
    this.#next = Math.max(this.#next, this.#halves.first);
    for (let read = 0; this.#next < this.#until && read < BATCH; this.#next++) {
      if (this.#topics.has(this.#next) || this.#halves.state(this.#next) === ENDED) continue;
      read += 1;
      this.#read(this.#next);
    }
    const isThrough = this.#next >= this.#until;
    if (isThrough) this.#until = this.#halves.end;
    if (this.#next < this.#until && this.#halves.size > 0) this.#lookIn(isThrough ? LOOK_MS : PAUSE_MS);
  }

  /** What cannot be read is left out: whoever ends it will say why. */
  #read(offset: number): void {
    let record: Uint8Array | undefined;
    try {
      record = this.#context.store.recordAt(this.#halves.position(offset));
    } catch {
      return;
    }
    const half = record === undefined ? undefined : decodeRecord(record);
    if (half === undefined) return;
    const { topic } = realQueueOf(half.properties);
    if (topic === MOVED) return;
    this.#topics.set(offset, topic);
    this.#figures.count('halves', topic);
  }
}
