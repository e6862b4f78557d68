/** What an errno means for whoever met it. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

const { EAGAIN, EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC } = constants.errno;

export const ENOENT = constants.errno.ENOENT;
/** What a read that ended too early counts as. */
export const EIO = constants.errno.EIO;

const SHORTAGES: ReadonlySet<number> = new Set([EAGAIN, EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM, ENOSPC]);

/** Whether something has run out that others give back (descriptors, memory, room): nothing is damaged. */
export function isShortage(errno: number): boolean {
  return SHORTAGES.has(errno);
}

/** Whether there is no room, on the disk or in the user's part of it. */
export function isFull(errno: number): boolean {
  return errno === ENOSPC || errno === EDQUOT;
}

/**
 * Whether a sync or write that failed so may have left pages that count as written and are not on the disk. A shortage
 * of descriptors or memory ends it before it begins; one of room is met while pages are on their way.
 */
export function losesPages(errno: number): boolean {
  return !isShortage(errno) || isFull(errno);
}

/** `EIO`, or the number where the system has no name for it. */
export function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : `errno ${errno}`;
}

/** There is something, and it cannot be read. */
export class Unreadable extends Error {
  readonly errno: number;

  constructor(what: string, errno: number) {
    super(`${what} cannot be read (${errnoName(errno)})`);
    this.errno = errno;
  }
}
