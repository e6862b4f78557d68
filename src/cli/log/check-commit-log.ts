/**
 * The CommitLog from its first file to its tail: every record sound, positions and store times ascending, BLANKs where
 * files end, zeros behind the tail. Goes on behind damage. Counts what each queue must hold, for the checks to come.
 */
import { join } from 'node:path';
import { LITE_QUEUE_ID } from '../../lib/lite-names.ts';
import { HALF_TOPIC } from '../../lib/names.ts';
import { decodeRecord } from '../../record/decode.ts';
import { SecondQueueReader } from '../../record/second-queue.ts';
import { queueIdOf, queueOffsetOf, storeTimestampOf, sysFlagOf } from '../../record/view.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import { entersQueue, STORE_TIME_LEAD_MS } from '../../store/log/commit-log.ts';
import { firstNonZeroInFile, nextSound } from '../../store/log/find-record.ts';
import { RecordCheck } from '../../store/log/record-check.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import { UNSOUND_MEANINGS } from './explain/unsound.ts';
import { type Found, type Report, Ticker } from './report.ts';
import type { StoreFiles } from './store-files.ts';
import { TRANSACTION_TOPICS, transactionProblem } from './transaction-record.ts';

/** What the log says of one queue. */
export interface QueueFacts {
  minimum: number;
  maximum: number;
  records: number;
  /** Damages met before its last record: across damage, numbers may jump. */
  damages: number;
}

export interface LogFacts {
  /** Position of the first record that still exists. */
  start: number;
  end: number;
  records: number;
  lastTimestamp: number;
  /** By `topic/queueId`. */
  queues: Map<string, QueueFacts>;
}

/** A broker at work may be in the middle of an append. */
const SETTLE_TRIES = 5;
const SETTLE_MS = 40;

export class CommitLogCheck {
  readonly facts: LogFacts = { start: 0, end: 0, records: 0, lastTimestamp: 0, queues: new Map() };
  readonly #disk: Disk;
  readonly #store: StoreFiles;
  readonly #report: Report;
  readonly #check = new RecordCheck();
  readonly #second = new SecondQueueReader();
  readonly #ticker = new Ticker();
  #ended = false;
  #damages = 0;
  /** Store time of the record before. */
  #previousTime = 0;

  constructor(disk: Disk, store: StoreFiles, report: Report) {
    this.#disk = disk;
    this.#store = store;
    this.#report = report;
  }

