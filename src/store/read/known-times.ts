/**
 * Store times of messages by queue and offset, as they were read: of groups that stand still each page of metrics asks
 * for the same, and reading one takes two system calls. A few of each queue, as it may have several groups.
 */

const PER_QUEUE = 4;

interface Known {
  /** Offsets, and the time of each at the same place; the next one to be noted takes the place `next`. */
  readonly offsets: number[];
  readonly times: number[];
  next: number;
}

export class KnownTimes {
  readonly #queues = new Map<number, Known>();

  get(queue: number, offset: number): number | undefined {
    const known = this.#queues.get(queue);
    const place = known?.offsets.indexOf(offset) ?? -1;
    return place < 0 ? undefined : known?.times[place];
  }

  note(queue: number, offset: number, time: number): void {
    let known = this.#queues.get(queue);
    if (known === undefined) {
      known = { offsets: [], times: [], next: 0 };
      this.#queues.set(queue, known);
    }
    known.offsets[known.next] = offset;
    known.times[known.next] = time;
    known.next = (known.next + 1) % PER_QUEUE;
  }

  forget(queue: number): void {
    this.#queues.delete(queue);
  }
}
