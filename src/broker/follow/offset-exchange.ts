/**
 * Consumer offsets between a slave and its master. The slave has the master's; what consumers commit at the slave,
 * which they do while the master is gone, is told to the master when it is there again. RocketMQ's slaves forget it.
 */
import type { OffsetTable } from '../../metadata/offsets.ts';
import { keyOf, namesOf, type TopicAndGroup } from '../../metadata/queue-offsets.ts';
import { asObject, entriesOf, INT32, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';

export interface Commit {
  group: string;
  topic: string;
  queueId: number;
  offset: number;
}

/** `queues`: for `eachQueue`. */
type PairTaker = (names: TopicAndGroup, queues: RocketJson) => void;

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

  /** Committed here, and to be told to the master. What has gone with its topic or group is nobody's progress. */
  get own(): Commit[] {
    for (const key of [...this.#own.keys()]) {
      const names = namesOf(key);
      if (names === undefined || this.#offsets.queuesOf(names.group, names.topic) === undefined)
        this.#own.delete(key);
    }
    return [...this.#own].flatMap(([key, queues]) => commitsOf(key, queues));
  }

  get hasOwn(): boolean {
    return this.#own.size > 0;
  }

  /** What the master has by its newest table, or is beyond, it need not be told. */
  passed(tables: readonly (RocketJson | undefined)[]): void {
    if (!this.hasOwn) return;
    for (const table of tables)
      eachPair(table, (names, queues) => {
        const own = this.#own.get(keyOf(names.topic, names.group));
        if (own === undefined) return;
        for (const [queueId, offset] of [...own])
          if ((integerFrom(asObject(queues)?.[queueId] ?? null) ?? -1) >= offset)
            this.told({ ...names, queueId, offset });
      });
  }

  /** Where nothing is known here of a queue, the master's offset holds as far as the queue goes here. */
  begin(table: RocketJson | undefined, queueEnd: (topic: string, queueId: number) => number): void {
    this.#each(table, ({ group, topic }, queues) => {
      const known = this.#offsets.queuesOf(group, topic);
      eachQueue(queues, (queueId, offset) => {
        if (known?.has(queueId)) return;
        this.#offsets.commit(group, topic, queueId, Math.min(offset, queueEnd(topic, queueId)));
      });
    });
  }

  /** Takes over a table of the master; what was committed here and is further stays. */
  take(table: RocketJson | undefined): void {
    this.#each(table, ({ group, topic }, queues) => {
      const known = this.#offsets.queuesOf(group, topic);
      const owns = this.#own.get(keyOf(topic, group));
      eachQueue(queues, (queueId, offset) => {
        const own = owns?.get(queueId);
        if (own !== undefined && own > offset) return;
        if (own !== undefined) this.told({ group, topic, queueId, offset: own });
        if (known?.get(queueId) !== offset) this.#offsets.commit(group, topic, queueId, offset);
      });
    });
  }

  /** The master has it. */
  told({ group, topic, queueId, offset }: Commit): void {
    const key = keyOf(topic, group);
    const queues = this.#own.get(key);
    // Another one may have come meanwhile.
    if (queues?.get(queueId) === offset) queues.delete(queueId);
    if (queues?.size === 0) this.#own.delete(key);
  }

  /** The master does not take it: what has not been told yet comes first. */
  refused({ group, topic }: Commit): void {
    const key = keyOf(topic, group);
    const queues = this.#own.get(key);
    if (queues === undefined) return;
    this.#own.delete(key);
    this.#own.set(key, queues);
  }

  #each(table: RocketJson | undefined, take: PairTaker): void {
    this.#isTaking = true;
    try {
      eachPair(table, take);
    } finally {
      this.#isTaking = false;
    }
  }
}

/** What an offset table says, as RocketMQ writes it: `{"topic@group":{queueId:offset}}`. It may hold millions. */
export function eachPair(table: RocketJson | undefined, take: PairTaker): void {
  for (const [key, queues] of entriesOf(table)) {
    const names = namesOf(key);
    if (names !== undefined) take(names, queues);
  }
}

export function eachQueue(queues: RocketJson, take: (queueId: number, offset: number) => void): void {
  for (const [queue, value] of entriesOf(queues)) {
    const [queueId, offset] = [integerFrom(queue) ?? -1, integerFrom(value) ?? -1];
    if (queueId >= 0 && queueId <= INT32.most && offset >= 0) take(queueId, offset);
  }
}

function commitsOf(key: string, queues: ReadonlyMap<number, number>): Commit[] {
  const names = namesOf(key);
  if (names === undefined) return [];
  return [...queues].map(([queueId, offset]) => ({ ...names, queueId, offset }));
}
