/** Which thread runs on which processor, so that kinds of threads do not migrate and take no time from each other. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { type Kind, kindOf, type ThreadTimes } from './thread-times.ts';

export const PLACEMENTS = ['auto', 'each', 'split', 'together', 'none'] as const;
export type Placement = (typeof PLACEMENTS)[number];
/** What is done in the end. */
export type Settled = Exclude<Placement, 'auto'>;

/** Writer, dispatcher and flusher. */
const ENGINE_THREADS = 3;
/** For the generator, and for all that is left of the broker. */
const BESIDE = 2;

/** Parses a list as the kernel writes it: `0-2,5`. */
export function parseProcessors(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
}

/** The processors that this process may use. */
export function allowedProcessors(): number[] {
  const status = fs.readFileSync('/proc/self/status', 'latin1');
  return parseProcessors(/^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '0');
}

/** `auto`: a processor for each thread where there are enough for the most network threads, else two groups. */
export function settled(wanted: Placement, processors: number, mostNetworkThreads: number): Settled {
  const enough = mostNetworkThreads + ENGINE_THREADS + BESIDE;
  if (wanted === 'each' && processors < enough)
    throw new Error(`--pin each needs ${enough} processors here, and there are ${processors}`);
  if (wanted === 'auto') return processors >= enough ? 'each' : processors > 1 ? 'split' : 'none';
  if (processors < 2 && wanted !== 'none') throw new Error(`--pin ${wanted} needs two processors`);
  return wanted;
}

/** What the tables say about it. */
export const PINNED: Readonly<Record<Settled, string>> = {
  each: 'the generator, each network thread, writer, dispatcher and flusher on a processor of its own, all else on one more',
  split: 'network threads and generator on one processor, all other threads of the broker on another one',
  together: 'the broker with all its threads on one processor, the generator on another one',
  none: 'nothing is pinned',
};

const ENGINE: readonly Kind[] = ['writer', 'dispatcher', 'flusher'];

/** Where a thread of the broker belongs; the generator is on the first processor. */
export function processorOf(
  thread: Pick<ThreadTimes, 'id' | 'name'>,
  pid: number,
  placement: Settled,
  processors: readonly number[],
): number {
  const [first = 0, second = first] = processors;
  const kind = kindOf(thread, pid);
  if (placement === 'together') return second;
  if (placement === 'split') return kind === 'network' ? first : second;
  const engine = ENGINE.indexOf(kind);
  const networks = BESIDE + ENGINE_THREADS;
  if (kind === 'network')
    return processors[networks + Number(thread.name.slice('network-'.length))] ?? second;
  return processors[engine < 0 ? 1 : 2 + engine] ?? second;
}

/** By util-linux: Node.js has no call for it. A thread that has ended needs no place. */
export function pin(id: number, processor: number, allThreads = false): void {
  const args = [...(allThreads ? ['-a'] : []), '-c', '-p', String(processor), String(id)];
  try {
    execFileSync('taskset', args, { stdio: 'ignore' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('pinning needs taskset (util-linux); --pin none goes without');
  }
}
