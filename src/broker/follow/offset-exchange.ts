/**
 * Consumer offsets between a slave and its master. The slave has the master's; what consumers commit at the slave,
 * which they do while the master is gone, is told to the master when it is there again. RocketMQ's slaves forget it.
 */

import type { OffsetTable } from '../../metadata/offsets.ts';
import { keyOf, namesOf } from '../../metadata/queue-offsets.ts';
import { entriesOf, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';

export interface Commit {
  group: string;
  topic: string;
  queueId: number;
  offset: number;
}

export class OffsetExchange {
  readonly #offsets: OffsetTable;
  /** Committed here and not known to the master: by topic and group, then by queue. */
  readonly #own = new Map<string, Map<number, number>>();
  /** What is committed now comes from the master. */
  #isTaking = false;

  constructor(offsets: OffsetTable) {
    this.#offsets = offsets;
    offsets.onCommit = (group, topic, queueId, offset) => {
      if (this.#isTaking) return;
      const key = keyOf(topic, group);
      const queues = this.#own.get(key) ?? new Map<number, number>();
      this.#own.set(key, queues.set(queueId, offset));
    };
  }

  /** Takes over the master's table of offsets; returns what it is to be told. */
  take(table: RocketJson | undefined): Commit[] {
    this.#isTaking = true;
    try {
      for (const [key, queues] of entriesOf(table)) this.#takeQueues(key, queues);
    } finally {
      this.#isTaking = false;
    }
    return [...this.#own].flatMap(([key, queues]) => commitsOf(key, queues));
  }

  /** The master has it. */
  told({ group, topic, queueId, offset }: Commit): void {
    const key = keyOf(topic, group);
    const queues = this.#own.get(key);
    // Another one may have come meanwhile.
    if (queues?.get(queueId) === offset) queues.delete(queueId);
    if (queues?.size === 0) this.#own.delete(key);
  }

  #takeQueues(key: string, queues: RocketJson): void {
    const names = namesOf(key);
    if (names === undefined) return;
    const { group, topic } = names;
    for (const [queue, value] of entriesOf(queues)) {
      const [queueId, offset] = [integerFrom(queue) ?? -1, integerFrom(value) ?? -1];
      if (queueId < 0 || offset < 0) continue;
      const own = this.#own.get(key)?.get(queueId);
      if (own !== undefined && own > offset) continue;
      if (own !== undefined) this.told({ group, topic, queueId, offset: own });
      if (this.#offsets.queuesOf(group, topic)?.get(queueId) !== offset)
        this.#offsets.commit(group, topic, queueId, offset);
    }
  }
}

function commitsOf(key: string, queues: ReadonlyMap<number, number>): Commit[] {
  const names = namesOf(key);
  if (names === undefined) return [];
  return [...queues].map(([queueId, offset]) => ({ ...names, queueId, offset }));
}
