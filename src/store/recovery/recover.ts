/**
 * Opening a store: find the log's end, cut what is torn, and bring queues and index up to it. Inline, before any
 * other thread exists.
 *
 * After a clean stop the queues are complete: the log is checked from the last dispatched record on. After a crash only
 * what the checkpoint covers is trusted: queue entries behind it are cut and dispatched again from the log, so a page
 * that did not reach the disk cannot leave a hole in a queue.
 */
import type { Clock } from '../../lib/clock.ts';
import { queueOffsetOf, totalSizeOf } from '../../record/view.ts';
import {
  APPENDED,
  APPENDED_TIME,
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
  FLUSHED,
  LOG_START,
  type Positions,
} from '../../ring/positions.ts';
import { Watermark } from '../../ring/watermark.ts';
import type { Disk } from '../disk/disk.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { KeyIndex } from '../index/key-index.ts';
import { readCheckpoint } from '../log/checkpoint.ts';
import { Flusher } from '../log/flusher.ts';
import { RecordCheck } from '../log/record-check.ts';
import { listSegments, removeUnmadeSegments, Segments } from '../log/segments.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import type { ConsumeQueue } from '../queue/consume-queue.ts';
import { queueDirectoryPath } from '../queue/consume-queue.ts';
import type { QueueDirectory } from '../queue/queue-directory.ts';
import { QueueTable } from '../queue/queue-table.ts';
import { dropUncertainIndex } from './index-recovery.ts';
import { requireMapping, scanLog } from './log-scan.ts';
import { listQueues, type QueueName, QueueRecovery } from './queue-recovery.ts';
import { cutTail } from './tail.ts';

export interface RecoveryParts {
  disk: Disk;
  options: StoreOptions;
  positions: Positions;
  directory: QueueDirectory;
  clock: Clock;
  delayMillis: readonly number[];
  /** Whether the last stop was clean (no abort file). */
  clean: boolean;
  /** Whether everything written is still there although not synced: same boot as the last run. */
  pageCacheSurvived: boolean;
  /** Gives a queue its id in the directory; same queue, same id. */
  idOf: (topic: string, queueId: number) => number;
  /** One line for a person who waits. */
  progress: (line: string) => void;
}

export interface RecoveredQueue extends QueueName {
  id: number;
  /** Log end of the last entry, -1 without one. */
  lastPhysicalEnd: number;
}

export interface Recovered {
  queues: RecoveredQueue[];
  /** Records entered again in queues or index. */
  redispatched: number;
}

/** Recovers and sets all positions and the queue directory. Throws when the store cannot be opened as it is. */
export function recoverStore(parts: RecoveryParts): Recovered {
  return new Recovery(parts).run();
}

