/**
 * Where in the log the life of a topic begins that had a predecessor of the same name.
 *
 * A record carries only its topic's name. When a topic is deleted, the position behind its last message is noted here
 * before anything of it is removed: records of that name before the position belong to nobody, whoever reads the log
 * again, and a topic made under that name later counts from 0. The file (`ringmq.topics`) is ours, RocketMQ leaves it
 * alone. It is as large as there were deletions within the log that still exists: an entry goes when the log's start
 * has passed its position.
 */
import type { Disk } from './disk/disk.ts';
import type { StoreOptions } from './options.ts';
import { storePaths } from './paths.ts';
import { positionOf, readState, writeState } from './small-state.ts';

export class TopicBirths {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #positions = new Map<string, number>();

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  static load(disk: Disk, options: StoreOptions, warn: (line: string) => void): TopicBirths {
    const births = new TopicBirths(disk, storePaths.topics(options.directory));
    for (const [topic, value] of Object.entries(readState(disk, births.#path, warn) ?? {})) {
      const position = positionOf(value);
      if (position >= 0) births.#positions.set(topic, position);
    }
    return births;
  }

  /** Records of the topic before this position are a deleted topic's; 0 for most topics. */
  of(topic: string): number {
    return this.#positions.get(topic) ?? 0;
  }

  get size(): number {
    return this.#positions.size;
  }

  /**
   * The log ends at `end`: a crash has taken what lay behind it, and new messages will stand there. Durable when this
   * returns; throws when the disk refuses.
   */
  logEnds(end: number): void {
    const late = [...this.#positions].filter(([, position]) => position > end);
    if (late.length === 0) return;
    for (const [topic] of late) this.#positions.set(topic, end);
    writeState(this.#disk, this.#path, Object.fromEntries(this.#positions));
  }

  /**
   * The topic is deleted, and no record before `position` counts any more: durable when this returns. Throws when the
   * disk refuses, and nothing has changed. Nobody will ask about positions up to `passed` any more.
   */
  ended(topic: string, position: number, passed: number): void {
    const next = new Map(this.#positions);
    for (const [name, at] of next) if (at <= passed) next.delete(name);
    next.set(topic, position);
    writeState(this.#disk, this.#path, Object.fromEntries(next));
    this.#positions.clear();
    for (const [name, at] of next) this.#positions.set(name, at);
  }
}
