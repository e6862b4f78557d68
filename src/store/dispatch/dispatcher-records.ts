/** What travels to and from the dispatcher besides the log itself. */

// ---- control → dispatcher ----
/** A queue exists: JSON, see QueueAdded. */
export const QUEUE_ADDED = 1;

export interface QueueAdded {
  topic: string;
  queueId: number;
  /** In the queue directory; a new one for a topic that was deleted before. */
  id: number;
  /** Records before this position belong to a deleted topic of the same name. */
  bornAt: number;
}

/** A topic was deleted: its name as UTF-8. Its queues' files are removed. */
export const TOPIC_FORGOTTEN = 2;

// ---- dispatcher → network threads and control ----
/** Messages arrived in a queue that somebody waits for: its id (i32). */
export const ARRIVAL = 1;
export const ARRIVAL_BYTES = 4;
