/** The figures as a table and as JSON, with what they were measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, loadavg, release, type } from 'node:os';
import type { Figure } from './measure.ts';

export interface SuiteReport {
  suite: string;
  figures: Figure[];
  skipped: string[];
}

export interface Environment {
  commit: string;
  node: string;
  processor: string;
  processors: number;
  kernel: string;
  /** One minute's load when the run began: near 0 on a quiet machine. */
  load: number;
}

const HEADINGS = ['ns/op', 'p99', 'ops/s', 'samples'];

function commitId(): string {
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}

export function describeEnvironment(): Environment {
  const processor = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'));
  return {
    commit: commitId(),
    node: process.version,
    processor: processor?.[1] ?? arch(),
    processors: availableParallelism(),
    kernel: `${type()} ${release()}`,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Three digits and thousands apart: 0.52, 12.3, 1 234. */
export function threeDigits(value: number): string {
  if (value < 10) return value.toFixed(2);
  if (value < 100) return value.toFixed(1);
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ');
}

function cells({ median, p99, rate, samples }: Figure): string[] {
  return [threeDigits(median), threeDigits(p99), threeDigits(rate), String(samples)];
}

export function formatTable(reports: SuiteReport[]): string {
  const rows = reports.flatMap(({ figures }) => figures.map((figure) => [figure.name, ...cells(figure)]));
  const table = [['', ...HEADINGS], ...rows];
  const widths = ['', ...HEADINGS].map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const lines: string[] = [line(table[0] ?? [])];
  for (const { suite, figures, skipped } of reports) {
    lines.push('', suite);
    for (const figure of figures) lines.push(line([figure.name, ...cells(figure)]));
    for (const reason of skipped) lines.push(`skipped: ${reason}`);
  }
  return lines.join('\n');
}
