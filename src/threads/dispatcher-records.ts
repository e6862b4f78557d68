/** What travels to and from the dispatcher besides the log itself. */

// ---- control → dispatcher ----
/** A queue exists: JSON { topic, queueId, id }. Its id may be a new one for a topic that was deleted before. */
export const QUEUE_ADDED = 1;
/** A topic was deleted: its name as UTF-8. Its queues' files are removed. */
export const TOPIC_FORGOTTEN = 2;

// ---- dispatcher → network threads and control ----
/** Messages arrived in a queue that somebody waits for: its id (i32). */
export const ARRIVAL = 1;
export const ARRIVAL_BYTES = 4;
