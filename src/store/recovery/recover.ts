/**
 * Opening a store: what is believed of it, where its log ends, and queues and index brought up to there. Inline, before
 * any other thread exists. The steps stand below in their order; each says in its own file what it believes and why.
 */
import { APPENDED, FLUSHED, LOG_START } from '../../ring/positions.ts';
import type { FollowerRecovery } from '../follower.ts';
import { type Checkpoint, emptyCheckpoint, readCheckpoint, writeCheckpoint } from '../log/checkpoint.ts';
import { Flusher } from '../log/flusher.ts';
import { storePaths } from '../paths.ts';
import { beliefsOf } from './beliefs.ts';
import { type LogFiles, openLogFiles, type RecoveryParts, soundStart } from './context.ts';
import { IndexRecovery } from './index-recovery.ts';
import { scanLog } from './log-scan.ts';
import { type RecoveredQueue, RecoveredQueues } from './queues.ts';
import { Redispatch } from './redispatch.ts';
import { cutTail } from './tail.ts';
import { writeLogAgain } from './write-again.ts';

export type { RecoveryParts } from './context.ts';
export type { RecoveredQueue } from './queues.ts';

export interface Recovered {
  queues: RecoveredQueue[];
  /** Records entered again in queues or index. */
  redispatched: number;
  /** The last run had ended as it should. */
  clean: boolean;
  /** The part of the log that was read record by record, their number, and from where they were entered again. */
  checked: { from: number; to: number; records: number; enteredFrom: number };
}

/** Recovers and sets all positions and the queue directory. Throws when the store cannot be opened as it is. */
export function recoverStore(parts: RecoveryParts): Recovered {
  const { disk, options, positions, warn } = parts;
  const log = openLogFiles(parts);
  // What was deleted must not come back in a power cut, once what is known of it has been forgotten.
  disk.syncDirectory(options.commitLogDirectory);
  disk.syncDirectory(storePaths.consumeQueue(options.directory));
  positions.set(LOG_START, log.start);
  const checkpoint = readCheckpoint(disk, storePaths.checkpoint(options.directory));
  const { cutAt = Number.POSITIVE_INFINITY } = parts;
  log.limit = Math.max(log.start, Math.min(log.limit, cutAt));
  const beliefs = beliefsOf(parts.lastRun, checkpoint, log.start);

  const queues = new RecoveredQueues(parts, log);
  const queuesEnd = queues.takeTrusted(beliefs);
  // A clean stop's end may be the very end of the last file.
  const start = Math.min(
    beliefs.clean ? queuesEnd : soundBeginning(log, beliefs.durableRecord, cutAt),
    log.limit,
  );

  if (!beliefs.clean) parts.notClean?.({ from: start, atMost: log.limit, logStart: log.start });
  const scan = scanLog(parts, log, beliefs, start);
  if (scan.end === cutAt) scan.damage ??= 'from there on its master has other messages';
  cutTail(parts, log, beliefs, scan);
  if (beliefs.clean && scan.records > 0)
    warn(`the queues lack the last ${scan.records} messages: entering them again`);
  if (forgetBehind(parts, log, checkpoint, scan.end)) queues.takeTrusted(beliefs);
  const durable = Math.min(start, beliefs.durableRecord);
  if (beliefs.writeAgain) writeLogAgain(disk, log.segments, Math.max(durable, log.start), scan.end);

  const followers: FollowerRecovery[] = [queues, new IndexRecovery(parts, log)];
  const [queuesFrom = start, ...others] = followers.map((follower) =>
    follower.recoverFrom(beliefs, start, scan.end),
  );
  const dispatchFrom = Math.min(queuesFrom, ...others);
  // After a clean stop there is nothing to scan; store times must not fall behind the last record's all the same.
  const { logTimestamp, queueTimestamp } = checkpoint;
  const lastTimestamp = scan.lastTimestamp > 0 ? scan.lastTimestamp : Math.max(logTimestamp, queueTimestamp);
  const redispatch = new Redispatch(parts, log, queues, scan.end, lastTimestamp);
  // Nobody has looked at the log before `start` for long: what is damaged there must not end the building, and what
  // cannot be read must not pass for messages without keys.
  const lookAt = (from: number) => scanLog(parts, { ...log, limit: start }, beliefs, from).holes;
  queues.loseBehindHoles([...lookAt(dispatchFrom), ...scan.holes]);
  redispatch.tail(dispatchFrom, queuesFrom);
  queues.compareWithLedger(scan.end);
  if (queues.anyLost) {
    queues.loseBehindHoles(lookAt(log.start));
    redispatch.rebuildLost();
  }

  const recovered = queues.finish();
  syncLog(parts, log, Math.max(Math.min(durable, start), log.start));
  log.segments.close();
  queues.table.close();
  const checked = { from: start, to: scan.end, records: scan.records, enteredFrom: dispatchFrom };
  return { queues: recovered, redispatched: scan.records, clean: beliefs.clean, checked };
}

/** Where a log that did not end as it should is read from: a copy that is cut, from the beginning of that file. */
function soundBeginning(log: LogFiles, durableRecord: number, cutAt: number): number {
  const latest = Number.isFinite(cutAt) ? Math.max(log.start, log.segments.startOf(cutAt)) : cutAt;
  return soundStart(log, Math.min(durableRecord, latest));
}

/**
 * What is known of the log behind its end is of messages that are gone: others will stand there. True when the queues
 * may have entries for them.
 */
function forgetBehind(parts: RecoveryParts, log: LogFiles, checkpoint: Checkpoint, end: number): boolean {
  const { disk, options, starts, ledger } = parts;
  starts.logEnds(end);
  if ((ledger?.end ?? 0) > end) disk.remove(storePaths.queues(options.directory));
  // It names the start of a record: where the log ends there, that one is gone, and another will stand in its place.
  if (checkpoint.queuePhysicalOffset < end || checkpoint.queuePhysicalOffset === 0) return false;
  writeCheckpoint(disk, storePaths.checkpoint(options.directory), emptyCheckpoint());
  log.limit = end;
  return true;
}

/** What survived a crash only in the page cache becomes durable before anything new builds on it. */
function syncLog({ positions }: RecoveryParts, { segments }: LogFiles, from: number): void {
  positions.set(FLUSHED, from);
  new Flusher(segments, positions).doWork();
  if (positions.halted) throw new Error("the recovered log cannot be synced: see the disk's state");
  positions.set(FLUSHED, positions.get(APPENDED));
}
