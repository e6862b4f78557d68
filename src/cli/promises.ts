/** What a broker says at its start of what it promises, and of what it keeps and takes at most. */
import { statfsSync } from 'node:fs';
import { MAX_TOPICS } from '../lib/limits.ts';
import type { ControlLog } from '../lib/log.ts';
import type { BrokerConfig } from '../threads/config.ts';

const GIB = 2 ** 30;

export function logPromises(log: ControlLog, { store, maxConnections }: BrokerConfig): void {
  const { flushDiskType, flushIntervalCommitLog } = store;
  const message =
    flushDiskType === 'SYNC_FLUSH'
      ? 'an acknowledged message survives a power cut: it is on the disk (SYNC_FLUSH)'
      : 'an acknowledged message survives the end of this process; a power cut may take the newest ones (ASYNC_FLUSH)';
  log.info({ flushDiskType, ...(flushDiskType === 'SYNC_FLUSH' ? {} : { flushIntervalCommitLog }) }, message);
  const { maxMessageSize, fileReservedTime, diskMaxUsedSpaceRatio, directory } = store;
  const limits = { maxConnections, maxMessageSize, maxTopics: MAX_TOPICS, fileReservedTime };
  const gib = freeGib(directory);
  const room = gib === undefined ? '' : `, of which ${gib} GiB are free`;
  log.info(
    limits,
    `limits: messages are kept for ${fileReservedTime} hours, or until ${diskMaxUsedSpaceRatio} % of the disk is used${room}`,
  );
}

function freeGib(directory: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return ((bavail * bsize) / GIB).toFixed(1);
  } catch {
    // The store was opened there: what the file system does not tell is not worth a line.
    return undefined;
  }
}
