/** Keeping the queue ledger: a sample of all queues at each checkpoint, written when the log is durable up to it. */
import { DISPATCHED, FLUSHED, LOG_START, type Positions } from '../ring/positions.ts';
import type { Disk } from './disk/disk.ts';
import type { StoreOptions } from './options.ts';
import type { QueueDirectory } from './queue/queue-directory.ts';
import { type LedgerSample, writeLedger } from './queue-ledger.ts';
import { indexEnds } from './recovery/index-recovery.ts';

export interface LedgerParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  /** Every queue that has an id. */
  queues: () => Iterable<{ topic: string; queueId: number; id: number }>;
}

export class LedgerKeeper {
  readonly #parts: LedgerParts;
  /** `end` of the ledger on the disk, -1 without one. */
  #written: number;
  /** Of the checkpoint before: under load the newest messages are never durable yet. */
  #before: LedgerSample | undefined;

  constructor(parts: LedgerParts, written: number) {
    this.#parts = parts;
    this.#written = written;
  }

  get written(): number {
    return this.#written;
  }

  /**
   * Notes where the queues are. Before the queues are synced: what is noted must be durable when it is written. The
   * maxima first: what they count has been dispatched when the position is read, but for a round that is being
   * published this moment; a crash that takes just those messages means no more than a needless warning.
   */
  sample(): LedgerSample {
    const { directory, queues, positions } = this.#parts;
    const logStart = positions.get(LOG_START);
    const topics = new Map<string, number[]>();
    for (const { topic, queueId, id } of queues()) {
      let numbers = topics.get(topic);
      if (numbers === undefined) {
        numbers = [];
        topics.set(topic, numbers);
      }
      numbers.push(queueId, directory.minimum(id), directory.maximum(id));
    }
    return { end: positions.get(DISPATCHED), logStart, topics, index: indexEnds(this.#parts) };
  }

  /** Writes the newest sample that the durable log covers. Throws when the disk refuses. */
  write(now: LedgerSample): void {
    const { disk, options, positions } = this.#parts;
    const flushed = positions.get(FLUSHED);
    const usable = now.end <= flushed ? now : this.#before;
    this.#before = now;
    if (usable === undefined || usable.end > flushed || usable.end < this.#written) return;
    writeLedger(disk, options, usable);
    this.#written = usable.end;
  }
}
