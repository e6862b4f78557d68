/** What a broker says at its start of what it promises, and of what it keeps and takes at most. */
import { MAX_TOPICS } from '../lib/limits.ts';
import type { ControlLog } from '../lib/log.ts';
import type { StoreOptions } from '../store/options.ts';
import type { BrokerConfig } from '../threads/config.ts';

export function logPromises(log: ControlLog, { store, maxConnections }: BrokerConfig): void {
  const { flushDiskType, flushIntervalCommitLog, maxMessageSize, fileReservedTime } = store;
  if (flushDiskType === 'SYNC_FLUSH') {
    log.info({ flushDiskType }, 'an acknowledged message survives a power cut: it is on the disk');
  } else {
    const message =
      'an acknowledged message survives the end of this process; a power cut may take those of the last moment';
    log.info({ flushDiskType, flushIntervalCommitLog }, message);
  }
  const limits = { maxConnections, maxMessageSize, maxTopics: MAX_TOPICS, fileReservedTime };
  log.info(limits, `limits: messages are kept for ${fileReservedTime} hours${orLess(store)}`);
}

function orLess({ cleanFileForciblyEnable, diskSpaceCleanForciblyRatio }: StoreOptions): string {
  if (!cleanFileForciblyEnable) return '';
  return `, the oldest for less when the disk is over ${diskSpaceCleanForciblyRatio} % full`;
}
