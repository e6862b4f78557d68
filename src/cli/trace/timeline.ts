/**
 * The picture of a report: a lane for each thread, time from left to right, as SVG. Where nobody does anything for
 * long the axis is cut.
 */
import { escapeHtml } from './escape.ts';
import { type Span, spanOfTime } from './report.ts';
import { placing, type Section, sectionsOf } from './sections.ts';

const LEFT = 110;
const WIDTH = 1000;
const RIGHT = 20;
const TOP = 30;
const BAR = 14;
/** Height of a row of words below the bars of a lane, and about how wide a letter is. */
const ROW = 13;
const LETTER = 6.2;
const GAP = 8;
/** A section narrower than that has no room for the time at which it ends. */
const ROOM_FOR_END = 150;
const ROOM_FOR_TIME = 70;
/** Width of a cut of the axis. */
const CUT = 46;
const NARROWEST = 2;

interface Placed {
  span: Span;
  x: number;
  width: number;
  /** Where its words stand, so that none hide each other. */
  row: number;
  wordsX: number;
}

interface Lane {
  name: string;
  y: number;
  height: number;
  bars: Placed[];
}

/** Empty where nothing was seen. */
export function timeline(spans: readonly Span[]): string {
  if (spans.length === 0) return '';
  const sections = sectionsOf(spans);
  const onAxis = placing(sections, WIDTH, CUT);
  const place = (at: number) => LEFT + onAxis(at);
  const lanes = lanesOf(spans, place);
  const last = lanes.at(-1);
  const bottom = last === undefined ? TOP : last.y + last.height;
  const parts = [
    ...sections.map((section, i) => sectionParts(section, sections[i + 1], place, bottom)),
    ...lanes.map(laneParts),
  ];
  const title = 'Timeline: what each thread did with the message, and when';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${bottom + 24}" role="img" ` +
    `aria-label="${title}"><title>${title}</title>${parts.join('')}</svg>`
  );
}

function lanesOf(spans: readonly Span[], place: (at: number) => number): Lane[] {
  const lanes: Lane[] = [];
  let y = TOP;
  for (const name of new Set(spans.map(({ lane }) => lane))) {
    const own = spans.filter(({ lane }) => lane === name).sort((a, b) => a.began - b.began);
    const bars = placed(own, place);
    const rows = Math.max(...bars.map(({ row }) => row)) + 1;
    const height = BAR + 12 + rows * ROW;
    lanes.push({ name, y, height, bars });
    y += height;
  }
  return lanes;
}

/** Words go into the first row that is free there. */
function placed(spans: readonly Span[], place: (at: number) => number): Placed[] {
  const ends: number[] = [];
  return spans.map((span) => {
    const x = place(span.began);
    const width = Math.max(NARROWEST, place(span.ended) - x);
    const words = wordsOf(span).length * LETTER;
    const wordsX = Math.min(x, LEFT + WIDTH + RIGHT - words);
    const free = ends.findIndex((end) => end + GAP <= wordsX);
    const row = free < 0 ? ends.length : free;
    ends[row] = wordsX + words;
    return { span, x, width, row, wordsX };
  });
}

const wordsOf = ({ label, step }: Span) => `${step} ${label}`;

function laneParts({ name, y, height, bars }: Lane): string {
  return (
    `<line class="lane" x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y + height}" y2="${y + height}"/>` +
    `<text class="who" x="${LEFT - 10}" y="${y + 18}" text-anchor="end">${escapeHtml(name)}</text>` +
    bars.map((bar) => barParts(bar, y)).join('')
  );
}

function barParts({ span, x, width, row, wordsX }: Placed, y: number): string {
  const { label, began, ended, step } = span;
  const took = ended > began ? `, took ${spanOfTime(ended - began)}` : '';
  const about = escapeHtml(`(${step}) ${label}, at ${spanOfTime(began)}${took}`);
  const wordsY = y + 8 + BAR + (row + 1) * ROW - 2;
  return (
    `<g class="step${step}"><title>${about}</title>` +
    `<rect class="bar" x="${round(x)}" y="${y + 6}" width="${round(width)}" height="${BAR}" rx="2"/>` +
    `<text class="what" x="${round(wordsX)}" y="${wordsY}">${escapeHtml(wordsOf(span))}</text></g>`
  );
}

function sectionParts(
  { from, to }: Section,
  next: Section | undefined,
  place: (at: number) => number,
  bottom: number,
): string {
  const x = place(from);
  const begin =
    `<line class="tick" x1="${round(x)}" x2="${round(x)}" y1="${TOP - 6}" y2="${bottom}"/>` +
    timeText(spanOfTime(from), x, TOP - 12, x > LEFT + WIDTH - ROOM_FOR_TIME ? 'end' : 'start');
  if (next === undefined) {
    const end = place(to);
    return end - x < ROOM_FOR_END ? begin : begin + timeText(spanOfTime(to), end, bottom + 16, 'end');
  }
  const cut = place(to) + CUT / 2;
  return (
    `${begin}<rect class="cut" x="${round(cut - 6)}" y="${TOP}" width="12" height="${bottom - TOP}"/>` +
    timeText(`${spanOfTime(next.from - to)} later`, cut, bottom + 16, 'middle')
  );
}

function timeText(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string {
  return `<text class="time" x="${round(x)}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
