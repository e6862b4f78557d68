// Whether output looks like what a page shows: the same words in the same lines and order, other numbers.

/** A line of a page that stands for any number of lines. */
const ANYTHING = '…';

/** The first line of `expected` that `output` lacks, or undefined. `paths`: what is shown for which real path. */
export function missingLine(expected: string, output: string): string | undefined {
  const lines = output.split('\n').map(shapeOf);
  let at = 0;
  let anywhere = true; // what a program prints first may be left out of a page
  for (const line of expected.split('\n')) {
    if (line.trim() === '') continue;
    if (line.trim() === ANYTHING) {
      anywhere = true;
      continue;
    }
    const found = lines.indexOf(shapeOf(line), at);
    if (found === -1 || (!anywhere && found !== nextFull(lines, at))) return line;
    at = found + 1;
    anywhere = false;
  }
  return undefined;
}

function nextFull(lines: readonly string[], from: number): number {
  return lines.findIndex((line, i) => i >= from && line !== '');
}

/** Numbers, times and hexadecimal digits become `#`, columns close up. */
function shapeOf(line: string): string {
  return (
    line
      .replaceAll(/\b0x[0-9a-f]+\b|\b[0-9A-F]{32}\b/g, '#')
      // How long something took: a quick machine says it in another unit.
      .replaceAll(/(?:\b[0-9]+ (?:ms|s|min|h|d)\b ?)+/g, '# s ')
      .replaceAll(/[0-9]+/g, '#')
      .replaceAll(/\s+/g, ' ')
      .trim()
  );
}
