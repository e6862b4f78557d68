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
  /** First offset that has a file. */
  begin: number;
  /** Position of the record of the first entry that does not only fill, trusted or not, -1 without one. */
  oldestPhysical: number;
  /** First offset whose message still exists; `next` when none does. */
  minimum: number;
  /** One past the last trusted entry. */
  next: number;
  /** Log end of the last trusted entry, -1 without one (or when it only fills). */
  lastPhysicalEnd: number;
  /** What is wrong with the files; then nothing of the above can be relied on. */
  damage: string | undefined;
}

const NO_EXTENT: QueueExtent = {
  begin: 0,
  oldestPhysical: -1,
  minimum: 0,
  next: 0,
  lastPhysicalEnd: -1,
  damage: undefined,
};

/** Longest name of a directory. */
const NAME_BYTES_MAX = 255;

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

/** Whether a queue of this name can have a directory: what a damaged record names may be anything. */
export function canHaveDirectory({ topic, queueId }: QueueName): boolean {
  const isName = topic !== '' && topic !== '.' && topic !== '..' && !/[/\0]/.test(topic);
  return isName && Buffer.byteLength(topic) <= NAME_BYTES_MAX && queueId >= 0;
}

/**
 * Throws when the queue files have, one like the other, a size that is not the configured one: then the configuration
 * is wrong. A single file of another size is damaged.
 */
function checkConfiguredSize(disk: Disk, root: string, fileSize: number): void {
  const sizes = new Set<number>();
  for (const { topic, queueId } of listQueues(disk, root)) {
    const directory = queueDirectoryPath(root, topic, queueId);
    for (const name of disk.list(directory)) {
      if (/^\d{20}$/.test(name)) sizes.add(disk.size(join(directory, name)));
    }
  }
  const [size = 0] = sizes;
  if (sizes.size !== 1 || size <= 0 || size === fileSize || size % ENTRY_BYTES !== 0) return;
  throw new Error(
    `All files in ${root} have ${size} bytes, but mappedFileSizeConsumeQueue says ${fileSize}: ` +
      'start with the size that this store was written with.',
  );
}

export class QueueRecovery {
  readonly #disk: Disk;
  readonly #root: string;
  readonly #fileSize: number;
  readonly #block = new EntryBlock(1);

  constructor(disk: Disk, root: string, fileSize: number) {
    this.#disk = disk;
    this.#root = root;
    this.#fileSize = fileSize;
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
    const { starts, damage } = this.#fileStarts(queue);
    const first = starts[0];
    if (damage !== undefined) return { ...NO_EXTENT, damage };
    if (first === undefined) return NO_EXTENT;
    const files = new QueueFiles(this.#disk, this.#root, this.#fileSize, queue.topic, queue.queueId);
    try {
      const begin = first / ENTRY_BYTES;
      const end = ((starts.at(-1) as number) + this.#fileSize) / ENTRY_BYTES;
      const isTrusted = (offset: number) => this.#isTrusted(files, offset, trusted);
      const next = firstWhere(begin, end, (offset) => !isTrusted(offset));
      const oldest = firstWhere(begin, next, (offset) => this.#physicalOf(files, offset) >= 0);
      return {
        begin,
        oldestPhysical: oldest < end ? this.#physicalOf(files, oldest) : -1,
        minimum: firstWhere(begin, next, (offset) => this.#physicalOf(files, offset) >= logStart),
        next,
        lastPhysicalEnd: next > begin ? this.#endOf(files, next - 1) : -1,
        damage: undefined,
      };
    } finally {
      files.close();
    }
  }

  /** First offset in [begin, next) whose record lies at `position` or behind it; `next` when none does. */
  firstFrom(queue: QueueName, begin: number, next: number, position: number): number {
    const files = new QueueFiles(this.#disk, this.#root, this.#fileSize, queue.topic, queue.queueId);
    try {
      return firstWhere(begin, next, (offset) => this.#physicalOf(files, offset) >= position);
    } finally {
      files.close();
    }
  }

  /** Makes everything behind `next` read as zeros and removes files that hold nothing else. */
  cutBehind(queue: QueueName, next: number): void {
    const directory = queueDirectoryPath(this.#root, queue.topic, queue.queueId);
    const position = next * ENTRY_BYTES;
    let removes = false;
    for (const start of this.#fileStarts(queue).starts) {
      const path = join(directory, fileNameOf(start));
      if (start >= position) {
        this.#disk.remove(path);
        removes = true;
      } else if (start + this.#fileSize > position) this.#zeroTail(queue, path, start, next);
    }
    // A file that came back in a power cut would be trusted once the checkpoint has passed its old entries.
    if (removes) this.#disk.syncDirectory(directory);
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

  /** Position of the entry's record, -1 when it only fills or cannot be read. */
  #physicalOf(files: QueueFiles, offset: number): number {
    if (files.read(offset, 1, this.#block) !== 1 || this.#block.size(0) <= 0) return -1;
    return this.#block.isFiller(0) ? -1 : this.#block.physicalOffset(0);
  }

  #endOf(files: QueueFiles, offset: number): number {
    if (files.read(offset, 1, this.#block) !== 1 || this.#block.isFiller(0)) return -1;
    return this.#block.physicalOffset(0) + this.#block.size(0);
  }

  /** First byte positions of the queue's files, ascending, and what is wrong with them. */
  #fileStarts(queue: QueueName): { starts: number[]; damage: string | undefined } {
    const directory = queueDirectoryPath(this.#root, queue.topic, queue.queueId);
    const names = this.#disk.list(directory).filter((name) => /^\d{20}$/.test(name));
    const starts: number[] = [];
    let damage: string | undefined;
    for (const name of names.sort()) {
      const path = join(directory, name);
      const start = Number(name);
      const size = this.#disk.size(path);
      const before = starts.at(-1);
      if (size === 0 && name === names.at(-1)) {
        // It was being made when the process was killed; nothing was ever written to it.
        this.#disk.remove(path);
        continue;
      }
      if (size !== this.#fileSize) {
        checkConfiguredSize(this.#disk, this.#root, this.#fileSize);
        damage ??= `${name} has ${size} bytes`;
      }
      if (start % this.#fileSize !== 0) damage ??= `${name} does not begin where a file begins`;
      if (before !== undefined && start !== before + this.#fileSize) {
        damage ??= `${fileNameOf(before + this.#fileSize)} is missing`;
      }
      starts.push(start);
    }
    return { starts, damage };
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
