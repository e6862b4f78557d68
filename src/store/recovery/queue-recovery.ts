/** Finding where a ConsumeQueue begins and ends from its files alone. */
import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';
import { fileNameOf } from '../log/segments.ts';
import { ENTRY_BYTES, queueDirectoryPath } from '../queue/consume-queue.ts';
import { EntryBlock, QueueFiles } from '../read/queue-files.ts';

export interface QueueName {
  topic: string;
  queueId: number;
}

export interface QueueExtent {
  /** First offset whose message still exists; `next` when none does. */
  minimum: number;
  /** One past the last trusted entry. */
  next: number;
  /** Log end of the last trusted entry, -1 without one (or when it only fills). */
  lastPhysicalEnd: number;
}

/** All queues that have a directory. Directories that are no integer are none of ours. */
export function listQueues(disk: Disk, root: string): QueueName[] {
  const queues: QueueName[] = [];
  for (const topic of disk.list(root)) {
    const topicPath = join(root, topic);
    if (!disk.isDirectory(topicPath)) continue;
    for (const name of disk.list(topicPath)) {
      if (/^\d+$/.test(name) && disk.isDirectory(join(topicPath, name)))
        queues.push({ topic, queueId: Number(name) });
    }
  }
  return queues;
}

export class QueueRecovery {
  readonly #disk: Disk;
  readonly #root: string;
  readonly #fileSize: number;
  readonly #perFile: number;
  readonly #block = new EntryBlock(1);

  constructor(disk: Disk, root: string, fileSize: number) {
    this.#disk = disk;
    this.#root = root;
    this.#fileSize = fileSize;
    this.#perFile = fileSize / ENTRY_BYTES;
  }

  /**
   * The extent of a queue whose entries count while `trusted(physicalOffset, size, queueOffset)` says so. Trusted
   * entries must be a prefix of the queue; what lies behind them may be anything.
   */
  extent(
    queue: QueueName,
    logStart: number,
    trusted: (physicalOffset: number, size: number, queueOffset: number) => boolean,
  ): QueueExtent {
    const starts = this.#fileStarts(queue);
    const first = starts[0];
    if (first === undefined) return { minimum: 0, next: 0, lastPhysicalEnd: -1 };
    const files = new QueueFiles(this.#disk, this.#root, this.#fileSize, queue.topic, queue.queueId);
    try {
      const begin = first / ENTRY_BYTES;
      const end = this.#contiguousEnd(starts) / ENTRY_BYTES;
      const isTrusted = (offset: number) => this.#isTrusted(files, offset, trusted);
      const next = firstWhere(begin, end, (offset) => !isTrusted(offset));
      const minimum = firstWhere(begin, next, (offset) => this.#exists(files, offset, logStart));
      return { minimum, next, lastPhysicalEnd: next > begin ? this.#endOf(files, next - 1) : -1 };
    } finally {
      files.close();
    }
  }

  /** Makes everything behind `next` read as zeros and removes files that hold nothing else. */
  cutBehind(queue: QueueName, next: number): void {
    const directory = queueDirectoryPath(this.#root, queue.topic, queue.queueId);
    const position = next * ENTRY_BYTES;
    for (const start of this.#fileStarts(queue)) {
      const path = join(directory, fileNameOf(start));
      if (start >= position) this.#disk.remove(path);
      else if (start + this.#fileSize > position) this.#zeroTail(queue, path, start, next);
    }
  }

  #zeroTail(queue: QueueName, path: string, start: number, next: number): void {
    const files = new QueueFiles(this.#disk, this.#root, this.#fileSize, queue.topic, queue.queueId);
    const dirty = files.read(next, 1, this.#block) === 1 && this.#block.bytes.some((byte) => byte !== 0);
    files.close();
    if (!dirty) return;
    const outcome = this.#disk.zero(path, next * ENTRY_BYTES - start, this.#fileSize);
    if (outcome < 0) throw new Error(`cannot cut ${path} at entry ${next} (errno ${-outcome})`);
  }

  #isTrusted(
    files: QueueFiles,
    offset: number,
    trusted: (physicalOffset: number, size: number, queueOffset: number) => boolean,
  ): boolean {
    if (files.read(offset, 1, this.#block) !== 1 || this.#block.size(0) <= 0) return false;
    return this.#block.isFiller(0) || trusted(this.#block.physicalOffset(0), this.#block.size(0), offset);
  }

  #exists(files: QueueFiles, offset: number, logStart: number): boolean {
    if (files.read(offset, 1, this.#block) !== 1) return false;
    return !this.#block.isFiller(0) && this.#block.physicalOffset(0) >= logStart;
  }

  #endOf(files: QueueFiles, offset: number): number {
    if (files.read(offset, 1, this.#block) !== 1 || this.#block.isFiller(0)) return -1;
    return this.#block.physicalOffset(0) + this.#block.size(0);
  }

  /** First byte positions of the queue's files, ascending. */
  #fileStarts(queue: QueueName): number[] {
    const directory = queueDirectoryPath(this.#root, queue.topic, queue.queueId);
    const starts: number[] = [];
    for (const name of this.#disk.list(directory)) {
      const path = join(directory, name);
      if (!/^\d{20}$/.test(name) || this.#disk.isDirectory(path)) continue;
      const size = this.#disk.size(path);
      if (size === 0) {
        this.#disk.remove(path);
        continue;
      }
      if (size !== this.#fileSize) {
        throw new Error(
          `${path} has ${size} bytes but mappedFileSizeConsumeQueue says ${this.#fileSize}: ` +
            'start with the size that this store was written with.',
        );
      }
      starts.push(Number(name));
    }
    return starts.sort((a, b) => a - b);
  }

  /** End of the files up to the first missing one. */
  #contiguousEnd(starts: number[]): number {
    let end = starts[0] as number;
    for (const start of starts) {
      if (start !== end) break;
      end += this.#perFile * ENTRY_BYTES;
    }
    return end;
  }
}

/** Smallest n in [from, to) with `holds(n)`, `to` when there is none; `holds` must be false, then true. */
export function firstWhere(from: number, to: number, holds: (n: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
