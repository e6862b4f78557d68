/** Text with colours in cells: cut and filled by its width, coloured at the end. */

export type Style = 'title' | 'good' | 'warn' | 'bad' | 'dim' | 'plain';

/** Text and its colour; what has none stands as it is. */
export type Span = string | readonly [text: string, style: Style];
export type Line = readonly Span[];

const CODES: Readonly<Record<Style, string>> = {
  title: '1',
  good: '32',
  warn: '33',
  bad: '31',
  dim: '2',
  plain: '',
};

const textOf = (span: Span): string => (typeof span === 'string' ? span : span[0]);
const ELLIPSIS = '~';

export function widthOf(line: Line): number {
  return line.reduce((sum, span) => sum + textOf(span).length, 0);
}

/** Exactly so wide: filled with blanks, or cut, which a mark at its end says. */
export function fit(line: Line, width: number): Line {
  const missing = width - widthOf(line);
  if (missing >= 0) return missing === 0 ? line : [...line, ' '.repeat(missing)];
  const kept: Span[] = [];
  let left = width - ELLIPSIS.length;
  for (const span of line) {
    const text = textOf(span).slice(0, left);
    kept.push(typeof span === 'string' ? text : [text, span[1]]);
    left -= text.length;
    if (left === 0) break;
  }
  return [...kept, ELLIPSIS];
}

export function render(line: Line, colours: boolean): string {
  return line
    .map((span) => {
      const text = textOf(span);
      const code = typeof span === 'string' ? '' : CODES[span[1]];
      return colours && code !== '' && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
    })
    .join('');
}

/** A text in lines of at most so many characters; words longer than that are cut. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(1, columns);
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const blank = rest.lastIndexOf(' ', width);
    const end = blank > 0 ? blank : width;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  lines.push(rest);
  return lines;
}
