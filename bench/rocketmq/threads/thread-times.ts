/** CPU time of a process by thread, from /proc/PID/task, and which kind of thread each of RingMQ's is. */
import fs from 'node:fs';
import { TICKS_PER_SECOND } from '../proc.ts';

export interface ThreadTimes {
  id: number;
  name: string;
  userSeconds: number;
  systemSeconds: number;
  /** How often it has gone to sleep by itself. */
  sleeps: number;
}

/** Parses /proc/PID/task/TID/stat; the name may hold spaces and brackets. */
export function parseThreadStat(text: string): Omit<ThreadTimes, 'sleeps'> {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const seconds = (at: number): number => Number(fields[at]) / TICKS_PER_SECOND;
  return {
    id: Number.parseInt(text, 10),
    name: text.slice(text.indexOf('(') + 1, end),
    userSeconds: seconds(11),
    systemSeconds: seconds(12),
  };
}

/** Parses /proc/PID/task/TID/status. */
export function parseSleeps(status: string): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
}

/** All threads of a process, the main one first; those that end meanwhile are left out. */
export function readThreads(pid: number): ThreadTimes[] {
  const folder = `/proc/${pid}/task`;
  return fs.readdirSync(folder).flatMap((id) => {
    try {
      const stat = parseThreadStat(fs.readFileSync(`${folder}/${id}/stat`, 'latin1'));
      return { ...stat, sleeps: parseSleeps(fs.readFileSync(`${folder}/${id}/status`, 'latin1')) };
    } catch {
      return [];
    }
  });
}

/** What each thread used between two readings; a new one has used all that it has. */
export function usedBetween(before: readonly ThreadTimes[], after: readonly ThreadTimes[]): ThreadTimes[] {
  const earlier = new Map(before.map((thread) => [thread.id, thread]));
  return after.map(({ id, name, userSeconds, systemSeconds, sleeps }) => {
    const from = earlier.get(id);
    return {
      id,
      name,
      userSeconds: userSeconds - (from?.userSeconds ?? 0),
      systemSeconds: systemSeconds - (from?.systemSeconds ?? 0),
      sleeps: sleeps - (from?.sleeps ?? 0),
    };
  });
}

export const KINDS = ['network', 'writer', 'dispatcher', 'flusher', 'control', 'others'] as const;
export type Kind = (typeof KINDS)[number];

/** By the names that RingMQ gives its threads; control is the main one. V8's helpers and libuv's pool are the others. */
export function kindOf({ id, name }: Pick<ThreadTimes, 'id' | 'name'>, pid: number): Kind {
  if (id === pid) return 'control';
  if (/^network-\d+$/.test(name)) return 'network';
  return KINDS.find((kind) => kind === name) ?? 'others';
}
