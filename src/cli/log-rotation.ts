/** How large the log's own file (RINGMQ_LOG_FILE) becomes, and how many of those before it are kept. */
import { renameSync } from 'node:fs';
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

/** Renames `path` to `path.1`, what had that name to `path.2`, and so on; the last one goes. Throws system errors. */
export function shiftFiles(path: string, keep: number): void {
  for (let number = keep - 1; number >= 0; number--) {
    try {
      renameSync(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
