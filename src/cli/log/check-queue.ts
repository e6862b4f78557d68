/**
 * ConsumeQueues: entries follow each other without a hole, each points to the record of that topic, queue and number,
 * and the queue knows every record that the log has for it.
 */
import { basename, relative } from 'node:path';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { firstNonZero } from '../../store/log/find-record.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import { ENTRY_BYTES } from '../../store/queue/consume-queue.ts';
import { EntryBlock } from '../../store/read/queue-files.ts';
import type { QueueName } from '../../store/recovery/queue-recovery.ts';
import type { LogFacts } from './check-commit-log.ts';
import { EntryProblems } from './explain/entry-problem.ts';
import type { RecordLookup } from './record-lookup.ts';
import { type Found, type Report, Ticker } from './report.ts';
import { queueFiles, type StoreFiles } from './store-files.ts';

const BLOCK = 4096;

interface QueueState {
  readonly queue: QueueName;
  /** Number of the next entry to come. */
  next: number;
  /** First of the missing entries, while there seem to be some. */
  missingFrom: number;
  lastPhysical: number;
  entries: number;
}

export class QueueCheck {
  entries = 0;
  readonly #disk: Disk;
  readonly #store: StoreFiles;
  readonly #report: Report;
  readonly #log: LogFacts;
  readonly #problems: EntryProblems;
  readonly #block = new EntryBlock(BLOCK);
  readonly #ticker = new Ticker();

  constructor(disk: Disk, store: StoreFiles, report: Report, log: LogFacts, records: RecordLookup) {
    this.#disk = disk;
    this.#store = store;
    this.#report = report;
    this.#log = log;
    this.#problems = new EntryProblems(records);
  }

  run(): void {
    for (const queue of this.#store.queues) this.#checkQueue(queue);
    const known = new Set(this.#store.queues.map(({ topic, queueId }) => `${topic}/${queueId}`));
    for (const [name, { records }] of this.#log.queues) {
      if (known.has(name)) continue;
      this.#report.note(
        `the log has ${records} records of ${name}, which has no ConsumeQueue: a deleted topic, or a lost directory`,
      );
    }
  }

  #checkQueue(queue: QueueName): void {
    const paths = queueFiles(this.#disk, this.#store.root, queue);
    const first = paths[0];
    if (first === undefined) return;
    const next = Number(basename(first)) / ENTRY_BYTES;
    const state: QueueState = {
      queue,
      next,
      missingFrom: -1,
      lastPhysical: -1,
      entries: 0,
    };
    for (const path of paths) {
      this.#report.file('ConsumeQueues', relative(this.#store.root, path), (found) => {
        const summary = this.#checkFile(path, state, found);
        if (path === paths.at(-1)) this.#checkEnd(state, found);
        return summary;
      });
    }
    this.entries += state.entries;
  }

  #checkFile(path: string, state: QueueState, found: Found): string {
    const start = Number(basename(path));
    const size = this.#disk.size(path);
    if (start !== state.next * ENTRY_BYTES) {
      found(
        'queue-sequence',
        start,
        `the file ${fileNameOf(state.next * ENTRY_BYTES)} is missing in front of this one`,
      );
      state.next = start / ENTRY_BYTES;
    }
    if (size !== this.#store.queueFileSize || start % size !== 0) {
      found(
        'queue-size',
        start,
        `name or size (${size} bytes) do not fit the files of ${this.#store.queueFileSize} bytes`,
      );
      return 'not read';
    }
    const file = this.#disk.open(path, -1);
    if (typeof file === 'number') {
      found('queue-size', start, `cannot be opened for reading and writing (errno ${-file})`);
      return 'not read';
    }
    const before = state.entries;
    try {
      this.#checkEntries(file, size / ENTRY_BYTES, state, found);
    } finally {
      file.close();
    }
    return `${state.entries - before} entries`;
  }

  #checkEntries(file: RangeFile, count: number, state: QueueState, found: Found): void {
    const block = this.#block;
    for (let done = 0; done < count; ) {
      const length = Math.min(BLOCK, count - done) * ENTRY_BYTES;
      const read = file.read(done * ENTRY_BYTES, block.bytes, 0, length);
      if (read !== length) {
        found('queue-size', state.next, `cannot be read (${read < 0 ? `errno ${-read}` : 'too short'})`);
        return;
      }
      block.count = length / ENTRY_BYTES;
      if (firstNonZero(block.bytes.subarray(0, length), 0) < 0) {
        if (state.missingFrom < 0) state.missingFrom = state.next;
        state.next += block.count;
      } else {
        for (let i = 0; i < block.count; i++) this.#checkEntry(i, state, found);
      }
      done += block.count;
      if (this.#ticker.due()) this.#report.progress(done, count, 'entries');
    }
  }

  #checkEntry(i: number, state: QueueState, found: Found): void {
    const offset = state.next++;
    const physical = this.#block.physicalOffset(i);
    const size = this.#block.size(i);
    if (physical === 0 && size === 0 && this.#block.tagsCode(i) === 0n) {
      if (state.missingFrom < 0) state.missingFrom = offset;
      return;
    }
    if (state.missingFrom >= 0) {
      const one = state.missingFrom === offset - 1;
      const which = one
        ? `entry ${state.missingFrom} is`
        : `entries ${state.missingFrom} to ${offset - 1} are`;
      found('queue-entries', state.missingFrom, `${which} missing`);
      state.missingFrom = -1;
    }
    if (this.#block.isFiller(i)) {
      if (state.entries > 0)
        found('queue-entries', offset, `entry ${offset} is a filler, but real entries are in front of it`);
      return;
    }
    state.entries++;
    if (physical <= state.lastPhysical) {
      found(
        'queue-order',
        offset,
        `entry ${offset} points to ${physical}, which is not behind the entry in front (${state.lastPhysical})`,
      );
    }
    state.lastPhysical = Math.max(physical, state.lastPhysical);
    if (physical < this.#log.start) return;
    const entry = { offset, physical, size, tagsCode: this.#block.tagsCode(i) };
    const problem = this.#problems.of(entry, state.queue);
    if (problem !== undefined)
      found('queue-record', offset, `entry ${offset} points to ${physical}: ${problem.text}`);
  }

  #checkEnd(state: QueueState, found: Found): void {
    const end = state.missingFrom >= 0 ? state.missingFrom : state.next;
    const facts = this.#log.queues.get(`${state.queue.topic}/${state.queue.queueId}`);
    if (facts === undefined || facts.maximum < end) return;
    const missing = `the log has records up to number ${facts.maximum}, the queue ends at ${end}`;
    // While a broker works, and after a crash, the queues may be behind; the next start catches up.
    if (this.#store.open)
      this.#report.note(`${state.queue.topic}/${state.queue.queueId}: ${missing}; a start catches up`);
    else found('queue-end', end, missing);
  }
}
