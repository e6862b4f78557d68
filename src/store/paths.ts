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
  /** Our own: the boot in which the store was opened last. Same boot = the page cache survived the crash. */
  boot: (root: string) => join(root, 'ringmq.boot'),
} as const;
