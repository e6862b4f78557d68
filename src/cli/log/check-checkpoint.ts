/** The checkpoint must not promise more than the log holds: recovery would skip what it covers. */
import type { Disk } from '../../store/disk/disk.ts';
import { type Checkpoint, readCheckpoint } from '../../store/log/checkpoint.ts';
import { storePaths } from '../../store/paths.ts';
import type { LogFacts } from './check-commit-log.ts';
import type { RecordLookup } from './record-lookup.ts';
import type { Found, Report } from './report.ts';

const CHECKPOINT_FIELDS_BYTES = 48;
const QUEUE_POSITION_AT = 40;

/** Read before the log, so that a broker at work cannot bring it ahead of what is then found in the log. */
export interface FoundCheckpoint {
  size: number;
  checkpoint: Checkpoint;
}

export function findCheckpoint(disk: Disk, root: string): FoundCheckpoint {
  const path = storePaths.checkpoint(root);
  return { size: disk.size(path), checkpoint: readCheckpoint(disk, path) };
}

export function checkCheckpoint(
  { size, checkpoint }: FoundCheckpoint,
  report: Report,
  log: LogFacts,
  records: RecordLookup,
): void {
  if (size < 0) return;
  report.file('Checkpoint', 'checkpoint', (found) => {
    if (size < CHECKPOINT_FIELDS_BYTES) {
      found('checkpoint-size', 0, `has ${size} bytes, at least ${CHECKPOINT_FIELDS_BYTES} belong there`);
      return 'not read';
    }
    const times = [checkpoint.logTimestamp, checkpoint.queueTimestamp, checkpoint.indexTimestamp];
    for (const [i, time] of times.entries()) {
      if (time > log.lastTimestamp) {
        found(
          'checkpoint-times',
          i * 8,
          `store time ${time} is ahead of the last record of the log (${log.lastTimestamp})`,
        );
      }
    }
    checkPosition(checkpoint.queuePhysicalOffset, log, records, found);
    return `queues durable up to the record at ${checkpoint.queuePhysicalOffset}`;
  });
}

function checkPosition(position: number, log: LogFacts, records: RecordLookup, found: Found): void {
  // 0 = never set, or the very first record; an expired position is only old.
  if (position <= log.start) return;
  if (position > log.end) {
    found(
      'checkpoint-position',
      QUEUE_POSITION_AT,
      `logicsPhysicalOffset ${position} is ahead of the end of the log (${log.end})`,
    );
    return;
  }
  const problem = records.problemAt(position);
  if (problem !== undefined && position !== log.end) {
    found(
      'checkpoint-position',
      QUEUE_POSITION_AT,
      `no record begins at logicsPhysicalOffset ${position}: ${problem}`,
    );
  }
}
