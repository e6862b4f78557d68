/**
 * The queues during a recovery: which there are, how far they can be believed, and which must be built again from the
 * log. Queues are derived files: one that is damaged, lacks entries or is missing is thrown away and entered again from
 * the whole log, and no queue starts at 0 while the log says otherwise.
 */
import { join } from 'node:path';
import { isLiteQueue } from '../../lib/lite-names.ts';
import { SecondQueueReader } from '../../record/second-queue.ts';
import { queueOffsetOf, totalSizeOf } from '../../record/view.ts';
import type { Mapping } from '../disk/disk.ts';
import type { FollowerRecovery } from '../follower.ts';
import { storePaths } from '../paths.ts';
import { type ConsumeQueue, queueDirectoryPath } from '../queue/consume-queue.ts';
import { QueueTable } from '../queue/queue-table.ts';
import type { QueueRow } from '../queue-ledger.ts';
import type { Beliefs } from './beliefs.ts';
import { type LogFiles, type RecoveryParts, requireMapping } from './context.ts';
import { listQueues, type QueueExtent, type QueueName, QueueRecovery } from './queue-recovery.ts';
import { readRebuilding, writeRebuilding } from './rebuilding.ts';

/** Queues that a warning names one by one. */
const NAMED_MAX = 10;

export interface RecoveredQueue extends QueueName {
  id: number;
  /** Log end of the last entry, -1 without one. */
  lastPhysicalEnd: number;
}

/** The number of a record in a queue; -1 when it is not in it. */
type NumberOf = (mapping: Mapping, at: number, size: number) => number;

interface Lost extends QueueName {
  why: string;
}

export class RecoveredQueues implements FollowerRecovery {
  readonly table: QueueTable;
  readonly root: string;
  readonly #parts: RecoveryParts;
  readonly #log: LogFiles;
  readonly #files: QueueRecovery;
  readonly #lost = new Map<string, Lost>();
  readonly #second = new SecondQueueReader();
  /** Left behind by a deletion that did not come to its end: gone unless the log has messages of the new topic. */
  readonly #stale = new Set<string>();
  /** The ledger's rows that still speak of today's topics, by name. */
  readonly #rows = new Map<string, QueueRow>();

  constructor(parts: RecoveryParts, log: LogFiles) {
    const { disk, options, directory } = parts;
    this.#parts = parts;
    this.#log = log;
    this.root = storePaths.consumeQueue(options.directory);
    this.#files = new QueueRecovery(disk, this.root, options.mappedFileSizeConsumeQueue);
    this.table = new QueueTable(disk, this.root, options.mappedFileSizeConsumeQueue, directory);
    for (const row of parts.ledger?.queues ?? []) {
      // A topic that was deleted since: the row is its predecessor's.
      const isToday =
        (parts.ledger?.end ?? 0) > parts.starts.bornAt(row.topic) || parts.starts.bornAt(row.topic) === 0;
      if (isToday) this.#rows.set(keyOf(row), row);
    }
  }

  /** Names every queue, sets how far its entries are trusted; returns the log end that they reach. */
  takeTrusted(beliefs: Beliefs): number {
    let end = this.#log.start;
    const { clean, queuesTrustedUntil } = beliefs;
    for (const queue of listQueues(this.#parts.disk, this.root)) {
      const numberOf = isLiteQueue(queue.topic) ? this.#secondNumber(queue.topic) : ownNumber;
      const trusted = clean
        ? (position: number, size: number, offset: number) =>
            this.#recordMatches(position, size, offset, numberOf)
        : (position: number) => position < queuesTrustedUntil && position < this.#log.limit;
      // A file of a deleted topic may have come back in a power cut beside those of the new one.
      const bornAt = this.#parts.starts.bornAt(queue.topic);
      const extent = this.#files.extent(
        queue,
        this.#log.start,
        (position, size, offset) => position >= bornAt && trusted(position, size, offset),
      );
      const why = this.#whyLost(queue, extent);
      if (why !== undefined) {
        this.#add(queue, 0, 0, -1);
        this.lose(queue, why);
        continue;
      }
      this.#add(queue, extent.next, extent.minimum, extent.lastPhysicalEnd);
      end = Math.max(end, extent.lastPhysicalEnd);
    }
    for (const row of this.#rows.values()) {
      if (this.table.byName(row.topic)?.queues[row.queueId] !== undefined) continue;
      this.#add(row, 0, 0, -1);
      if (row.next > 0) this.lose(row, 'has no files');
    }
    const { disk, options, warn } = this.#parts;
    for (const queue of readRebuilding(disk, options, warn)) {
      if (this.table.byName(queue.topic)?.queues[queue.queueId] === undefined) this.#add(queue, 0, 0, -1);
      this.lose(queue, 'was not built again to the end');
    }
    return end;
  }