  run(): LogFacts {
    const { logFiles } = this.#store;
    this.facts.start = Number(logFiles[0] ?? 0);
    this.facts.end = this.facts.start;
    this.#checkNames();
    let expected = this.facts.start;
    for (const name of logFiles) {
      this.#report.file('CommitLog', `commitlog/${name}`, (found) => {
        const start = Number(name);
        if (start !== expected)
          found('log-sequence', start, `the file ${fileNameOf(expected)} is missing in front of this one`);
        expected = start + this.#store.logFileSize;
        return this.#checkFile(name, start, found);
      });
    }
    return this.facts;
  }

  #pathOf(start: number): string {
    return join(this.#store.commitLogDirectory, fileNameOf(start));
  }

  #checkNames(): void {
    const { commitLogDirectory, logFiles } = this.#store;
    for (const name of this.#disk.list(commitLogDirectory)) {
      if (logFiles.includes(name) || this.#disk.isDirectory(join(commitLogDirectory, name))) continue;
      this.#report.file('CommitLog', `commitlog/${name}`, (found) => {
        found('log-names', 0, 'does not belong here: no broker starts while it is in this directory');
        return 'not a CommitLog file';
      });
    }
  }

  #checkFile(name: string, start: number, found: Found): string {
    const path = join(this.#store.commitLogDirectory, name);
    const size = this.#disk.size(path);
    if (size !== this.#store.logFileSize) {
      if (size === 0 && name === this.#store.logFiles.at(-1)) return 'empty, just being made';
      found('log-size', start, `the file has ${size} bytes, the others have ${this.#store.logFileSize}`);
      return 'not read';
    }
    if (start % size !== 0) found('log-names', start, `its name is no multiple of the file size ${size}`);
    const mapping = this.#disk.map(path, size);
    if (typeof mapping === 'number') {
      found('log-size', start, `cannot be opened for reading and writing (errno ${-mapping})`);
      return 'not read';
    }
    try {
      return this.#ended ? this.#checkUnused(start, found) : this.#walk(mapping, start, found);
    } finally {
      mapping.close();
    }
  }

  #walk(mapping: Mapping, start: number, found: Found): string {
    const before = this.facts.records;
    let at = 0;
    while (at < mapping.size) {
      if (this.#check.check(mapping, at, start) || this.#onlyBodyDamaged(start + at, found)) {
        if (!this.#check.blank) this.#note(mapping, at, start + at, found);
        at += this.#check.size;
        this.facts.end = start + at;
        if (this.#ticker.due()) this.#report.progress(at, mapping.size, 'bytes');
        continue;
      }
      const next = this.#behindDamage(mapping, at, start, found);
      if (next < 0) break;
      at = next;
    }
    const records = this.facts.records - before;
    return `${records} records, ${at === mapping.size ? 'full' : `the log ends at ${start + at}`}`;
  }

  /** What a broker at work was about to write when it was looked at is whole a moment later. */
  #soundLater(mapping: Mapping, at: number, start: number): boolean {
    for (let tries = 0; this.#store.open && tries < SETTLE_TRIES; tries++) {
      if (this.#check.check(mapping, at, start)) return true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLE_MS);
    }
    return false;
  }

  /** Then everything else of the record can still be used. */
  #onlyBodyDamaged(position: number, found: Found): boolean {
    if (this.#check.reason !== 'body checksum differs') return false;
    found('log-body', position, UNSOUND_MEANINGS[this.#check.reason]);
    return true;
  }

  /** Where to go on in this file, or -1 when nothing sound follows in it. */
  #behindDamage(mapping: Mapping, at: number, start: number, found: Found): number {
    const dirt = firstNonZeroInFile(this.#disk, this.#pathOf(start), at);
    if (dirt >= 0 && this.#soundLater(mapping, at, start)) return at;
    const { reason } = this.#check;
    const next = dirt < 0 ? -1 : nextSound(mapping, at + 1, start);
    this.#damages++;
    if (next >= 0) {
      const what = dirt > at + 7 ? 'zeros in the middle of the log' : UNSOUND_MEANINGS[reason];
      found(
        'log-record',
        start + at,
        `${what}; the next sound record is at ${start + next}, ${next - at} bytes further on`,
      );
      return next;
    }
    if (this.#laterFileHasRecords(start)) {
      found('log-end', start + at, 'the file ends without BLANK although the log goes on in the next file');
      return -1;
    }
    this.#ended = true;
    if (dirt >= 0)
      found(
        'log-end',
        start + dirt,
        `bytes behind the end of the log (${start + at}) are not zero: ${UNSOUND_MEANINGS[reason]}`,
      );
    return -1;
  }

  #laterFileHasRecords(start: number): boolean {
    const size = this.#store.logFileSize;
    return this.#store.logFiles.some((name) => {
      if (Number(name) <= start) return false;
      const mapping = this.#disk.map(join(this.#store.commitLogDirectory, name), size);
      if (typeof mapping === 'number') return false;
      const sound = new RecordCheck().check(mapping, 0, Number(name));
      mapping.close();
      return sound;
    });
  }

  #checkUnused(start: number, found: Found): string {
    const dirt = firstNonZeroInFile(this.#disk, this.#pathOf(start), 0);
    if (dirt >= 0)
      found('log-end', start + dirt, `the log ended at ${this.facts.end}, but this file is not empty`);
    return dirt < 0 ? 'empty, made ahead of need' : 'behind the end of the log';
  }

  #note(mapping: Mapping, at: number, position: number, found: Found): void {
    const { facts } = this;
    const { view } = mapping;
    facts.records++;
    const stored = storeTimestampOf(view, at);
    this.#checkTime(stored, position, found);
    facts.lastTimestamp = Math.max(facts.lastTimestamp, stored);
    if (!entersQueue(sysFlagOf(view, at))) return;
    const { topicOffset, topicLength } = this.#check.parts;
    const topic = Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset, mapping.size).toString(
      'utf8',
      topicOffset,
      topicOffset + topicLength,
    );
    this.#count(`${topic}/${queueIdOf(view, at)}`, queueOffsetOf(view, at), position, found);
    if (this.#second.read(mapping.bytes, view, at, this.#check.size))
      this.#count(`${this.#second.name}/${LITE_QUEUE_ID}`, this.#second.number, position, found);
    if (TRANSACTION_TOPICS.has(topic)) this.#checkTransaction(mapping, at, position, found);
  }

  #checkTransaction(mapping: Mapping, at: number, position: number, found: Found): void {
    const message = decodeRecord(mapping.bytes.subarray(at, at + this.#check.size));
    if (message === undefined) return;
    // Half messages that were lost in damage are not counted here.
    const halves = this.#damages > 0 ? undefined : this.facts.queues.get(`${HALF_TOPIC}/0`);
    const problem = transactionProblem(message, halves && halves.maximum + 1);
    if (problem !== undefined) found('log-transaction', position, problem);
  }

  /** Store times go back where a clock turned out to have been wrong by more than they may be ahead of it. */
  #checkTime(stored: number, position: number, found: Found): void {
    const back = this.#previousTime - stored;
    this.#previousTime = stored;
    if (back > STORE_TIME_LEAD_MS) {
      this.#report.note(`store times go back by ${back} ms at ${position}: the clock was wrong then`);
    } else if (back > 0) {
      found('log-time', position, `stored ${back} ms before the record in front of it, by its own account`);
    }
  }

  #count(key: string, offset: number, position: number, found: Found): void {
    const damages = this.#damages;
    const queue = this.facts.queues.get(key);
    // A topic that was deleted and made again counts from 0.
    if (queue === undefined || offset === 0) {
      this.facts.queues.set(key, { minimum: offset, maximum: offset, records: 1, damages });
      return;
    }
    if (offset !== queue.maximum + 1 && queue.damages === damages) {
      found(
        'log-number',
        position,
        `is number ${offset} of queue ${key}, but the record before it was number ${queue.maximum}`,
      );
    }
    queue.maximum = Math.max(queue.maximum, offset);
    queue.records++;
    queue.damages = damages;
  }
}
