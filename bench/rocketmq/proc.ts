/** Readings from /proc: CPU time and memory of processes, CPU time of the machine. */
import fs from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for all that it tells user space. */
export const TICKS_PER_SECOND = 100;
/** Parent of all kernel threads. */
const KTHREADD = 2;

export interface ProcessStat {
  parent: number;
  cpuSeconds: number;
}

/** Parses /proc/PID/stat. The command name may hold spaces and brackets, so counting starts behind the last `)`. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

function readStat(pid: number | string): ProcessStat | undefined {
  try {
    return parseStat(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** User and system time of a process with all its threads; 0 when it is gone. */
export function cpuSeconds(pid: number): number {
  return readStat(pid)?.cpuSeconds ?? 0;
}

export interface Memory {
  anonymousBytes: number;
  /** tmpfs and shared anonymous memory; mapped files are neither. */
  sharedBytes: number;
}

export function parseMemory(status: string): Memory {
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return { anonymousBytes: bytes('RssAnon'), sharedBytes: bytes('RssShmem') };
}

export function memory(pid: number): Memory {
  try {
    return parseMemory(fs.readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return { anonymousBytes: 0, sharedBytes: 0 };
  }
}

/**
 * Busy seconds of all processors. Interrupt time is left out: what a broker's own packets and disk writes cost in
 * interrupts is charged to no process, so it would look like somebody else's work. Stolen time counts.
 */
export function parseBusySeconds(procStat: string): number {
  const [user, nice, system, , , , , steal] = (procStat.split('\n')[0] as string)
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0)) / TICKS_PER_SECOND;
}

export interface CpuSnapshot {
  at: number;
  busySeconds: number;
  /** CPU time by process id: this benchmark's processes, and the kernel's threads. */
  known: ReadonlyMap<number, number>;
}

/** `own` are the processes of this benchmark; kernel threads write back and flush for them, so they are not foreign. */
export function cpuSnapshot(own: Iterable<number>): CpuSnapshot {
  const ownPids = new Set(own);
  const known = new Map<number, number>();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat === undefined) continue;
    if (ownPids.has(Number(name)) || stat.parent === KTHREADD) known.set(Number(name), stat.cpuSeconds);
  }
  const busySeconds = parseBusySeconds(fs.readFileSync('/proc/stat', 'latin1'));
  return { at: performance.now(), busySeconds, known };
}

/**
 * Share of all processors, 0 … 1, that neither this benchmark nor the kernel's own threads used between two snapshots.
 * Counted process by process: a kernel worker that ends meanwhile takes along what it had used in all its life.
 */
export function foreignShare(from: CpuSnapshot, to: CpuSnapshot, processors: number): number {
  const busy = to.busySeconds - from.busySeconds;
  let used = 0;
  for (const [pid, cpuSeconds] of to.known) used += Math.max(0, cpuSeconds - (from.known.get(pid) ?? 0));
  const seconds = (to.at - from.at) / 1000;
  return seconds > 0 ? Math.max(0, busy - used) / (seconds * processors) : 0;
}
