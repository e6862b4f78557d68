/**
 * Entering the log's records again: those behind the trusted queue entries, and all of a queue that is built again.
 */
import { totalSizeOf } from '../../record/view.ts';
import {
  APPENDED,
  APPENDED_TIME,
  DISPATCHED,
  DISPATCHED_RECORD,
  DISPATCHED_TIME,
} from '../../ring/positions.ts';
import { Watermark } from '../../ring/watermark.ts';
import { beginAt, Dispatcher } from '../dispatch/dispatcher.ts';
import { KeyIndex } from '../index/key-index.ts';
import { storePaths } from '../paths.ts';
import { type ConsumeQueue, queueDirectoryPath } from '../queue/consume-queue.ts';
import type { QueueTable } from '../queue/queue-table.ts';
import { gib, type LogFiles, type RecoveryParts } from './context.ts';
import { HOLE_TOPIC, SMALLEST_RECORD } from './hole.ts';
import { canHaveDirectory } from './queue-recovery.ts';
import type { RecoveredQueues } from './queues.ts';

const PROGRESS_STEP = 1024 * 1024 * 1024;

interface Hole {
  position: number;
  /** Bytes of its first piece, at which queue entries can point. */
  size: number;
  /** Bytes of all pieces that follow each other. */
  bytes: number;
}

export class Redispatch {
  readonly #parts: RecoveryParts;
  readonly #log: LogFiles;
  readonly #queues: RecoveredQueues;
  /** End of the log. */
  readonly #end: number;
  #hole: Hole | undefined;
  /** Records whose number in their queue was wrong. */
  #wrongNumbers = 0;

  constructor(
    parts: RecoveryParts,
    log: LogFiles,
    queues: RecoveredQueues,
    end: number,
    lastTimestamp: number,
  ) {
    this.#parts = parts;
    this.#log = log;
    this.#queues = queues;
    this.#end = end;
    const { positions } = parts;
    positions.set(APPENDED, end);
    positions.set(APPENDED_TIME, lastTimestamp);
    positions.set(DISPATCHED_TIME, lastTimestamp);
  }

