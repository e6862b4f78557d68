/** A report as a page: one file, readable without a network, without a script. */
import { VERSION } from '../../lib/version.ts';
import { escapeHtml } from './escape.ts';
import type { Piece, PieceField } from './pieces/piece.ts';
import { type Report, type Stage, type Step, spanOfTime, type Table } from './report.ts';
import { STYLE } from './style.ts';
import { timeline } from './timeline.ts';

export function htmlOfReport(report: Report): string {
  const { title, facts, stages, spans } = report;
  const picture = timeline(spans);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
${picture === '' ? '' : `<figure>${picture}<figcaption>${CAPTION}</figcaption></figure>`}
${stages.map(stageHtml).join('\n')}
<footer>ringmq trace ${escapeHtml(VERSION)}. Times are measured by the threads themselves, on the monotonic clock, from the moment the producer began to write.</footer>
</body>
</html>
`;
}

const CAPTION =
  'Each lane is a thread, numbers are the steps below; where nothing happened for long the axis is cut. Point at a bar for its times.';

function stageHtml({ title, text, steps }: Stage): string {
  return `<section><h2>${escapeHtml(title)}</h2>${text.map(paragraph).join('')}${steps.map(stepHtml).join('')}</section>`;
}

function stepHtml(step: Step): string {
  const { number, title, text, pieces, unseen } = step;
  const name = number > 0 ? `<span class="number step${number}">${number}</span> ` : '';
  return (
    `<article><h3>${name}${escapeHtml(title)} <small>${timesOf(step)}</small></h3>${text.map(paragraph).join('')}` +
    (step.table === undefined ? '' : tableHtml(step.table)) +
    pieces.map(pieceHtml).join('') +
    (unseen === undefined ? '' : `<p class="unseen">Not seen: ${escapeHtml(unseen)}</p>`) +
    '</article>'
  );
}

function timesOf({ began, ended }: Step): string {
  if (began === undefined) return ended === undefined ? '' : `seen at ${spanOfTime(ended)}`;
  return ended === undefined || ended === began
    ? `at ${spanOfTime(began)}`
    : `${spanOfTime(began)} to ${spanOfTime(ended)}`;
}

const paragraph = (text: string) => `<p>${escapeHtml(text)}</p>`;

function tableHtml({ columns, rows }: Table): string {
  const isNumber = columns.map((name) => name.startsWith('#'));
  const cell = (value: string | number, i: number) =>
    `<td${isNumber[i] ? ' class="n"' : ''}>${escapeHtml(String(value))}</td>`;
  const head = columns.map((name) => `<th>${escapeHtml(name.replace(/^#/, ''))}</th>`).join('');
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map(cell).join('')}</tr>`)
    .join('')}</tbody></table></div>`;
}

function pieceHtml({ title, bytes, from, fields }: Piece): string {
  const rows = fields.map((field) => fieldHtml(field, bytes, from)).join('');
  return (
    `<details open><summary>${escapeHtml(title)}</summary><div class="scroll"><table class="bytes"><thead><tr>` +
    '<th>at</th><th>bytes</th><th>field</th><th>value</th><th>what it is</th></tr></thead>' +
    `<tbody>${rows}</tbody></table></div></details>`
  );
}

function fieldHtml(
  { at, length, name, value, meaning }: PieceField,
  bytes: Uint8Array,
  from: number,
): string {
  const hex = (
    Buffer.from(bytes.subarray(at, at + length))
      .toString('hex')
      .match(/../g) ?? []
  ).join(' ');
  return (
    `<tr><td class="n">${from + at}</td><td class="hex">${hex}</td><td>${escapeHtml(name)}</td>` +
    `<td class="value">${escapeHtml(value)}</td><td>${escapeHtml(meaning)}</td></tr>`
  );
}
