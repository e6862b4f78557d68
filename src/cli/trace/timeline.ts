/**
 * The picture of a report: a lane for each thread, time from left to right, as SVG. Where nobody does anything for
 * long the axis is cut, so that microseconds can be seen beside a delay of seconds.
 */
import { escapeHtml } from './escape.ts';
import { type Span, spanOfTime } from './report.ts';
import { placing, type Section, sectionsOf } from './sections.ts';

const LEFT = 110;
const WIDTH = 1000;
const RIGHT = 20;
const LANE = 44;
const TOP = 30;
/** Width of a cut of the axis. */
const CUT = 46;
const NARROWEST = 2;

/** Empty where nothing was seen. */
export function timeline(spans: readonly Span[]): string {
  if (spans.length === 0) return '';
  const lanes = [...new Set(spans.map(({ lane }) => lane))];
  const sections = sectionsOf(spans);
  const onAxis = placing(sections, WIDTH, CUT);
  const place = (at: number) => LEFT + onAxis(at);
  const height = TOP + lanes.length * LANE + 24;
  const parts = [
    ...lanes.map((lane, i) => laneParts(lane, TOP + i * LANE)),
    ...sections.map((section, i) => sectionParts(section, sections[i + 1], place, height)),
    ...spans.map((span, i) => bar(span, i, TOP + lanes.indexOf(span.lane) * LANE, place)),
  ];
  const title = 'Timeline: what each thread did with the message, and when';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${height}" role="img" ` +
    `aria-label="${title}"><title>${title}</title>${parts.join('')}</svg>`
  );
}

function laneParts(lane: string, y: number): string {
  return (
    `<line class="lane" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y + LANE}" y2="${y + LANE}"/>` +
    `<text class="who" x="${LEFT - 10}" y="${y + LANE / 2 + 8}" text-anchor="end">${escapeHtml(lane)}</text>`
  );
}

function sectionParts(
  { from, to }: Section,
  next: Section | undefined,
  place: (at: number) => number,
  height: number,
): string {
  const x = place(from);
  const begin =
    `<line class="tick" x1="${round(x)}" x2="${round(x)}" y1="${TOP - 6}" y2="${height - 20}"/>` +
    `<text class="time" x="${round(x)}" y="${TOP - 12}">${spanOfTime(from)}</text>`;
  if (next === undefined) {
    const end = place(to);
    return `${begin}<text class="time" x="${round(end)}" y="${height - 6}" text-anchor="end">${spanOfTime(to)}</text>`;
  }
  const cut = place(to) + CUT / 2;
  return (
    `${begin}<rect class="cut" x="${round(cut - 6)}" y="${TOP}" width="12" height="${height - TOP - 24}"/>` +
    `<text class="time" x="${round(cut)}" y="${height - 6}" text-anchor="middle">${spanOfTime(next.from - to)} later</text>`
  );
}

function bar(span: Span, index: number, y: number, place: (at: number) => number): string {
  const { label, began, ended, step } = span;
  const x = place(began);
  const width = Math.max(NARROWEST, place(ended) - x);
  const took = ended > began ? `, took ${spanOfTime(ended - began)}` : '';
  const about = escapeHtml(`(${step}) ${label}, at ${spanOfTime(began)}${took}`);
  // Neighbours of a lane are written at two heights, so that they seldom hide each other.
  const above = index % 2 === 0;
  return (
    `<g class="step${step}"><title>${about}</title>` +
    `<rect class="bar" x="${round(x)}" y="${y + 18}" width="${round(width)}" height="14" rx="2"/>` +
    `<text class="what" x="${round(x)}" y="${y + (above ? 14 : 42)}">${escapeHtml(`${step} ${label}`)}</text></g>`
  );
}

function round(value: number): string {
  return value.toFixed(1);
}
