/**
 * Purging a topic: it lets go of the messages that the log holds when that is asked for, and its queues go on counting.
 * What is purged is noted first (`topic-starts.ts`); from then on it stays so over any crash. Then the job that follows
 * the log's start moves the queues' minima, as it is their one writer.
 */
import { isLiteQueueOf } from '../../lib/lite-names.ts';
import type { Timers } from '../../lib/timers.ts';
import { APPENDED, DISPATCHED, type Positions } from '../../ring/positions.ts';
import type { OpenStore } from '../opening.ts';
import type { QueueIds } from '../queue/queue-ids.ts';
import type { FollowLogInput } from './follow-log.ts';

/** How often is looked whether the queues have all that is to be purged, and for how long: clients wait for 5 s. */
const POLL_MS = 20;
const WAIT_MS = 4_000;

export interface TopicPurgeParts {
  store: Pick<OpenStore, 'purgeTopic'>;
  positions: Positions;
  ids: Pick<QueueIds, 'topics'>;
  timers: Timers;
  /** Moves the minima of these queues. */
  follow: (queues: FollowLogInput['queues']) => Promise<void>;
}

export class TopicPurge {
  readonly #parts: TopicPurgeParts;
  /** A note is a file that is written and synced: of many purges each has a turn of this thread of its own. */
  #notes: Promise<void> = Promise.resolve();

  constructor(parts: TopicPurgeParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the topic's queues begin behind `position`, and that is durable. Rejects when
   * the disk refuses, or when the queues lag behind the log for too long: nothing is purged then. When the job fails it
   * rejects too; it is noted then, and in force with the next purge, round of retention or start.
   */
  async run(topic: string, position = this.#parts.positions.get(APPENDED)): Promise<void> {
    const { store, follow } = this.#parts;
    await this.#dispatched(topic, position);
    await this.#noted(() => store.purgeTopic(topic, position));
    try {
      await follow(this.#queuesOf(topic));
    } catch (error) {
      const { message } = error as Error;
      throw new Error(
        `${topic} is noted as purged, and will be with the next start, or try again: ${message}`,
      );
    }
  }

  #noted(note: () => void): Promise<void> {
    const noted = this.#notes
      .then(() => this.#nextTurn(0))
      .then(() => {
        this.#refuseAtEnd();
        note();
      });
    this.#notes = noted.catch(() => {});
    return noted;
  }

  #refuseAtEnd(): void {
    const { positions } = this.#parts;
    if (positions.halted || positions.stopping) throw new Error('the broker stops: nothing is purged');
  }

  #nextTurn(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#parts.timers.after(delayMs, resolve));
  }

  /** An entry that came to its queue behind the job would be seen until the log's start moves. */
  async #dispatched(topic: string, position: number): Promise<void> {
    const { positions } = this.#parts;
    for (let waited = 0; positions.get(DISPATCHED) < position; waited += POLL_MS) {
      this.#refuseAtEnd();
      if (waited >= WAIT_MS) {
        const behind = position - positions.get(DISPATCHED);
        throw new Error(
          `${topic} is not purged: its queues lack the last ${behind} bytes of the log. Try again`,
        );
      }
      await this.#nextTurn(POLL_MS);
    }
  }

  #queuesOf(topic: string): FollowLogInput['queues'] {
    const queues: FollowLogInput['queues'] = [];
    for (const [name, ids] of this.#parts.ids.topics()) {
      if (name !== topic && !isLiteQueueOf(name, topic)) continue;
      for (const [queueId, id] of ids.entries()) {
        if (id !== undefined) queues.push({ topic: name, queueId, id });
      }
    }
    return queues;
  }
}
