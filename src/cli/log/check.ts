/** `ringmq log check DIR`: verifies a store's files against each other. Never writes. */
import type { Disk } from '../../store/disk/disk.ts';
import { checkCheckpoint, findCheckpoint } from './check-checkpoint.ts';
import { CommitLogCheck } from './check-commit-log.ts';
import { IndexCheck } from './check-index.ts';
import { QueueCheck } from './check-queue.ts';
import { TimerFilesCheck } from './check-timers.ts';
import { RecordLookup } from './record-lookup.ts';
import { type Problem, Report, type ReportForm } from './report.ts';
import { findStore } from './store-files.ts';

export interface CheckOptions extends ReportForm {
  commitlog?: string;
  indexSlots?: number;
}

export interface CheckOutcome {
  /** How many problems there are; of a file with very many, `problems` holds only the first. */
  count: number;
  problems: Problem[];
}

export function checkStore(
  disk: Disk,
  root: string,
  options: CheckOptions,
  print: (line: string) => void,
  progress: (line: string) => void = () => {},
): CheckOutcome {
  const store = findStore(disk, root, options.commitlog);
  const report = new Report(print, progress, options);
  if (store.open) {
    report.note('there is an abort file: a broker is at work here, or the last one did not stop cleanly');
  }
  const checkpoint = findCheckpoint(disk, root);
  const log = new CommitLogCheck(disk, store, report).run();
  const records = new RecordLookup(disk, store);
  try {
    const queues = new QueueCheck(disk, store, report, log, records);
    queues.run();
    const index = new IndexCheck(disk, store, report, log, records);
    index.run(options.indexSlots);
    checkCheckpoint(checkpoint, report, log, records);
    new TimerFilesCheck(disk, store, report, log, records).run();
    report.summary(
      `${log.records} records in ${store.logFiles.length} CommitLog files, ${queues.entries} entries in ` +
        `${store.queues.length} queues, ${index.entries} keys in ${store.indexFiles.length} index files`,
      verdict(report.count),
    );
  } finally {
    records.close();
  }
  return { count: report.count, problems: report.problems };
}

function verdict(problems: number): string {
  if (problems === 0) return 'nothing wrong.';
  return problems === 1 ? '1 problem.' : `${problems} problems.`;
}