class Recovery {
  readonly #parts: RecoveryParts;
  readonly #segments: Segments;
  readonly #table: QueueTable;
  readonly #queueRoot: string;
  readonly #queues: QueueRecovery;
  readonly #gaps = new Map<string, QueueName>();
  #logStart = 0;
  #logLimit = 0;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    const { disk, options, directory } = parts;
    this.#segments = new Segments(disk, options.commitLogDirectory, options.mappedFileSizeCommitLog);
    this.#queueRoot = storePaths.consumeQueue(options.directory);
    this.#queues = new QueueRecovery(disk, this.#queueRoot, options.mappedFileSizeConsumeQueue);
    this.#table = new QueueTable(disk, this.#queueRoot, options.mappedFileSizeConsumeQueue, directory);
  }

  run(): Recovered {
    const { disk, options, clean, pageCacheSurvived, positions, progress } = this.#parts;
    removeUnmadeSegments(disk, options.commitLogDirectory);
    const starts = listSegments(disk, options.commitLogDirectory, options.mappedFileSizeCommitLog);
    for (const start of starts) {
      requireMapping(this.#segments, start);
      this.#segments.dropBefore(start + options.mappedFileSizeCommitLog);
    }
    this.#logStart = starts[0] ?? 0;
    this.#logLimit = starts.length === 0 ? 0 : (starts.at(-1) as number) + options.mappedFileSizeCommitLog;
    positions.set(LOG_START, this.#logStart);
    const checkpoint = readCheckpoint(disk, storePaths.checkpoint(options.directory));
    // The record at the checkpoint itself is dispatched again while the log has it: a checkpoint of 0 says nothing
    // about the record at 0.
    const { queuePhysicalOffset } = checkpoint;
    const isThere = queuePhysicalOffset >= this.#logStart;
    const covered = queuePhysicalOffset + (isThere ? 0 : 1);
    // Log files go only when the entries of their records are durable, also when no checkpoint could say so.
    const trustedUntil = clean ? Number.POSITIVE_INFINITY : Math.max(covered, this.#logStart);
    const queuesEnd = this.#recoverQueues(trustedUntil);
    const start = clean ? queuesEnd : this.#soundStart(checkpoint.queuePhysicalOffset);
    const from = this.#boundaryAt(Math.max(start, this.#logStart));
    const scan = scanLog(this.#segments, from, this.#logLimit, (position) =>
      progress(`checking the log: ${gib(position - from)} of at most ${gib(this.#logLimit - from)} GiB`),
    );
    const cut = cutTail(this.#parts, this.#segments, scan);
    if (cut !== undefined) progress(cut);
    let dispatchFrom = from;
    if (!clean && !pageCacheSurvived) {
      const indexFrom = dropUncertainIndex(disk, options, checkpoint.indexTimestamp, scan.end);
      if (options.messageIndexEnable) dispatchFrom = Math.min(from, this.#soundStart(indexFrom));
    }
    // After a clean stop there is nothing to scan; store times must not fall behind the last record's all the same.
    const { logTimestamp, queueTimestamp } = checkpoint;
    const lastTime = scan.records > 0 ? scan.lastTimestamp : Math.max(logTimestamp, queueTimestamp);
    this.#dispatchAgain(dispatchFrom, from, scan.end, lastTime);
    this.#rebuildGaps(scan.end);
    const queues = this.#finishQueues();
    this.#flush(from);
    this.#segments.close();
    this.#table.close();
    return { queues, redispatched: scan.records };
  }

  /** Names every queue on disk, sets its extent; returns the log end that the trusted entries reach. */
  #recoverQueues(trustedUntil: number): number {
    const { disk, directory, clean, idOf } = this.#parts;
    let end = this.#logStart;
    for (const queue of listQueues(disk, this.#queueRoot)) {
      const trusted = clean
        ? (position: number, size: number, offset: number) => this.#recordMatches(position, size, offset)
        : (position: number) => position < trustedUntil && position < this.#logLimit;
      const extent = this.#queues.extent(queue, this.#logStart, trusted);
      const id = idOf(queue.topic, queue.queueId);
      directory.setMaximum(id, extent.next);
      directory.setMinimum(id, extent.minimum);
      this.#table.add(queue.topic, queue.queueId, id, extent.lastPhysicalEnd);
      end = Math.max(end, extent.lastPhysicalEnd);
    }
    return end;
  }

  /** An entry is sound when the log has its record; one whose record is expired cannot be asked any more. */
  #recordMatches(position: number, size: number, queueOffset: number): boolean {
    if (position < this.#logStart) return true;
    if (position >= this.#logLimit) return false;
    const mapping = requireMapping(this.#segments, position);
    const at = this.#segments.offsetOf(position);
    if (at + 48 > mapping.size) return false;
    return totalSizeOf(mapping.view, at) === size && queueOffsetOf(mapping.view, at) === queueOffset;
  }

  /** `position` when a sound record starts there, else the start of its file, else the start of the log. */
  #soundStart(position: number): number {
    if (position <= this.#logStart || position >= this.#logLimit) return this.#logStart;
    const mapping = this.#segments.at(position);
    const at = this.#segments.offsetOf(position);
    if (mapping !== undefined && new RecordCheck().check(mapping, at, position - at)) return position;
    return position - at;
  }

  /** A clean stop's end may be the very end of the last file. */
  #boundaryAt(position: number): number {
    return Math.min(position, this.#logLimit);
  }

  /**
   * Dispatches [from, end). What lies before `queuesFrom` is only entered in the index again: a record there whose
   * queue is unknown is one of a deleted topic.
   */
  #dispatchAgain(from: number, queuesFrom: number, end: number, lastTimestamp: number): void {
    const { positions, progress, clock, options, disk } = this.#parts;
    positions.set(APPENDED, end);
    positions.set(APPENDED_TIME, lastTimestamp);
    positions.set(DISPATCHED, from);
    positions.set(DISPATCHED_RECORD, from);
    positions.set(DISPATCHED_TIME, lastTimestamp);
    const index = options.messageIndexEnable
      ? new KeyIndex(
          disk,
          storePaths.index(options.directory),
          { slots: options.maxHashSlotNum, entries: options.maxIndexNum },
          clock,
        )
      : undefined;
    const dispatcher: Dispatcher = this.#dispatcher(this.#table, index, (topic, queueId) =>
      dispatcher.position < queuesFrom
        ? undefined
        : this.#table.add(topic, queueId, this.#newQueue(topic, queueId)),
    );
    let nextProgress = from + 1024 * 1024 * 1024;
    while (dispatcher.doWork() > 0) {
      if (dispatcher.position < nextProgress) continue;
      progress(`dispatching again: ${gib(dispatcher.position - from)} of ${gib(end - from)} GiB`);
      nextProgress += 1024 * 1024 * 1024;
    }
    index?.close();
    if (positions.halted) throw new Error("recovery could not write queues or index: see the disk's state");
  }

  #newQueue(topic: string, queueId: number): number {
    const id = this.#parts.idOf(topic, queueId);
    this.#parts.directory.setMaximum(id, 0);
    this.#parts.directory.setMinimum(id, 0);
    return id;
  }

  #dispatcher(
    queues: QueueTable,
    index: KeyIndex | undefined,
    onUnknownQueue: (topic: string, queueId: number) => ConsumeQueue | undefined,
  ): Dispatcher {
    const { positions, directory, delayMillis } = this.#parts;
    return new Dispatcher({
      segments: this.#segments,
      positions,
      queues,
      directory,
      index,
      bound: new Watermark(positions, [APPENDED]),
      delayMillis,
      onArrival: () => {},
      onUnknownQueue,
      onGap: (queue) => this.#gaps.set(`${queue.topic}/${queue.queueId}`, queue),
    });
  }

  /** Queues with missing entries are thrown away and built anew from the whole log. */
  #rebuildGaps(end: number): void {
    if (this.#gaps.size === 0) return;
    const { disk, options, directory, positions, progress } = this.#parts;
    progress(`rebuilding ${this.#gaps.size} queues whose entries have gaps`);
    const rebuilt = new QueueTable(disk, this.#queueRoot, options.mappedFileSizeConsumeQueue, directory);
    for (const { topic, queueId } of this.#gaps.values()) {
      const id = this.#newQueue(topic, queueId);
      disk.remove(queueDirectoryPath(this.#queueRoot, topic, queueId));
      rebuilt.add(topic, queueId, id);
    }
    this.#gaps.clear();
    positions.set(DISPATCHED, this.#logStart);
    const dispatcher = this.#dispatcher(rebuilt, undefined, () => undefined);
    while (dispatcher.doWork() > 0);
    for (const queue of rebuilt.all()) {
      this.#table.add(queue.topic, queue.queueId, queue.id, queue.lastPhysicalEnd);
    }
    rebuilt.close();
    positions.set(DISPATCHED, end);
    if (this.#gaps.size > 0)
      throw new Error('the log itself lacks messages of a queue: run "log check" on the store');
  }

  #finishQueues(): RecoveredQueue[] {
    const { directory } = this.#parts;
    const queues: RecoveredQueue[] = [];
    for (const queue of this.#table.all()) {
      this.#queues.cutBehind(queue, queue.next);
      directory.setNext(queue.id, queue.next);
      directory.setMaximum(queue.id, queue.next);
      const { topic, queueId, id, lastPhysicalEnd } = queue;
      queues.push({ topic, queueId, id, lastPhysicalEnd });
    }
    return queues;
  }

  /** What survived a crash only in the page cache becomes durable before anything new builds on it. */
  #flush(from: number): void {
    const { positions } = this.#parts;
    positions.set(FLUSHED, from);
    new Flusher(this.#segments, positions).doWork();
    if (positions.halted) throw new Error("the recovered log cannot be synced: see the disk's state");
    positions.set(FLUSHED, positions.get(APPENDED));
  }
}

function gib(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(2);
}
