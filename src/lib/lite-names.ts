/**
 * Lite topics: many small queues below one topic, its parent. Each has a queue `%LMQ%$parent$liteTopic` (RocketMQ's
 * LiteUtil; a "light message queue" whose name has a `$` behind its prefix), which always has the number 0.
 */

import { limitRemark, MAX_NAME } from './limits.ts';
import { isLegalName, LMQ_PREFIX } from './names.ts';

const SEPARATOR = '$';
const PREFIX = LMQ_PREFIX + SEPARATOR;
export const LITE_QUEUE_ID = 0;

/** The queue of a lite topic. */
export function liteQueueOf(parent: string, liteTopic: string): string {
  return `${PREFIX}${parent}${SEPARATOR}${liteTopic}`;
}

export function isLiteQueue(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Whether it is the queue of a lite topic below the parent. */
export function isLiteQueueOf(queue: string, parent: string): boolean {
  return queue.startsWith(`${PREFIX}${parent}${SEPARATOR}`);
}

/** Both names in that of a queue; undefined when it is no lite topic's. */
export function liteNamesIn(queue: string): { parent: string; liteTopic: string } | undefined {
  if (!isLiteQueue(queue)) return undefined;
  const [parent, liteTopic, more] = queue.slice(PREFIX.length).split(SEPARATOR);
  if (!parent || !liteTopic || more !== undefined) return undefined;
  return { parent, liteTopic };
}

/** Why there can be no such lite topic below the parent; undefined when there can. The name becomes a folder's. */
export function liteTopicProblem(parent: string, liteTopic: string): string | undefined {
  if (!isLegalName(liteTopic)) {
    return `the lite topic may have the characters % | a-z A-Z 0-9 _ - only, and must have some`;
  }
  if (liteQueueOf(parent, liteTopic).length <= MAX_NAME) return undefined;
  return limitRemark(
    "characters in the name of a lite topic's queue, %LMQ%$parent$liteTopic",
    MAX_NAME,
    'MAX_NAME',
  );
}
