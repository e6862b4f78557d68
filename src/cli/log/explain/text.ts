/** Sentences in lines of the terminal's usual width, and their first letters. */
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

/** With a capital where a word begins it. */
export function capital(text: string): string {
  return /^[a-z]/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
}

/** As it goes on from words in front. */
export function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
