/** Where things lie under the store's root: RocketMQ's own names. */
import { join } from 'node:path';

export const storePaths = {
  consumeQueue: (root: string) => join(root, 'consumequeue'),
  index: (root: string) => join(root, 'index'),
  checkpoint: (root: string) => join(root, 'checkpoint'),
  /** Exists while a broker runs; found at start it says that the last stop was not clean. */
  abort: (root: string) => join(root, 'abort'),
  lock: (root: string) => join(root, 'lock'),
  config: (root: string) => join(root, 'config'),
  /** Messages at a time of the sender's choice (delivery/timer). */
  timerWheel: (root: string) => join(root, 'timerwheel'),
  timerLog: (root: string) => join(root, 'timerlog'),
  timerCheck: (root: string) => join(root, 'config', 'timercheck'),
  /** Our own: timed messages that a slave has delivered while this master was away (acted-timers.ts). */
  actedTimers: (root: string) => join(root, 'ringmq.acted-timers'),
  /** Our own: wheel and log of a slave's timers while it acts for its master, with a checkpoint of their own. */
  actingTimers: (root: string) => join(root, 'ringmq.acting'),
  /** Our own: what units of the timer log count in that are due after a span (timer-clock-file.ts). */
  timerClock: (root: string) => join(root, 'ringmq.timer-clock'),
  /** Our own: the boot in which the store was opened last. Same boot = the page cache survived the crash. */
  boot: (root: string) => join(root, 'ringmq.boot'),
  /** Our own: where topics begin that had a predecessor or were purged (topic-starts.ts). */
  topics: (root: string) => join(root, 'ringmq.topics'),
  /** Our own: which queues and index files there must be (queue-ledger.ts). */
  queues: (root: string) => join(root, 'ringmq.queues'),
  /** Our own: queues whose files are not to be trusted before a checkpoint (rebuilding.ts). */
  rebuilding: (root: string) => join(root, 'ringmq.rebuilding'),
  /** Our own: a sync has failed, and not everything that reads well is on the disk (failed-sync.ts). */
  failedSync: (root: string) => join(root, 'ringmq.failed-sync'),
  /** Our own: where a slave's empty log has to begin, as its master's does (recovery/beginning.ts). */
  beginning: (root: string) => join(root, 'ringmq.beginning'),
  /** Our own: where a slave's log has to be cut, as its master's differs from there on (recovery/diverged.ts). */
  diverged: (root: string) => join(root, 'ringmq.diverged'),
} as const;

/**
 * Where recovery keeps what it takes out of the log: within the CommitLog's own directory, which may be a mount of its
 * own, and in a folder, which RocketMQ steps over there (it refuses a store with a strange file in that place).
 */
export function cutDirectory(commitLogDirectory: string): string {
  return join(commitLogDirectory, 'ringmq.cut');
}
