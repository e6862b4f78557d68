/** Time with its rests cut out, so that microseconds can be seen beside a delay of seconds. */
import type { Span } from './report.ts';

/** A rest that takes more than this part of all work is cut. */
const CUT_SHARE = 0.35;
const LEAST_CUT_MS = 0.5;

export interface Section {
  from: number;
  to: number;
}

/** Where something happened, without the rests between. */
export function sectionsOf(spans: readonly Span[]): Section[] {
  const sorted = [...spans].sort((a, b) => a.began - b.began);
  const least = Math.max(LEAST_CUT_MS, CUT_SHARE * workOf(sorted));
  const sections: Section[] = [];
  for (const { began, ended } of sorted) {
    const last = sections.at(-1);
    if (last === undefined || began - last.to > least) sections.push({ from: began, to: ended });
    else last.to = Math.max(last.to, ended);
  }
  return sections;
}

/** Ms in which anything was under way. */
function workOf(sorted: readonly Span[]): number {
  let work = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { began, ended } of sorted) {
    work += Math.max(0, ended - Math.max(began, end));
    end = Math.max(end, ended);
  }
  return work;
}

/** Where a moment stands on an axis of `width` that has `cut` for each rest. */
export function placing(sections: readonly Section[], width: number, cut: number): (at: number) => number {
  const total = sections.reduce((sum, { from, to }) => sum + (to - from), 0) || 1;
  const room = width - cut * (sections.length - 1);
  return (at) => {
    let x = 0;
    for (const { from, to } of sections) {
      if (at <= to) return x + (Math.max(0, at - from) / total) * room;
      x += ((to - from) / total) * room + cut;
    }
    return width;
  };
}
