/** How many queues a topic has, for readers and for writers. */
export interface QueueNumbers {
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
}

/** Queue ids of a topic run from 0 to this, exclusively. */
export function queuesOf(topic: QueueNumbers): number {
  return Math.max(topic.readQueueNums, topic.writeQueueNums);
}
