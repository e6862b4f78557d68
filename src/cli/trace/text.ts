/** A report as text for a terminal. */
import { listing, table } from '../admin/output.ts';
import type { Piece, PieceField } from './pieces/piece.ts';
import { type Report, type Span, type Stage, type Step, spanOfTime } from './report.ts';
import { placing, sectionsOf } from './sections.ts';

const WIDTH = 100;
/** Bytes on a line. */
const HEX_BYTES = 8;
const BAR = 48;

export function textOfReport(report: Report, withBytes: boolean): string {
  const parts = [`${report.title}\n\n${listing(report.facts)}`];
  for (const stage of report.stages) parts.push(stageText(stage, withBytes));
  if (report.spans.length > 0) parts.push(timesText(report.spans));
  return parts.join('\n\n');
}

function stageText({ title, text, steps }: Stage, withBytes: boolean): string {
  const head = `${title}\n${'='.repeat(title.length)}`;
  return [
    head,
    ...text.map((line) => wrap(line, '')),
    ...steps.map((step) => stepText(step, withBytes)),
  ].join('\n\n');
}

function stepText(step: Step, withBytes: boolean): string {
  const { number, title, began, ended, text, pieces, unseen } = step;
  const head = `${number > 0 ? `(${number}) ` : ''}${title}${when(began, ended)}`;
  const parts = [head, ...text.map((line) => wrap(line, '    '))];
  if (step.table !== undefined) parts.push(indent(table(step.table.columns, step.table.rows), '    '));
  if (withBytes) parts.push(...pieces.map(pieceText));
  if (unseen !== undefined) parts.push(wrap(`Not seen: ${unseen}`, '    '));
  return parts.join('\n');
}

function when(began: number | undefined, ended: number | undefined): string {
  if (began === undefined) return ended === undefined ? '' : `, seen at ${spanOfTime(ended)}`;
  return ended === undefined || ended === began
    ? `, at ${spanOfTime(began)}`
    : `, ${spanOfTime(began)} to ${spanOfTime(ended)}`;
}

function pieceText({ title, bytes, from, fields }: Piece): string {
  const end = from + bytes.length;
  const width = Math.max(4, String(end).length);
  const names = Math.min(32, Math.max(...fields.map(({ name }) => name.length)));
  const lines = fields.flatMap((field) => fieldLines(field, bytes, from, width, names));
  return [`  ${title}`, ...lines].join('\n');
}

function fieldLines(
  field: PieceField,
  bytes: Uint8Array,
  from: number,
  width: number,
  names: number,
): string[] {
  const hex = hexLines(bytes.subarray(field.at, field.at + field.length));
  return hex.map((line, i) => {
    const at = String(from + field.at + i * HEX_BYTES).padStart(width);
    const about =
      i > 0
        ? ''
        : `${field.name.padEnd(names)}  ${[field.value, field.meaning].filter((part) => part !== '').join('  ')}`;
    return `    ${at}  ${line.padEnd(HEX_BYTES * 3 - 1)}  ${about}`.trimEnd();
  });
}

function hexLines(bytes: Uint8Array): string[] {
  const pairs = Buffer.from(bytes).toString('hex').match(/../g) ?? [];
  const lines: string[] = [];
  for (let i = 0; i < pairs.length; i += HEX_BYTES) lines.push(pairs.slice(i, i + HEX_BYTES).join(' '));
  return lines;
}

/** Who did what when: a line each, and a bar where that is in the whole. */
function timesText(spans: readonly Span[]): string {
  const sections = sectionsOf(spans);
  const onAxis = placing(sections, BAR, 1);
  const place = (at: number) => Math.min(BAR - 1, Math.floor(onAxis(at)));
  const rows = spans.map(({ lane, label, began, ended, step }) => {
    const [from, to] = [place(began), place(ended)];
    const bar = `${' '.repeat(from)}${'█'.repeat(Math.max(1, to - from))}`;
    return [
      spanOfTime(began),
      ended === began ? '' : spanOfTime(ended - began),
      lane,
      `(${step}) ${label}`,
      bar,
    ];
  });
  const cut = sections.length > 1 ? '\n\nRests in which nobody did anything are left out of the bars.' : '';
  return `Who did what when\n=================\n\n${table(['#at', '#took', 'who', 'what', ''], rows)}${cut}`;
}

function wrap(text: string, margin: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && margin.length + line.length + 1 + word.length > WIDTH) {
      lines.push(margin + line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, margin + line].join('\n');
}

function indent(text: string, margin: string): string {
  return text
    .split('\n')
    .map((line) => margin + line)
    .join('\n');
}
