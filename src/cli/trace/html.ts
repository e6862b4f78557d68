/** A report as a page: one file, readable without a network, without a script. */
import { VERSION } from '../../lib/version.ts';
import { escapeHtml } from './escape.ts';
import type { Piece, PieceField } from './pieces/piece.ts';
import { type Report, type Stage, type Step, spanOfTime, type Table } from './report.ts';
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

const COLOURS = [
  '#2f6fb0',
  '#7a4fb5',
  '#b0562f',
  '#5b6470',
  '#2f8f6b',
  '#2f8f6b',
  '#a8871d',
  '#b03a6a',
  '#c0392b',
];

const STYLE = `
:root { color-scheme: light dark; --line: #d5d9de; --soft: #f4f6f8; --text: #1c2024; --pale: #5b6470; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a4048; --soft: #1f242a; --text: #e4e7ea; --pale: #9aa4af; --back: #14171b; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { margin: 1.8rem 0 .4rem; }
small, figcaption, footer, .unseen { color: var(--pale); font-weight: normal; } footer { margin: 3rem 0 1rem; }
p { margin: .3rem 0; max-width: 60rem; } .unseen { font-style: italic; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--pale); } dd { margin: 0; }
figure { margin: 1.5rem 0; overflow-x: auto; } svg { min-width: 56rem; width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 11px; } svg .who { font-size: 13px; } svg .time { fill: var(--pale); }
svg .lane, svg .tick { stroke: var(--line); } svg .cut { fill: var(--soft); stroke: var(--line); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; margin: .4rem 0; }
th { text-align: left; color: var(--pale); font-weight: normal; } th, td { padding: .12rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); }
.n { text-align: right; font-variant-numeric: tabular-nums; } .hex { font-family: monospace; min-width: 24ch; max-width: 24ch; }
.value { font-family: monospace; overflow-wrap: anywhere; max-width: 30ch; }
summary { cursor: pointer; background: var(--soft); padding: .2rem .5rem; margin-top: .5rem; }
.number { display: inline-block; min-width: 1.5em; text-align: center; color: #fff; border-radius: .3em; }
${COLOURS.map((colour, i) => `.number.step${i + 1} { background: ${colour}; } svg .step${i + 1} .bar { fill: ${colour}; }`).join('\n')}
`;
