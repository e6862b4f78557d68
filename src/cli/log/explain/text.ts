/** Sentences in lines of the terminal's usual width. */
const WIDTH = 110;

/** `first` begins the first line, and as many blanks the others. */
export function wrapped(first: string, text: string, width = WIDTH): string {
  const indent = ' '.repeat(first.length);
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return `${[...lines, line].map((one) => one.trimEnd()).join('\n')}\n`;
}