  /** The log from `scannedFrom` on; all of it when no queue is known, not even one that is missing. */
  recoverFrom(_beliefs: Beliefs, scannedFrom: number): number {
    const isThereAny = this.table.all()[Symbol.iterator]().next().done !== true;
    if (isThereAny || scannedFrom <= this.#log.start) return scannedFrom;
    this.#parts.warn('there are no queues: building them again from the log');
    return this.#log.start;
  }

  /** A queue that a record names. */
  addNew(queue: QueueName): ConsumeQueue {
    return this.#add(queue, 0, 0, -1);
  }

  /** The queue is to be built again; until then no record enters it, only the index. */
  lose(queue: QueueName, why: string): void {
    const key = keyOf(queue);
    if (!this.#lost.has(key)) this.#lost.set(key, { topic: queue.topic, queueId: queue.queueId, why });
    const known = this.table.byName(queue.topic)?.queues[queue.queueId];
    if (known !== undefined) known.lastPhysicalEnd = Number.POSITIVE_INFINITY;
  }

  /** The queues that may have entries for what stood in a hole, which is filled with other records now. */
  loseBehindHoles(holes: readonly number[]): void {
    const first = holes[0];
    if (first === undefined) return;
    for (const queue of this.table.all()) {
      if (queue.lastPhysicalEnd > first) this.lose(queue, `may point to the damage at ${first}`);
    }
  }

  get anyLost(): boolean {
    return this.#lost.size > 0;
  }

  /** Queues that do not hold what the ledger says, now that the log has been dispatched up to `end`. */
  compareWithLedger(end: number): void {
    if ((this.#parts.ledger?.end ?? 0) > end) return;
    for (const queue of this.table.all()) {
      const row = this.#rows.get(keyOf(queue));
      if (row !== undefined && queue.next < row.next) {
        this.lose(queue, `ends at ${queue.next}, but has had ${row.next} messages`);
      }
    }
  }

  /** The offset that the queue had reached by the ledger, 0 when it does not know. */
  reached(queue: QueueName): number {
    return this.#rows.get(keyOf(queue))?.next ?? 0;
  }

  /** The first offset that the queue still had by the ledger, 0 when it does not know. */
  firstBy(queue: QueueName): number {
    return this.#rows.get(keyOf(queue))?.minimum ?? 0;
  }

  /** Hands out the queues to be built again, emptied, in a table of their own; undefined when there are none. */
  takeLost(): QueueTable | undefined {
    if (this.#lost.size === 0) return undefined;
    const { disk, options, directory, warn } = this.#parts;
    const told = [...this.#lost.values()].filter((queue) => !this.#stale.has(keyOf(queue)));
    if (told.length > 0) warn(`building ${told.length} queues again from the log: ${listed(told)}`);
    writeRebuilding(disk, options, this.#lost.values());
    const rebuilt = new QueueTable(disk, this.root, options.mappedFileSizeConsumeQueue, directory);
    for (const queue of this.#lost.values()) {
      disk.remove(queueDirectoryPath(this.root, queue.topic, queue.queueId));
      disk.syncDirectory(join(this.root, queue.topic));
      this.#add(queue, 0, 0, -1, rebuilt);
    }
    this.#lost.clear();
    return rebuilt;
  }

  /** Takes over what was built again. */
  takeBack(rebuilt: QueueTable): void {
    for (const { topic, queueId, id, lastPhysicalEnd, next } of rebuilt.all()) {
      this.#parts.directory.setMaximum(id, next);
      this.table.add(topic, queueId, id, lastPhysicalEnd);
    }
    rebuilt.close();
  }

  /** Cuts what lies behind the last entry of each queue, and sets where the queues begin and go on. */
  finish(): RecoveredQueue[] {
    const { directory, starts } = this.#parts;
    const queues: RecoveredQueue[] = [];
    for (const queue of this.table.all()) {
      if (queue.next === 0 && this.#stale.has(keyOf(queue))) continue;
      this.#files.cutBehind(queue, queue.next);
      directory.setNext(queue.id, queue.next);
      directory.setMaximum(queue.id, queue.next);
      const { topic, queueId, id, lastPhysicalEnd } = queue;
      const purgedTo = starts.purgedTo(topic);
      // The entries stay, as they follow from the log: only now that all are there can be told which are purged.
      if (purgedTo > 0) {
        const minimum = this.#files.firstFrom(queue, directory.minimum(id), queue.next, purgedTo);
        directory.setMinimum(id, minimum);
      }
      queues.push({ topic, queueId, id, lastPhysicalEnd });
    }
    return queues;
  }

  #whyLost(queue: QueueName, extent: QueueExtent): string | undefined {
    const { begin, oldestPhysical, damage } = extent;
    if (damage !== undefined) return damage;
    const bornAt = this.#parts.starts.bornAt(queue.topic);
    const isEmpty = begin > 0 && extent.next === begin;
    // Fillers alone do not say whose they are; the ledger knows the queues of today's topics.
    const isNobodys = oldestPhysical < 0 && extent.next > 0 && !this.#rows.has(keyOf(queue));
    if ((oldestPhysical >= 0 && oldestPhysical < bornAt) || (isNobodys && bornAt > 0)) {
      this.#stale.add(keyOf(queue));
      return 'is of a deleted topic';
    }
    if (isEmpty) return `begins at ${begin}, and holds nothing`;
    if (begin > this.#mustBeginBy(queue, begin) && oldestPhysical >= this.#log.start) {
      return `begins at ${begin}, although the log has earlier messages`;
    }
    return undefined;
  }

  /** The first offset of a queue whose first file begins at `begin`: files are deleted with their part of the log. */
  #mustBeginBy(queue: QueueName, begin: number): number {
    const { ledger } = this.#parts;
    // Expired files of the log that came back in a power cut: the queues' files for them need not have.
    if (this.#log.start === 0 || (ledger?.logStart ?? 0) > this.#log.start) return 0;
    return this.#rows.get(keyOf(queue))?.minimum ?? begin;
  }

  /** An entry is sound when the log has its record; one whose record is expired cannot be asked any more. */
  #recordMatches(position: number, size: number, queueOffset: number, numberOf: NumberOf): boolean {
    const { segments, start, limit } = this.#log;
    if (position < start) return true;
    if (position >= limit) return false;
    const mapping = requireMapping(segments, position);
    const at = segments.offsetOf(position);
    if (at + 48 > mapping.size) return false;
    return totalSizeOf(mapping.view, at) === size && numberOf(mapping, at, size) === queueOffset;
  }

  /** What records say of their number in that queue, which is the second one of each. */
  #secondNumber(queue: string): NumberOf {
    const second = this.#second;
    return ({ bytes, view }, at, size) =>
      second.read(bytes, view, at, size) && second.name === queue ? second.number : -1;
  }

  #add(
    { topic, queueId }: QueueName,
    next: number,
    minimum: number,
    lastPhysicalEnd: number,
    table = this.table,
  ): ConsumeQueue {
    const { directory, starts, idOf } = this.#parts;
    const id = idOf(topic, queueId);
    directory.setMaximum(id, next);
    directory.setMinimum(id, minimum);
    const queue = table.add(topic, queueId, id, lastPhysicalEnd);
    queue.bornAt = starts.bornAt(topic);
    return queue;
  }
}

/** Number of the record in its own queue. */
const ownNumber: NumberOf = ({ view }, at) => queueOffsetOf(view, at);

function keyOf({ topic, queueId }: QueueName): string {
  return `${topic}/${queueId}`;
}

function listed(queues: readonly Lost[]): string {
  const named = queues.slice(0, NAMED_MAX).map((queue) => `${keyOf(queue)} ${queue.why}`);
  const more = queues.length - named.length;
  return named.join(', ') + (more > 0 ? `, and ${more} more` : '');
}
