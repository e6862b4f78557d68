/** What commands print: tables for people, JSON for programs. */
import { visibleJson, visibleLine, visibleText } from '../../lib/visible.ts';
import { ExitCode } from '../exit-codes.ts';

/** A column whose name begins with `#` holds numbers: its texts end at one edge. */
export function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isNumber = columns.map((name) => name.startsWith('#'));
  const lines = [
    columns.map((name) => name.replace(/^#/, '').toUpperCase()),
    ...rows.map((row) => row.map((cell) => visibleLine(String(cell)))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((text, i) =>
          isNumber[i] ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values below each other; those without a value are left out. */
export function listing(
  entries: readonly (readonly [string, string | number | undefined])[],
  indent = '',
): string {
  const given = entries.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...given.map(([name]) => visibleLine(name).length));
  return given
    .map(([name, value]) => `${indent}${visibleLine(name).padEnd(width)}  ${visibleLine(String(value))}`)
    .join('\n');
}

let listening = false;

/** For people: what messages hold does nothing to their terminal. */
export function print(text: string): Promise<void> {
  return printAsIs(visibleText(text));
}

/** Resolves when there is room for more; ends quietly when the reader has seen enough (`| head`). */
export function printAsIs(text: string): Promise<void> {
  if (!listening) {
    listening = true;
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(ExitCode.DONE);
      throw error;
    });
  }
  if (process.stdout.write(`${text}\n`)) return Promise.resolve();
  return new Promise((resolve) => process.stdout.once('drain', resolve));
}

export function printJson(value: unknown, spaces = 2): Promise<void> {
  return printAsIs(visibleJson(JSON.stringify(value, undefined, spaces)));
}

/** For the person who waits; never among what is printed. */
export function note(text: string): void {
  process.stderr.write(`${visibleText(text)}\n`);
}

/** `1 message`, `2 messages`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}
