/** The files of one ConsumeQueue as a reader sees them: entries by queue offset, read by ranges. */
import { join } from 'node:path';
import { readInt64 } from '../../lib/int64.ts';
import { modulo } from '../../lib/modulo.ts';
import type { Disk, RangeFile } from '../disk/disk.ts';
import { ENOENT } from '../disk/errors.ts';
import { fileNameOf } from '../log/segments.ts';
import {
  ENTRY_BYTES,
  ENTRY_SIZE_AT,
  ENTRY_TAGS_AT,
  FILLER_SIZE,
  queueDirectoryPath,
} from '../queue/consume-queue.ts';

/** A block of entries read at once; reused from read to read. */
export class EntryBlock {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Entries in the block. */
  count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity * ENTRY_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

  physicalOffset(i: number): number {
    return readInt64(this.view, i * ENTRY_BYTES);
  }

  size(i: number): number {
    return this.view.getInt32(i * ENTRY_BYTES + ENTRY_SIZE_AT);
  }

  /** The low half of tagsCode: all of a tag hash. */
  tagHash(i: number): number {
    return this.view.getInt32(i * ENTRY_BYTES + ENTRY_TAGS_AT + 4);
  }

  tagsCode(i: number): bigint {
    return this.view.getBigInt64(i * ENTRY_BYTES + ENTRY_TAGS_AT);
  }

  /** Only fills the space before the queue's first message. */
  isFiller(i: number): boolean {
    return this.size(i) === FILLER_SIZE && this.physicalOffset(i) === 0;
  }
}

export class QueueFiles {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #fileSize: number;
  /** Why the last `read` found nothing: 0 = there is nothing, or the errno. */
  errno = 0;
  #file: RangeFile | undefined;
  #fileStart = -1;

  constructor(disk: Disk, root: string, fileSize: number, topic: string, queueId: number) {
    this.#disk = disk;
    this.#directory = queueDirectoryPath(root, topic, queueId);
    this.#fileSize = fileSize;
  }

  /** Reads up to `count` entries from `queueOffset` on, no further than the end of their file. Sets `block.count`. */
  read(queueOffset: number, count: number, block: EntryBlock): number {
    block.count = 0;
    this.errno = 0;
    const position = queueOffset * ENTRY_BYTES;
    const inFile = modulo(position, this.#fileSize);
    const file = this.#fileAt(position - inFile);
    if (file === undefined) return 0;
    const wanted = Math.min(count, block.capacity, (this.#fileSize - inFile) / ENTRY_BYTES);
    const read = file.read(inFile, block.bytes, 0, wanted * ENTRY_BYTES);
    if (read < 0) this.errno = -read;
    block.count = read < 0 ? 0 : Math.floor(read / ENTRY_BYTES);
    return block.count;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#fileStart = -1;
  }

  #fileAt(start: number): RangeFile | undefined {
    if (start === this.#fileStart) return this.#file;
    this.close();
    const file = this.#disk.open(join(this.#directory, fileNameOf(start)), -1);
    if (typeof file === 'number') {
      if (file !== -ENOENT) this.errno = -file;
      return undefined;
    }
    this.#file = file;
    this.#fileStart = start;
    return file;
  }
}
