/**
 * Timed messages that a slave has delivered while it acted for its master: the slave notes them, the master takes them
 * over when it is back, and passes them by when their time comes in its own wheel. Each is named by the position of its
 * record and that record's checksum, so that a master whose log differs from the slave's passes by nothing else.
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../../lib/clock.ts';
import { MAX_ACTED_TIMERS } from '../../lib/limits.ts';
import type { ControlLog } from '../../lib/log.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { Disk } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { type InternalMessage, isStored, type PutResult } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { positionOf, readState, writeState } from '../../store/small-state.ts';
import { isNobodys, realTopicOf } from './acting-puts.ts';

/** Position in the CommitLog, and CRC-32 of the record there. */
export type ActedTimer = readonly [position: number, crc: number];

/** A file of timers that all have come is not needed any more; clocks of master and slave may differ by less. */
const OVER_MS = 86_400_000;

/** On the slave: what it delivers. */
export class ActedNotes {
  readonly #store: Pick<StoreReads, 'recordAt'>;
  readonly #reviveTopic: string;
  readonly #log: ControlLog;
  #news: ActedTimer[] = [];

  constructor(store: Pick<StoreReads, 'recordAt'>, reviveTopic: string, log: ControlLog) {
    this.#store = store;
    this.#reviveTopic = reviveTopic;
    this.#log = log;
  }

  /** What the record at `position` has come to. What no other master takes is left to this broker's own. */
  readonly outcome = (position: number, message: InternalMessage, result: PutResult): PutResult => {
    const topic = realTopicOf(message);
    if (isNobodys(result.status)) {
      const fields = { topic, reason: result.remark };
      this.#log.warn(fields, 'a timed message waits until the master is back: no other one takes it');
      return { ...result, status: ResponseCode.SUCCESS };
    }
    // Only the master knows which of its checkpoints are over.
    if (isStored(result.status) && topic !== this.#reviveTopic) this.#note(position);
    return result;
  };

  #note(position: number): void {
    try {
      const record = this.#store.recordAt(position);
      if (record !== undefined) this.#news.push([position, crc32(record)]);
    } catch (error) {
      const fields = { position, reason: (error as Error).message };
      this.#log.warn(fields, 'a timed message that was delivered may come twice: its record cannot be read');
    }
  }

  /** Those since the last call. */
  take(): ActedTimer[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }
}

/**
 * On the slave, at control: the newest MAX_ACTED_TIMERS of them; those before come twice. Also the slave itself passes
 * them by, when it acts once more: its master may have told no progress in between.
 */
export class ActedTimers {
  /** Some more, so that what is too old goes seldom: a copy of all of them takes milliseconds. */
  #all: ActedTimer[] = [];
  /** Some have come since `kept` was called. */
  hasNews = false;

  /** They are in the file. */
  kept(): void {
    this.hasNews = false;
  }

  add(acted: readonly ActedTimer[]): void {
    this.hasNews ||= acted.length > 0;
    for (const timer of acted) this.#all.push(timer);
    if (this.#all.length >= 2 * MAX_ACTED_TIMERS) this.#all = this.all;
  }

  /** `count` of them from the one of this number on, and how many there are. */
  part(first: number, count: number): { timers: readonly ActedTimer[]; total: number } {
    const from = this.#from + first;
    return { timers: this.#all.slice(from, from + count), total: this.#all.length - this.#from };
  }

  /** A copy. */
  get all(): ActedTimer[] {
    return this.#all.slice(this.#from);
  }

  get #from(): number {
    return Math.max(0, this.#all.length - MAX_ACTED_TIMERS);
  }
}

/** For the next life of the wheel in this store: durable when this returns. Throws when the disk refuses. */
export function keepActed(disk: Disk, root: string, acted: readonly ActedTimer[], clock: Clock): void {
  const path = storePaths.actedTimers(root);
  // Of an earlier time some may not have come yet.
  const before = keptTimers(disk, root);
  const isNew = new Set(acted.map(([position]) => position));
  const others = before.filter(([position]) => !isNew.has(position));
  const timers = [...others, ...acted].slice(-MAX_ACTED_TIMERS);
  writeState(disk, path, { takenAt: clock.now(), timers });
}

/** What `keepActed` has kept; nothing where that is damaged. */
export function keptTimers(disk: Disk, root: string): ActedTimer[] {
  return timersIn(readState(disk, storePaths.actedTimers(root), () => {})?.['timers']);
}

/** Those that are not to be delivered again. */
export class ActedBefore {
  readonly #crcs: Map<number, number>;

  constructor(acted: readonly ActedTimer[]) {
    this.#crcs = new Map(acted);
  }

  /** `readTimeMs`: before that all timers have been delivered. */
  static load(disk: Disk, root: string, readTimeMs: number, warn: (line: string) => void): ActedBefore {
    const path = storePaths.actedTimers(root);
    const state = readState(disk, path, warn);
    if (state === undefined) return new ActedBefore([]);
    if (readTimeMs < positionOf(state['takenAt']) + OVER_MS)
      return new ActedBefore(timersIn(state['timers']));
    disk.remove(path);
    return new ActedBefore([]);
  }

  get size(): number {
    return this.#crcs.size;
  }

  /** Whether the record at `position` was delivered by the slave. */
  has(position: number, record: Uint8Array): boolean {
    const crc = this.#crcs.get(position);
    return crc !== undefined && crc === crc32(record);
  }
}

/** What of a file or an answer are such timers. */
export function timersIn(value: unknown): ActedTimer[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (timer): timer is ActedTimer =>
      Array.isArray(timer) && timer.length === 2 && positionOf(timer[0]) >= 0 && positionOf(timer[1]) >= 0,
  );
}
