/**
 * How many descriptors the process may have open, and what of that connections may use: the store opens files while
 * it serves, and must find descriptors for them however many clients there are.
 */
import { readFileSync } from 'node:fs';
import { MAX_CONNECTIONS } from './limits.ts';

/** Descriptors for files, rings, listening sockets and connections of our own; half of them all where there are few. */
const RESERVE = 512;
/** Parts of what the reserve leaves over, where broker and name server share a process. */
export const BROKER_SHARE = 3 / 4;
export const NAME_SERVER_SHARE = 1 / 4;
/** What a system without /proc is taken to allow. */
const UNKNOWN_LIMIT = 1024;

/** The soft limit on open files of this process; Infinity when there is none. Node raises it to the hard one. */
export function descriptorLimit(): number {
  try {
    return parseDescriptorLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return UNKNOWN_LIMIT;
  }
}

/** `text` as in /proc/self/limits. */
export function parseDescriptorLimit(text: string): number {
  const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY;
  return soft !== undefined && /^\d+$/.test(soft) ? Number(soft) : UNKNOWN_LIMIT;
}

/**
 * How many connections a server may have. `share`: its part of the descriptors that the reserve leaves over, when
 * several servers share the process. Never less than one.
 */
export function connectionLimit(share: number, descriptors = descriptorLimit()): number {
  const free = descriptors - Math.min(RESERVE, Math.ceil(descriptors / 2));
  return Math.max(1, Math.floor(Math.min(MAX_CONNECTIONS, free * share)));
}