  /**
   * Dispatches the log from `from` on. What lies before `queuesFrom` is only entered in the index again: a record there
   * whose queue is unknown is one of a deleted topic.
   */
  tail(from: number, queuesFrom: number): void {
    const { options, disk, clock } = this.#parts;
    const geometry = { slots: options.maxHashSlotNum, entries: options.maxIndexNum };
    const index = options.messageIndexEnable
      ? new KeyIndex(disk, storePaths.index(options.directory), geometry, clock)
      : undefined;
    const unknown = (topic: string, queueId: number, position: number) =>
      position < queuesFrom ? undefined : this.#queues.addNew({ topic, queueId });
    this.#run(from, this.#queues.table, index, unknown, (queue, queueOffset, position) => {
      if (queue.next > 0 && this.#closeByHole(queue, queueOffset, position)) return true;
      this.#queues.lose(queue, `lacks entries before ${queueOffset}`);
      return false;
    });
    index?.close();
  }

  /** Builds the queues that are lost from the whole log. */
  rebuildLost(): void {
    const { positions, directory } = this.#parts;
    const rebuilt = this.#queues.takeLost();
    if (rebuilt === undefined) return;
    this.#run(
      this.#log.start,
      rebuilt,
      undefined,
      () => undefined,
      (queue, queueOffset, position) => this.#renumber(queue, queueOffset, position),
    );
    for (const queue of rebuilt.all()) this.#fillExpired(queue);
    for (const { id, next } of rebuilt.all()) directory.setMaximum(id, next);
    this.#queues.takeBack(rebuilt);
    positions.set(DISPATCHED, this.#end);
    if (this.#wrongNumbers > 0) {
      this.#parts.warn(
        `${this.#wrongNumbers} messages do not have the number that follows in their queue: ` +
          'they stand where they follow in the log',
      );
    }
  }

  #run(
    from: number,
    table: QueueTable,
    index: KeyIndex | undefined,
    onUnknownQueue: (topic: string, queueId: number, position: number) => ConsumeQueue | undefined,
    onGap: (queue: ConsumeQueue, queueOffset: number, position: number) => boolean,
  ): void {
    const { positions, directory, delayMillis, progress, starts } = this.#parts;
    this.#hole = undefined;
    positions.set(DISPATCHED, from);
    positions.set(DISPATCHED_RECORD, from);
    const dispatcher: Dispatcher = new Dispatcher({
      segments: this.#log.segments,
      positions,
      queues: table,
      directory,
      index,
      bound: new Watermark(positions, [APPENDED]),
      delayMillis,
      onArrival: () => {},
      onUnknownQueue: (topic, queueId) => {
        const { position } = dispatcher;
        if (topic.startsWith(HOLE_TOPIC[0] as string) && HOLE_TOPIC.startsWith(topic))
          this.#noteHole(position);
        if (position < starts.bornAt(topic) || !canHaveDirectory({ topic, queueId })) return undefined;
        return onUnknownQueue(topic, queueId, position);
      },
      onGap,
    });
    let nextProgress = from + PROGRESS_STEP;
    while (dispatcher.doWork() > 0) {
      if (dispatcher.position < nextProgress) continue;
      progress(`dispatching again: ${gib(dispatcher.position - from)} of ${gib(this.#end - from)} GiB`);
      nextProgress += PROGRESS_STEP;
    }
    if (positions.halted || dispatcher.position < this.#end) {
      throw new Error("recovery could not write queues or index: see the disk's state");
    }
  }

  #noteHole(position: number): void {
    const mapping = this.#log.segments.at(position);
    if (mapping === undefined) return;
    const size = totalSizeOf(mapping.view, this.#log.segments.offsetOf(position));
    const before = this.#hole;
    if (before !== undefined && before.position + before.bytes === position) before.bytes += size;
    else this.#hole = { position, size, bytes: size };
  }

  /** Missing messages that can have stood in a hole get entries that point there; false when they cannot. */
  #closeByHole(queue: ConsumeQueue, queueOffset: number, position: number): boolean {
    const hole = this.#hole;
    if (hole === undefined || !this.#mayHaveStoodInHole(queue, queueOffset - queue.next, position))
      return false;
    while (queue.next < queueOffset) queue.stage(hole.position, hole.size, 0, 0);
    return true;
  }

  /** Whether so many messages of the queue, that lay before `position`, fit into the hole. */
  #mayHaveStoodInHole(queue: ConsumeQueue, messages: number, position: number): boolean {
    const hole = this.#hole;
    if (hole === undefined || messages <= 0 || messages > hole.bytes / SMALLEST_RECORD) return false;
    return hole.position >= queue.lastPhysicalEnd && hole.position <= position;
  }

  /**
   * The whole log is walked, and a record's number does not follow. Its messages may have expired or stood in a hole,
   * or its topic was deleted and made again by a broker that left no word of it; else the number itself is damaged.
   */
  #renumber(queue: ConsumeQueue, queueOffset: number, position: number): boolean {
    const { disk, directory } = this.#parts;
    if (queueOffset === 0) {
      queue.restart();
      disk.remove(queueDirectoryPath(this.#queues.root, queue.topic, queue.queueId));
      directory.setMinimum(queue.id, 0);
      return true;
    }
    const isFirst = queue.next === 0 && queue.lastPhysicalEnd < 0;
    if (isFirst && this.#log.start > queue.bornAt && queueOffset * SMALLEST_RECORD <= position) {
      // What the ledger knows to have expired did not stand in the hole.
      const expired = Math.min(queueOffset, this.#queues.firstBy(queue));
      const stoodInHole = this.#mayHaveStoodInHole(queue, queueOffset - expired, position);
      const first = stoodInHole ? expired : queueOffset;
      if (first > 0) beginAt(queue, first, directory);
    }
    if (queue.next === queueOffset || this.#closeByHole(queue, queueOffset, position)) return true;
    this.#wrongNumbers++;
    return true;
  }

  /** A queue whose messages have all expired, or whose last ones stood in a hole, goes on where it was. */
  #fillExpired(queue: ConsumeQueue): void {
    const reached = this.#queues.reached(queue);
    if (queue.next >= reached) return;
    if (queue.next === 0) beginAt(queue, reached, this.#parts.directory);
    // Its last messages may be the ones that stood in the hole: their numbers are not given again.
    else if (!this.#closeByHole(queue, reached, this.#end)) {
      this.#parts.warn(
        `${queue.topic}/${queue.queueId} has had ${reached} messages, the log has ${queue.next}: it goes on from there`,
      );
      return;
    }
    const outcome = queue.write();
    if (outcome < 0) throw new Error(`cannot write ${queue.topic}/${queue.queueId} (errno ${-outcome})`);
  }
}
