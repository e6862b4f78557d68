/** The queues of what becomes due, as they were before any client came. */
import { DUE_TOPICS } from '../../lib/names.ts';
import { reviveTopicOf } from '../../metadata/system-topics.ts';
import type { OpenedStore } from './opened-store.ts';

export class DueQueues {
  /** Where the queues of each topic end. */
  readonly ends: readonly [topic: string, ends: number[]][];
  readonly #opened: Pick<OpenedStore, 'ids' | 'directory'>;

  constructor(cluster: string, opened: Pick<OpenedStore, 'ids' | 'directory'>) {
    const { ids, directory } = opened;
    this.#opened = opened;
    const topics = [...DUE_TOPICS, reviveTopicOf(cluster)];
    this.ends = topics.map((topic) => [topic, ids.of(topic).map((id) => directory.maximum(id))]);
  }

  /** The dispatcher tells the participant of this number of the next message in any of them. */
  listen(participant: number): void {
    const { ids, directory } = this.#opened;
    for (const [topic] of this.ends) for (const id of ids.of(topic)) directory.addInterest(id, participant);
  }

  /** Whether something waits in one of them. */
  wait(waits: (topic: string, queueId: number, end: number) => boolean): boolean {
    return this.ends.some(([topic, ends]) => ends.some((end, queueId) => waits(topic, queueId, end)));
  }
}
