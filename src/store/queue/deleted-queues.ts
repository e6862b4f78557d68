/**
 * Deleted topics' ConsumeQueues. Unlinking some thousand files takes seconds, in which the dispatcher would dispatch
 * nothing: it moves the topic's folder out of the way, which takes as long for one file as for all, and control removes
 * what lies there at leisure. The place is within the queues' own directory, as that may be a mount of its own; no
 * topic can have its name, and none of the names in it is a queue's.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk } from '../disk/disk.ts';

const PLACE = '.deleted';

export class DeletedQueues {
  readonly #disk: Disk;
  readonly #root: string;
  #moved = 0;

  /** `root`: the directory of all ConsumeQueues. */
  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /** Takes a topic's queues away from under their names. Nobody may have them open any more. */
  moveAway(topic: string): void {
    const path = join(this.#root, topic);
    if (!this.#disk.isDirectory(path)) return;
    const place = join(this.#root, PLACE);
    try {
      this.#disk.makeDirectory(place);
      // What an earlier run has left may have the name.
      let to: string;
      do to = join(place, `queues-${this.#moved++}`);
      while (this.#disk.isDirectory(to));
      this.#disk.setAside(path, to);
    } catch {
      // On the spot then: a topic of that name may be made again at once, and its queues must not find old files.
      this.#disk.remove(path);
    }
  }
}

/** Removes what was moved away, by this run or an earlier one. */
export async function removeDeletedQueues(root: string): Promise<void> {
  const place = join(root, PLACE);
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) await rm(join(place, name), { recursive: true, force: true });
}
