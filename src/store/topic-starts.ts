/**
 * Where in the log a topic begins that does not begin with the log itself: records of its name before that position
 * count for nobody, whoever reads the log again.
 *
 * - A *birth*: a topic of that name was deleted, and the position behind its last message is noted before anything of
 *   it is removed. A topic made under that name later has queues of its own, which count from 0.
 * - A *purge*: the topic stays, and lets go of its messages before the position. Its queues go on counting; only their
 *   minima move, as they do when the log's own start moves. A purge of a parent is one of its lite topics too.
 *
 * The file (`ringmq.topics`) is ours, RocketMQ leaves it alone. It has one entry a topic, and an entry goes when the
 * log's start has passed its position.
 */
import { liteNamesIn } from '../lib/lite-names.ts';
import type { Disk } from './disk/disk.ts';
import type { StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import { positionOf, readState, writeState } from './small-state.ts';

interface TopicStart {
  readonly bornAt: number;
  /** 0 when it was not purged since. */
  readonly purgedTo: number;
}

/** Up to where topics are purged, by name; most are not in it. */
export type Purges = ReadonlyMap<string, number>;

/** Records of the topic, or of a lite topic below it, before this position are purged. */
export function purgedTo(purges: Purges, topic: string): number {
  // Most brokers have none, and this is asked for each of their queues.
  if (purges.size === 0) return 0;
  return Math.max(purges.get(topic) ?? 0, purges.get(liteNamesIn(topic)?.parent ?? '') ?? 0);
}

export class TopicStarts {
  readonly #disk: Disk;
  readonly #path: string;
  #starts: ReadonlyMap<string, TopicStart> = new Map();
  #purges: Purges = new Map();

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  static load(disk: Disk, options: StoreOptions, warn: (line: string) => void): TopicStarts {
    const starts = new TopicStarts(disk, storePaths.topics(options.directory));
    const rows = Object.entries(readState(disk, starts.#path, warn) ?? {});
    starts.#take(new Map(rows.map(([topic, row]) => [topic, startIn(row)])));
    return starts;
  }

  /** Records of the topic before this position are a deleted topic's; 0 for most topics. */
  bornAt(topic: string): number {
    return this.#starts.get(topic)?.bornAt ?? 0;
  }

  /** Records of the topic before this position are purged; 0 for most topics. */
  purgedTo(topic: string): number {
    return purgedTo(this.#purges, topic);
  }

  /** Records of the topic before this position count for nobody. */
  of(topic: string): number {
    return Math.max(this.bornAt(topic), this.purgedTo(topic));
  }

  get purges(): Purges {
    return this.#purges;
  }

  /** Entries. */
  get size(): number {
    return this.#starts.size;
  }

  /**
   * The log ends at `end`: a crash has taken what lay behind it, and new messages will stand there. Durable when this
   * returns; throws when the disk refuses.
   */
  logEnds(end: number): void {
    if (![...this.#starts.values()].some((start) => latest(start) > end)) return;
    const next = [...this.#starts].map(([topic, { bornAt, purgedTo }]): [string, TopicStart] => [
      topic,
      { bornAt: Math.min(bornAt, end), purgedTo: Math.min(purgedTo, end) },
    ]);
    this.#write(new Map(next));
  }

  /**
   * The topic is deleted, and no record before `position` counts any more: durable when this returns. Throws when the
   * disk refuses, and nothing has changed. Nobody will ask about positions up to `passed` any more.
   */
  ended(topic: string, position: number, passed: number): void {
    this.#set(topic, { bornAt: position, purgedTo: 0 }, passed);
  }

  /** The topic is purged up to `position`; all else as with `ended`. */
  purged(topic: string, position: number, passed: number): void {
    const bornAt = this.bornAt(topic);
    if (position > Math.max(bornAt, this.#purges.get(topic) ?? 0))
      this.#set(topic, { bornAt, purgedTo: position }, passed);
  }

  #set(topic: string, start: TopicStart, passed: number): void {
    const next = new Map([...this.#starts].filter(([, other]) => latest(other) > passed));
    this.#write(next.set(topic, start));
  }

  #write(starts: ReadonlyMap<string, TopicStart>): void {
    const rows = [...starts].map(([topic, start]) => [topic, start.purgedTo > 0 ? start : start.bornAt]);
    writeState(this.#disk, this.#path, Object.fromEntries(rows));
    this.#take(starts);
  }

  #take(starts: ReadonlyMap<string, TopicStart>): void {
    this.#starts = new Map([...starts].filter(([, start]) => latest(start) > 0));
    this.#purges = new Map(
      [...this.#starts].flatMap(([topic, { purgedTo }]) => (purgedTo > 0 ? [[topic, purgedTo]] : [])),
    );
  }
}

/** A row of the file: the position of a birth, or an object of both; what is no position counts as 0. */
function startIn(row: unknown): TopicStart {
  if (typeof row !== 'object' || row === null) return { bornAt: Math.max(positionOf(row), 0), purgedTo: 0 };
  const { bornAt, purgedTo } = row as Record<string, unknown>;
  return { bornAt: Math.max(positionOf(bornAt), 0), purgedTo: Math.max(positionOf(purgedTo), 0) };
}

function latest({ bornAt, purgedTo }: TopicStart): number {
  return Math.max(bornAt, purgedTo);
}
