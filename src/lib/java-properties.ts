/** Text of java.util.Properties: `key=value` lines, as configuration requests and `broker.conf` carry them. */

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/**
 * Reads comments (`#`, `!`), the separators `=`, `:` and blank, backslash escapes and lines that go on after a
 * trailing backslash. A later entry replaces an earlier one of the same key.
 */
export function parseJavaProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const key = /^(?:\\.|[^\\=: \t\f])*/su.exec(line)?.[0] ?? '';
    const rest = line.slice(key.length).replace(/^[ \t\f]*(?:[=:][ \t\f]*)?/, '');
    properties.set(unescaped(key), unescaped(rest));
  }
  return properties;
}

/** One `key=value` line each, as java.util.Properties writes and reads them. */
export function formatJavaProperties(properties: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [key, value] of properties) text += `${formatJavaProperty(key, value)}\n`;
  return text;
}

/** One line, without its end. Java reads bytes as Latin-1, so everything beyond ASCII is escaped. */
export function formatJavaProperty(key: string, value: string): string {
  return `${escaped(key).replaceAll(/[ :=]/g, '\\$&')}=${escaped(value).replace(/^ /, '\\ ')}`;
}

function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '');
    if (open === '' && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    if (endsInOddBackslashes(line)) {
      open += line.slice(0, -1);
    } else {
      open += line;
      lines.push(open);
      open = '';
    }
  }
  if (open !== '') lines.push(open);
  return lines;
}

/** Of a line that goes on another one: before it the other one has an even number of them. */
function endsInOddBackslashes(line: string): boolean {
  let end = line.length;
  while (end > 0 && line[end - 1] === '\\') end--;
  return (line.length - end) % 2 === 1;
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('\f', '\\f')
    .replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/^[#!]/, '\\$&');
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gsu, (_all, hex: string | undefined, char: string) =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
