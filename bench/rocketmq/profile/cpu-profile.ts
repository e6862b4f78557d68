/** Reads what V8's sampling profiler (`node --cpu-prof`) wrote for each thread of a broker. */
import path from 'node:path';

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
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

/** Time of each place within the window, µs. */
function timesIn(profile: CpuProfile, { from, to }: Window): Map<string, number> {
  const places = new Map(profile.nodes.map((node) => [node.id, placeOf(node)]));
  const times = new Map<string, number>();
  let now = profile.startTime;
  for (const [at, sample] of profile.samples.entries()) {
    const delta = profile.timeDeltas[at] ?? 0;
    now += delta;
    if (now < from || now > to) continue;
    const place = places.get(sample) ?? '?';
    times.set(place, (times.get(place) ?? 0) + delta);
  }
  return times;
}

/** Where the thread's time went in the window; undefined when it was hardly awake there. */
export function threadProfile(profile: CpuProfile, window: Window): ThreadProfile | undefined {
  const times = timesIn(profile, window);
  let working = 0;
  for (const [place, time] of times) if (!WAITING.has(place)) working += time;
  const busy = working / (window.to - window.from);
  if (busy < 0.01) return undefined;
  const costs = [...times]
    .filter(([place]) => !WAITING.has(place))
    .map(([place, time]) => ({ place, share: time / working }))
    .sort((a, b) => b.share - a.share);
  const agents = profile.nodes.flatMap((node) => AGENT.exec(placeOf(node))?.[1] ?? []);
  const thread = [...new Set(agents)].sort().join(' + ') || 'main thread';
  return { thread, busy, costs };
}
