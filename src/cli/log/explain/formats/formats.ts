/** All formats of the files in a store, in the order in which the documentation has them. */
import { ABORT, BOOT, CHECKPOINT, LOCK, TEMPORARY } from './checkpoint.ts';
import { COMMIT_LOG, CUT } from './commit-log.ts';
import { CONFIG_FILES } from './config-files.ts';
import { BATCH_QUEUE, CONSUME_QUEUE, DELETED_QUEUE, QUEUE_EXTENSION } from './consume-queue.ts';
import { INDEX } from './index-file.ts';
import { OTHER_FILES } from './other-files.ts';
import {
  ACTED_TIMERS,
  ACTING,
  ACTING_FOLDER,
  BEGINNING,
  DELAY_TIMES,
  DIVERGED,
  FAILED_SYNC,
  QUEUES,
  REBUILDING,
  TIMER_CLOCK,
  TOPICS,
} from './own-files.ts';
import type { FormatSpec } from './shape.ts';
import { TIMER_CHECK, TIMER_LOG, TIMER_WHEEL } from './timers.ts';

export const FORMATS: readonly FormatSpec[] = [
  COMMIT_LOG,
  CONSUME_QUEUE,
  INDEX,
  CHECKPOINT,
  ABORT,
  LOCK,
  TIMER_WHEEL,
  TIMER_LOG,
  TIMER_CHECK,
  ...CONFIG_FILES,
  BOOT,
  TOPICS,
  QUEUES,
  REBUILDING,
  FAILED_SYNC,
  BEGINNING,
  DIVERGED,
  TIMER_CLOCK,
  ACTED_TIMERS,
  ACTING,
  DELAY_TIMES,
  CUT,
  DELETED_QUEUE,
  TEMPORARY,
  QUEUE_EXTENSION,
  BATCH_QUEUE,
  ...OTHER_FILES,
];

/** By the path from the store's root; undefined for what no broker puts there. */
export function formatOf(path: string): FormatSpec | undefined {
  const inStore = path === ACTING_FOLDER ? path : path.replace(ACTING_FOLDER, '');
  const lasting = inStore.replace(
    /^(ringmq\.[\w.-]+|abort|checkpoint|config\/(?:ringmq\.delayTimes\.json|timercheck))\.(?:tmp|bak)$/,
    '$1',
  );
  return FORMATS.find(({ matches }) => matches.test(lasting));
}
