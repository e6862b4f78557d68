/** What a store is opened with. Names and defaults of RocketMQ's broker.conf where there is one. */
import { BLANK_BYTES } from '../record/layout.ts';
import { APPENDED, DISPATCHED, FLUSHED } from '../ring/positions.ts';

export interface StoreOptions {
  /** Root directory (storePathRootDir). */
  directory: string;
  /** Directory of the CommitLog (storePathCommitLog); default `<directory>/commitlog`. */
  commitLogDirectory: string;
  /** Bytes of a CommitLog file. */
  mappedFileSizeCommitLog: number;
  /** Bytes of a ConsumeQueue file, a multiple of 20. */
  mappedFileSizeConsumeQueue: number;
  maxHashSlotNum: number;
  maxIndexNum: number;
  messageIndexEnable: boolean;
  /** Largest message body in bytes. */
  maxMessageSize: number;
  flushDiskType: 'ASYNC_FLUSH' | 'SYNC_FLUSH';
  /** Pause between flushes under ASYNC_FLUSH, ms. */
  flushIntervalCommitLog: number;
  /** Bytes of log behind the tail that stay in memory while nobody reads further back; 0 = all the kernel keeps. */
  cachedLogBytes: number;
  /** Allocate room for the CommitLog ahead of need, and make its next file when this one is half full. */
  preallocateNextFile: boolean;
  /** Bytes of a new CommitLog file that are allocated at once; as it fills, as many again as it has. */
  preallocateBytes: number;
  /** Hours after its last write that a CommitLog file is kept. */
  fileReservedTime: number;
  /** Local hours, `;`-separated, in which expired files are deleted. */
  deleteWhen: string;
  /** Percent of the disk in use above which expired files are deleted at any hour. */
  diskMaxUsedSpaceRatio: number;
  /** Percent above which the oldest files are deleted whatever their age. */
  diskSpaceCleanForciblyRatio: number;
  /** Percent above which no message is taken. */
  diskSpaceWarningLevelRatio: number;
  /** Whether a full disk costs files that are not expired. */
  cleanFileForciblyEnable: boolean;
}

export const DEFAULT_STORE_OPTIONS: Omit<StoreOptions, 'directory' | 'commitLogDirectory'> = {
  mappedFileSizeCommitLog: 1024 * 1024 * 1024,
  mappedFileSizeConsumeQueue: 300_000 * 20,
  maxHashSlotNum: 5_000_000,
  maxIndexNum: 20_000_000,
  messageIndexEnable: true,
  maxMessageSize: 4 * 1024 * 1024,
  flushDiskType: 'ASYNC_FLUSH',
  flushIntervalCommitLog: 500,
  cachedLogBytes: 256 * 1024 * 1024,
  preallocateNextFile: true,
  preallocateBytes: 64 * 1024 * 1024,
  fileReservedTime: 72,
  deleteWhen: '04',
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: true,
};

/**
 * The positions that a message must lie before to be acknowledged and to be seen by consumers. The one place that knows
 * what the flush mode means.
 */
export function confirmedBy({ flushDiskType }: Pick<StoreOptions, 'flushDiskType'>): readonly number[] {
  return [flushDiskType === 'SYNC_FLUSH' ? FLUSHED : APPENDED];
}

/** The positions that a message must lie before to be durable and in its queue: nothing is left to be done for it. */
export const SETTLED: readonly number[] = [FLUSHED, DISPATCHED];

/** Whether somebody waits for each sync, so that they follow each other as fast as the disk can. */
export function awaitsFlush(options: Pick<StoreOptions, 'flushDiskType'>): boolean {
  return confirmedBy(options).includes(FLUSHED);
}

/** What a record may be longer than its body: properties, topic, fixed fields. RocketMQ allows 64 KiB. */
export const RECORD_OVERHEAD = 64 * 1024;

/** Largest record that the log takes. */
export function maxRecordBytes(options: Pick<StoreOptions, 'maxMessageSize'>): number {
  return options.maxMessageSize + RECORD_OVERHEAD;
}

/** Throws when the options cannot work together; says which and why. */
export function checkStoreOptions(options: StoreOptions): void {
  const needed = maxRecordBytes(options) + BLANK_BYTES;
  if (options.mappedFileSizeCommitLog < needed) {
    throw new RangeError(
      `mappedFileSizeCommitLog=${options.mappedFileSizeCommitLog} cannot hold the largest message: ` +
        `maxMessageSize=${options.maxMessageSize} needs at least ${needed} bytes. ` +
        'Raise mappedFileSizeCommitLog or lower maxMessageSize.',
    );
  }
  if (options.mappedFileSizeCommitLog % 4096 !== 0 || options.mappedFileSizeCommitLog > 0x7ffff000) {
    throw new RangeError(
      `mappedFileSizeCommitLog=${options.mappedFileSizeCommitLog} must be a multiple of 4096 below 2 GiB.`,
    );
  }
  if (options.mappedFileSizeConsumeQueue % 20 !== 0 || options.mappedFileSizeConsumeQueue <= 0) {
    throw new RangeError(
      `mappedFileSizeConsumeQueue=${options.mappedFileSizeConsumeQueue} must be a positive multiple of 20.`,
    );
  }
}
