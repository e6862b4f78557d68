/** How large the log's own file (RINGMQ_LOG_FILE) becomes, how many of those before it are kept, and the renaming. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { UserError } from '../lib/user-error.ts';

export interface Rotation {
  /** Bytes; a file that has so many is renamed. Infinity = never. */
  readonly maxBytes: number;
  /** Renamed files that are kept: `ringmq.log.1`, the newest, and so on. */
  readonly keep: number;
}

const DEFAULT_SIZE = '100M';
const DEFAULT_KEEP = '10';
const MAX_KEEP = 1000;
/** What is smaller than a few lines would be renamed with each. */
const MIN_BYTES = 64 * 1024;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const PERMISSIONS = 0o777;

/** As RINGMQ_LOG_MAX_SIZE and RINGMQ_LOG_KEEP say. Throws a UserError for what they cannot mean. */
export function rotationOf(env: NodeJS.ProcessEnv): Rotation {
  const size = env['RINGMQ_LOG_MAX_SIZE'] || DEFAULT_SIZE;
  const keep = env['RINGMQ_LOG_KEEP'] || DEFAULT_KEEP;
  const [, digits, unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(size.trim()) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
  if (!(bytes === 0 || bytes >= MIN_BYTES)) {
    throw new UserError(
      `RINGMQ_LOG_MAX_SIZE=${size}: allowed is a size from 64K on, such as ${DEFAULT_SIZE} or 1G; 0 = no limit.`,
    );
  }
  const kept = /^\d{1,4}$/.test(keep.trim()) ? Number(keep) : 0;
  if (kept < 1 || kept > MAX_KEEP) {
    throw new UserError(`RINGMQ_LOG_KEEP=${keep}: allowed is a number of files from 1 to ${MAX_KEEP}.`);
  }
  return { maxBytes: bytes === 0 ? Number.POSITIVE_INFINITY : bytes, keep: kept };
}

/**
 * Renames `path`, which is open as `descriptor`, to `path.1`, and what had that name to `path.2`, and so on; returns
 * the descriptor of a new file under `path`. Nothing is renamed before there is a new file, and while something has
 * the name that is wanted the others stay. Throws system errors; `path` can be written on then.
 */
export function renamedAside(path: string, descriptor: number, keep: number): number {
  const next = `${path}.new`;
  let fresh = openSync(next, 'a', fstatSync(descriptor).mode & PERMISSIONS);
  try {
    fchmodSync(fresh, fstatSync(descriptor).mode & PERMISSIONS);
    makeRoom(path, keep);
    renameSync(path, `${path}.1`);
    if (!isLinked(next, path)) {
      // Another process that writes the same log was faster.
      const made = openSync(path, 'a');
      closeSync(fresh);
      fresh = made;
    }
    return fresh;
  } catch (error) {
    closeSync(fresh);
    throw error;
  } finally {
    unlinkSync(next);
  }
}

/** Frees the name `path.1`. Once it is free nothing moves, however often the rest fails. */
function makeRoom(path: string, keep: number): void {
  let free = 1;
  while (free < keep && existsSync(`${path}.${free}`)) free++;
  for (let number = free - 1; number >= 1; number--) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
}

function isLinked(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
