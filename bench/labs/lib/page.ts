/** What is written and printed: a table, a page for each lab, an index of all. */
import { wrapped } from '../../../src/lib/wrapped.ts';
import { threeDigits } from '../../micro/report.ts';
import { alignedTable } from '../../rocketmq/format.ts';
import type { Spread } from '../../rocketmq/statistics.ts';
import type { Lab, Row } from './lab.ts';
import type { Machine } from './machine.ts';
import type { LabResult } from './run.ts';

function cell(figure: Spread | undefined): string {
  if (figure === undefined) return '-';
  const { median, min, max } = figure;
  if (min === max) return threeDigits(median);
  return `${threeDigits(median)} (${threeDigits(min)} – ${threeDigits(max)})`;
}

/** Medians, with the least and the greatest round behind each. */
export function tableOf(lab: Lab, rows: readonly Row[]): string {
  const placed = lab.places !== '';
  const remarked = rows.some(({ remark }) => remark !== '');
  const head = [
    ...(placed ? [lab.places] : []),
    'way',
    ...lab.columns.map(({ title }) => title),
    ...(remarked ? ['outcome'] : []),
  ];
  const body = rows.map((row) => [
    ...(placed ? [row.place] : []),
    row.way,
    ...lab.columns.map(({ key }) => cell(row.figures[key])),
    ...(remarked ? [row.remark] : []),
  ]);
  return alignedTable([head, ...body]);
}

/** What came of it, in a line. */
export function stateOf({ measured, cannotRun, failure }: LabResult): string {
  if (cannotRun !== undefined) return `not measured here: ${cannotRun}`;
  if (failure !== undefined) return `FAILED: ${failure}`;
  const skipped = measured?.skipped.length ?? 0;
  return skipped === 0 ? 'measured' : `measured, but for ${skipped} of its parts`;
}

const COLUMNS = 118;

const prose = (text: string, indent = ''): string => wrapped(text, COLUMNS, indent);
const list = (lines: readonly string[]): string => lines.map((line) => prose(`- ${line}`, '  ')).join('\n');

export function othersSentence(share: number): string {
  return `Other programs used ${(share * 100).toFixed(0)} % of the processors meanwhile.`;
}

function figures({ name, lab, measured }: LabResult): string[] {
  if (measured === undefined) return [];
  const { rows, findings, skipped, foreignShare } = measured;
  return [
    'Medians; in brackets the least and the greatest round.',
    tableOf(lab, rows),
    `![${lab.title}](${name}.svg)`,
    ...(findings.length > 0 ? [`In this run:\n\n${list(findings)}`] : []),
    ...(skipped.length > 0 ? [`Not measured here:\n\n${list(skipped)}`] : []),
    othersSentence(foreignShare),
  ];
}

export function sectionOf(result: LabResult): string {
  const { name, lab } = result;
  const uses = lab.uses.map(({ file, symbol, what }) => `\`${file}\` (\`${symbol}\`): ${what}`);
  const parts = [
    `# ${lab.title}`,
    prose(`**Hypothesis.** ${lab.hypothesis}`),
    prose(`**Experiment.** ${lab.experiment}`),
    ...(result.measured === undefined ? [`**${stateOf(result)}**`] : figures(result)),
    prose(`**How to read it.** ${lab.reading}`),
    `**Where it is used.**\n\n${list(uses)}`,
    `Again: \`npm run labs -- ${name}\``,
  ];
  return `${parts.join('\n\n')}\n`;
}

export function indexOf(results: readonly LabResult[], machine: Machine, quick: boolean): string {
  const rows = results.map((result) => [
    `[${result.name}](${result.name}.md)`,
    result.lab.title,
    stateOf(result),
    result.measured === undefined ? '-' : `${(result.measured.foreignShare * 100).toFixed(0)} %`,
  ]);
  const parts = [
    '# Labs',
    `Measured on ${machine.date}${quick ? ', briefly (`--quick`): not to be quoted' : ''}.`,
    alignedTable([['', ''], ...Object.entries(machine.facts)]),
    prose(
      'Figures of a machine that others use are good for comparing the ways of one table, not for more: the last column ' +
        'says how much of its processors they used.',
    ),
    alignedTable([['lab', 'question', 'state', 'others'], ...rows]),
  ];
  return `${parts.join('\n\n')}\n`;
}
