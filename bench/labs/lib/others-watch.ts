/** How much of the processors programs used that are no part of the lab, while it was measured. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type CpuSnapshot, cpuSnapshot, foreignShare } from '../../rocketmq/proc.ts';

/** USER_HZ, which Linux fixes at 100 for all that it tells user space. */
const TICKS_PER_SECOND = 100;
/** User and system time of children that have ended, counted from behind the command name in /proc/PID/stat. */
const CHILDREN_USER = 13;
const CHILDREN_SYSTEM = 14;

/** CPU seconds of children that have ended: nothing else tells of them then. */
export function endedChildrenSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILDREN_USER]) + Number(fields[CHILDREN_SYSTEM])) / TICKS_PER_SECOND;
}

const readChildren = (): number => endedChildrenSeconds(readFileSync('/proc/self/stat', 'latin1'));

export class OthersWatch {
  readonly #own = [process.pid, process.ppid];
  #from: CpuSnapshot | undefined;
  #children = 0;

  /** A process that belongs to the lab. */
  knows(pid: number): void {
    this.#own.push(pid);
  }

  begin(): void {
    this.#from = cpuSnapshot(this.#own);
    this.#children = readChildren();
  }

  /** Share of all processors since `begin`, 0 to 1. */
  end(): number {
    if (this.#from === undefined) return 0;
    const to = cpuSnapshot(this.#own);
    const processors = availableParallelism();
    const children = (readChildren() - this.#children) / (((to.at - this.#from.at) / 1000) * processors);
    return Math.max(0, foreignShare(this.#from, to, processors) - children);
  }
}
