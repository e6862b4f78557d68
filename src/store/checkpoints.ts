/**
 * Checkpoints one at a time, and those who wait for one. A checkpoint that fails is reported once, tried again with the
 * next round, and reported once more when it works again; who waits for it waits on, and is told why.
 */
import { type ControlLog, whyFailed } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import type { Positions } from '../ring/positions.ts';
import { Watermark } from '../ring/watermark.ts';
import type { OpenStore } from './opening.ts';
import { SETTLED } from './options.ts';

/** How often who waits looks again whether flusher and dispatcher have come far enough. */
const POLL_MS = 20;
/** Time that a checkpoint gets for which somebody waits, before the operator hears of it. */
const TELL_MS = 30_000;
/** A checkpoint samples what is dispatched; one after the next sync of the log may name it. So often, so far apart. */
const TRIES = 30;
const TRY_MS = 100;
/** Between two tries to note the end of a topic. */
const NOTE_MS = 1000;

export interface CheckpointsParts {
  store: Pick<OpenStore, 'checkpoint' | 'covers' | 'endTopic' | 'problem' | 'syncQueues'>;
  positions: Positions;
  timers: Timers;
  log: ControlLog;
}

export class Checkpoints {
  readonly #parts: CheckpointsParts;
  #last: Promise<unknown> = Promise.resolve();
  #failing = false;
  #ending = false;
  /** Who waits for the next checkpoint that works. */
  #waiting: (() => void)[] = [];

  constructor(parts: CheckpointsParts) {
    this.#parts = parts;
  }

  /** Takes one after those under way; resolves whether it worked, never rejects. */
  take(): Promise<boolean> {
    const taken = this.#last.then(() => this.#take());
    this.#last = taken;
    return taken;
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** A stop has begun: from now on nobody waits any more for what fails. */
  end(): void {
    this.#ending = true;
    this.#wakeWaiting();
  }

  /**
   * Resolves when the log up to `position` is durable, dispatched and covered by a checkpoint, however long the disk
   * refuses one. `what` waits is the start of a sentence for the operator. Rejects when the broker stops or dies first.
   */
  async settled(position: number, what: string): Promise<void> {
    const { store, timers, log } = this.#parts;
    const cancel = timers.after(TELL_MS, () => {
      log.warn({ position, reason: store.problem }, `${what} still waits for a checkpoint`);
    });
    try {
      while (!store.covers(position)) {
        await this.#reached(position);
        if (await this.take()) await this.#pause(POLL_MS);
        else await this.#works();
      }
    } finally {
      cancel();
    }
  }

  /**
   * Resolves when it is durable that no record of the topic before `position` counts: what the disk refuses is reported
   * once and tried again. Rejects when the broker stops or dies first.
   */
  async ended(topic: string, position: number): Promise<void> {
    const { store, positions, log } = this.#parts;
    for (let tries = 0; ; tries++) {
      try {
        return store.endTopic(topic, position);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
        const { message } = error as Error;
        if (tries === 0) {
          const what = 'the end of a topic cannot be noted yet: its name stays taken';
          log.warn({ topic, reason: message }, what);
        }
        if (this.#ending || positions.halted) throw new Error(`the broker stops: ${message}`);
      }
      await this.#pause(NOTE_MS);
    }
  }

  /** Whether the log up to `position` is covered, after as many checkpoints as that takes when all works: a few s. */
  async cover(position: number): Promise<boolean> {
    const { store } = this.#parts;
    for (let i = 0; i < TRIES && !store.covers(position); i++) {
      if (i > 0) await this.#pause(TRY_MS);
      if (!this.#isBehind(position) && !(await this.take())) return false;
    }
    return store.covers(position);
  }

  /**
   * Whether the queue entries of the log up to `position` are durable. That needs no checkpoint to be written, and so
   * no room on the disk.
   */
  async queuesDurable(position: number): Promise<boolean> {
    if (await this.cover(position)) return true;
    return !this.#isBehind(position) && (await this.#parts.store.syncQueues()) === 0;
  }

  async #take(): Promise<boolean> {
    const { store, log } = this.#parts;
    let problem: string | undefined;
    let err: unknown;
    try {
      if (!(await store.checkpoint())) problem = store.problem ?? 'the disk refused it';
    } catch (error) {
      err = error;
      problem = (error as Error).message;
    }
    if (problem !== undefined) {
      if (!this.#failing) {
        log.error(
          err === undefined ? {} : whyFailed(err),
          `no checkpoint, tried again until it works: ${problem}. A crash now means a longer start`,
        );
      }
      this.#failing = true;
      if (this.#ending) this.#wakeWaiting();
      return false;
    }
    if (this.#failing) log.info({}, 'checkpoints work again');
    this.#failing = false;
    this.#wakeWaiting();
    return true;
  }

  #isBehind(position: number): boolean {
    const { positions } = this.#parts;
    return new Watermark(positions, SETTLED).position < position;
  }

  async #reached(position: number): Promise<void> {
    const { positions } = this.#parts;
    const ended = () => positions.halted || (this.#isBehind(position) && positions.stopping);
    for (;;) {
      if (ended()) throw new Error('the broker has stopped');
      if (!this.#isBehind(position)) return;
      await this.#pause(POLL_MS);
    }
  }

  /** Resolves with the next checkpoint that works, which somebody else takes. */
  async #works(): Promise<void> {
    if (!this.#ending) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#ending && this.#failing)
      throw new Error(`the broker stops: ${this.#parts.store.problem ?? ''}`);
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.timers.after(ms, () => resolve()));
  }
}
