/**
 * How long threads waited for a processor. On a machine with two cores the attack itself takes them from the server it
 * attacks; what a server owes its clients is the rest of the time.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MS_PER_NS = 1e-6;

/** Ms that each thread of these processes has been ready to run and did not, since it began (proc_pid_schedstat). */
export function processorWaits(pids: readonly number[]): Map<string, number> {
  const waits = new Map<string, number>();
  for (const pid of pids) {
    const folder = `/proc/${pid}/task`;
    for (const thread of readdirSync(folder)) {
      const [, waited] = statOf(join(folder, thread, 'schedstat'));
      if (waited !== undefined) waits.set(thread, waited * MS_PER_NS);
    }
  }
  return waits;
}

/** Empty when the thread has ended. */
function statOf(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split(' ').map(Number);
  } catch {
    return [];
  }
}

/** The longest that one thread has waited since `before`. An answer needs several; only one of them is excused. */
export function longestWait(before: ReadonlyMap<string, number>, pids: readonly number[]): number {
  let longest = 0;
  for (const [thread, waited] of processorWaits(pids)) {
    longest = Math.max(longest, waited - (before.get(thread) ?? waited));
  }
  return longest;
}
