/**
 * Texts of others on a terminal: names, keys and properties of messages may hold anything, also what moves the cursor,
 * clears the screen or begins a line of its own. Control characters are shown as `\u001b` instead.
 */

/** In one line. */
export function visibleLine(text: string): string {
  return text.replace(/\p{Cc}/gu, escaped);
}

/** Tabs and ends of lines are kept. */
export function visibleText(text: string): string {
  return text.replace(/\r\n|\p{Cc}/gu, (found) => (KEPT.has(found) ? found : escaped(found)));
}

/** JSON text, also one in colours: it escapes all others itself. */
export function visibleJson(text: string): string {
  return text.replace(/\p{Cc}/gu, (found) => (found < DELETE ? found : escaped(found)));
}

const KEPT: ReadonlySet<string> = new Set(['\t', '\n', '\r\n']);
const DELETE = '\u007f';

function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
