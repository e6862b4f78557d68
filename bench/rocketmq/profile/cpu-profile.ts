/** Reads what V8's sampling profiler (`node --cpu-prof`) wrote for each thread of a broker. */
import path from 'node:path';

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

/** Times in µs; `startTime` is on the monotonic clock, `timeDeltas[i]` ends with sample i. */
export interface CpuProfile {
  nodes: ProfileNode[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

/** µs on the monotonic clock. */
export interface Window {
  from: number;
  to: number;
}

export interface Cost {
  /** File and function. */
  place: string;
  /** Of the thread's working time, itself without what it calls. */
  share: number;
  /** The same with what it calls. */
  total: number;
}

export interface ThreadProfile {
  /** The files of what works in the thread, as `network-agent` or `writer-agent + dispatcher-agent`. */
  thread: string;
  /** Share of the window in which it did not wait. */
  busy: number;
  /** The largest first. */
  costs: Cost[];
}

/** Where a thread waits for work: the event loop, and the sleep of threads without one. */
const WAITING = new Set(['(idle)', 'wake park']);
const AGENT = /^(.+-agent) /;

function placeOf({ callFrame: { functionName, url } }: ProfileNode): string {
  const file = path.basename(url).replace(/\.c?js$/, '');
  const name = functionName === '' ? '(anonymous)' : functionName;
  return file === '' ? name : `${file} ${name}`;
}

interface Time {
  self: number;
  total: number;
}

/** The places on the stack of each sample, by the id of its node: the one that runs comes first. */
function stacksOf({ nodes }: CpuProfile): Map<number, string[]> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const stacks = new Map<number, string[]>();
  for (const node of nodes) {
    const places = new Set<string>();
    for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id))
      places.add(placeOf(at));
    stacks.set(node.id, [...places]);
  }
  return stacks;
}

/** Time of each place within the window in which the thread did not wait, µs. */
function timesIn(profile: CpuProfile, { from, to }: Window): Map<string, Time> {
  const stacks = stacksOf(profile);
  const times = new Map<string, Time>();
  let now = profile.startTime;
  for (const [at, sample] of profile.samples.entries()) {
    const delta = profile.timeDeltas[at] ?? 0;
    now += delta;
    if (now < from || now > to) continue;
    const stack = stacks.get(sample) ?? ['?'];
    if (WAITING.has(stack[0] as string)) continue;
    for (const [depth, place] of stack.entries()) {
      const time = times.get(place) ?? { self: 0, total: 0 };
      time.total += delta;
      if (depth === 0) time.self += delta;
      times.set(place, time);
    }
  }
  return times;
}

/** Where the thread's time went in the window; undefined when it was hardly awake there. */
export function threadProfile(profile: CpuProfile, window: Window): ThreadProfile | undefined {
  const times = timesIn(profile, window);
  let working = 0;
  for (const { self } of times.values()) working += self;
  const busy = working / (window.to - window.from);
  if (busy < 0.01) return undefined;
  const costs = [...times]
    .map(([place, { self, total }]) => ({ place, share: self / working, total: total / working }))
    .sort((a, b) => b.share - a.share);
  const agents = profile.nodes.flatMap((node) => AGENT.exec(placeOf(node))?.[1] ?? []);
  const thread = [...new Set(agents)].sort().join(' + ') || 'main thread';
  return { thread, busy, costs };
}
