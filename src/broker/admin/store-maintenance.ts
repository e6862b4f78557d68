/** Cleaning that an operator asks for (requests 306, 316, 329, 30001, 30002). */

import { isLiteQueue } from '../../lib/lite-names.ts';
import { isRetryOrDeadLetterTopic } from '../../lib/names.ts';
import type { TopicTable } from '../../metadata/topics.ts';
import type { QueueIds } from '../../store/queue/queue-ids.ts';
import type { ReadsByName } from '../../store/read/reads-by-name.ts';
import type { Retention } from '../../store/retention/retention.ts';
import type { TopicPurge } from '../../store/retention/topic-purge.ts';
import type { Purges } from '../../store/topic-starts.ts';
import type { StoreMaintenance } from '../context.ts';

export function createMaintenance(
  retention: Retention,
  purge: TopicPurge,
  purges: () => Purges,
  topics: TopicTable,
  ids: QueueIds,
  reads: ReadsByName,
): StoreMaintenance {
  const deleteTopicsWhere = (doomed: (topic: string) => boolean): void => {
    for (const topic of new Set([...ids.all()].map((queue) => queue.topic))) {
      // Lite topics go with their parents, or by their own time.
      if (topics.isSystemTopic(topic) || isLiteQueue(topic)) continue;
      if (doomed(topic)) topics.delete(topic);
    }
  };
  return {
    cleanExpiredQueues: async () => {
      // A queue of a topic that still exists keeps its numbering; only those of forgotten topics can go.
      deleteTopicsWhere((topic) => !topics.has(topic) && isExpired(topic, ids, reads));
    },
    purgeTopic: (topic, position) => purge.run(topic, position),
    purges,
    deleteExpiredFiles: async () => void (await retention.run(true)),
    cleanUnusedTopics: async (keep) => {
      deleteTopicsWhere((topic) => !keep.has(topic) && !isRetryOrDeadLetterTopic(topic));
    },
  };
}

function isExpired(topic: string, ids: QueueIds, reads: ReadsByName): boolean {
  return ids.of(topic).every((id) => {
    const queueId = ids.nameOf(id)?.queueId ?? 0;
    return reads.minOffset(topic, queueId) >= reads.maxOffset(topic, queueId);
  });
}
