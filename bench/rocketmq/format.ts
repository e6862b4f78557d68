/** Figures as people read them. */

export function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function rate(value: number): string {
  return `${integer(value)} msg/s`;
}

/** Microseconds with about three digits. */
export function micros(value: number): string {
  if (value < 1000) return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} µs`;
  const millis = value / 1000;
  if (millis >= 10_000) return `${(millis / 1000).toFixed(1)} s`;
  return `${millis < 10 ? millis.toFixed(2) : millis < 100 ? millis.toFixed(1) : millis.toFixed(0)} ms`;
}

export function kibibytes(bytes: number): string {
  return `${integer(bytes / (1 << 10))} KiB`;
}

export function mebibytes(bytes: number): string {
  return `${integer(bytes / (1 << 20))} MiB`;
}

export function factor(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return `× ${value.toFixed(value >= 10 ? 1 : value >= 0.1 ? 2 : 4)}`;
}

/** A Markdown table whose columns stand under each other in a terminal too; the first row is the head. */
export function alignedTable(rows: string[][]): string {
  const columns = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]): string =>
    `| ${columns.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const [head, ...body] = rows as [string[], ...string[][]];
  const rule = `|${columns.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...body.map(line)].join('\n');
}
