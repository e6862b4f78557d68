/**
 * Directories of stores that live as long as their broker. One that a killed process has left behind is removed by the
 * next start; one that somebody uses never is. What tells them apart are locks, which end with their process, and not
 * names or process ids, which come again.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, opendirSync, renameSync, rmSync, statSync } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addon } from '../native/addon.ts';
import { errnoName } from '../store/disk/errors.ts';
import { storePaths } from '../store/paths.ts';

/** Only directories of this name are looked at. They get it when their lock is held. */
const PREFIX = 'ringmq-temporary-';
const UNFINISHED_PREFIX = 'ringmq-new-';
/** The file in it whose lock its maker holds. */
const OWNER = 'ringmq.temporary';

/** How much a start does for others: entries of the folder looked at, and stores removed. */
const MAX_LOOKED_AT = 20_000;
const MAX_REMOVED = 32;

export interface TemporaryStore {
  readonly directory: string;
  /** Removes it. False when something of it is still there, which the next start removes. */
  remove(): boolean;
}

export function makeTemporaryStore(parent = tmpdir()): TemporaryStore {
  const unfinished = mkdtempSync(join(parent, UNFINISHED_PREFIX));
  const directory = join(parent, `${PREFIX}${randomUUID()}`);
  const lock = addon.lockFile(join(unfinished, OWNER));
  if (lock < 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(`a temporary store in ${parent} cannot be locked (${errnoName(-lock)}).`);
  }
  // Under the name that others look for there is no moment without the lock.
  renameSync(unfinished, directory);
  let held = true;
  const remove = () => {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      // A thread of the broker was still making a file there.
    }
    if (held) addon.unlockFile(lock);
    held = false;
    return statSync(directory, { throwIfNoEntry: false }) === undefined;
  };
  return { directory, remove };
}

/**
 * Removes stores of this user that processes have left behind, as many as a start may; resolves how many. When `isOver`
 * it ends after the first: a program that always closes at once still removes one at each start.
 */
export async function sweepTemporaryStores(parent = tmpdir(), isOver = () => false): Promise<number> {
  let removed = 0;
  for (const directory of candidates(parent)) {
    if (removed === MAX_REMOVED || (removed > 0 && isOver())) break;
    if (await removeIfLeft(directory)) removed++;
  }
  return removed;
}

function candidates(parent: string): string[] {
  const found: string[] = [];
  const folder = opendirSync(parent);
  try {
    for (let i = 0; i < MAX_LOOKED_AT; i++) {
      const entry = folder.readSync();
      if (entry === null) break;
      if (entry.isDirectory() && entry.name.startsWith(PREFIX)) found.push(join(parent, entry.name));
    }
  } finally {
    folder.closeSync();
  }
  return found;
}

/** Nobody else removes it while both locks are held, and no broker can open it. */
async function removeIfLeft(directory: string): Promise<boolean> {
  if (!(await isOurs(directory))) return false;
  const locks: number[] = [];
  try {
    for (const file of [join(directory, OWNER), storePaths.lock(directory)]) {
      const lock = addon.lockFile(file);
      if (lock < 0) return false;
      locks.push(lock);
    }
    await rm(directory, { recursive: true, force: true });
    return true;
  } catch {
    return false;
  } finally {
    for (const lock of locks) addon.unlockFile(lock);
  }
}

/** A directory of this user, and not a link to one, that `makeTemporaryStore` has made. */
async function isOurs(directory: string): Promise<boolean> {
  const user = process.getuid?.();
  try {
    const [folder, owner] = await Promise.all([lstat(directory), lstat(join(directory, OWNER))]);
    return folder.isDirectory() && owner.isFile() && folder.uid === user && owner.uid === user;
  } catch {
    return false;
  }
}
