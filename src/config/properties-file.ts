/** A .properties file: reading it, and changing values in it without touching anything else of it. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { formatJavaProperty, parseJavaProperties } from '../lib/java-properties.ts';
import { UserError } from '../lib/user-error.ts';

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** What stands in a text for bytes that are no UTF-8. */
const NO_CHARACTER = '\ufffd';

/** Throws a UserError for a file that cannot be read, with `mend`: what to do then. */
export function readProperties(path: string, mend = 'Check the path after -c'): Map<string, string> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new UserError(`The configuration file ${path} cannot be read: ${why}. ${mend}.`);
  }
  // A text has no NUL; in UTF-16, which editors of Windows may write, half of the bytes are.
  if (bytes.includes(0)) {
    throw new UserError(
      `The configuration file ${path} is not in UTF-8; it looks like UTF-16. Save it again as UTF-8.`,
    );
  }
  const properties = parseJavaProperties(withoutMark(bytes).toString('utf8'));
  for (const [key, value] of properties) {
    if (!`${key}${value}`.includes(NO_CHARACTER)) continue;
    throw new UserError(`${path}: ${key}=${value} is not in UTF-8. Save the file again as UTF-8.`);
  }
  return properties;
}

/** Some editors put a byte order mark before UTF-8; it would count as part of the first key. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, UTF8_MARK.length).equals(UTF8_MARK) ? bytes.subarray(UTF8_MARK.length) : bytes;
}

/**
 * Sets values in the file, keeping comments and order; keys that it does not have come at its end. Safe against a crash
 * at any moment: the new text is on the disk before it takes the name. A link to a file stays a link, and comments in
 * any encoding stay as they are: bytes pass through as Latin-1, and what is written is ASCII.
 */
export function changeProperties(path: string, changes: ReadonlyMap<string, string>): void {
  const file = realpathSync(path);
  const text = changedText(withoutMark(readFileSync(file)).toString('latin1'), changes);
  const temporary = `${file}.tmp`;
  const descriptor = openSync(temporary, 'w');
  try {
    fchmodSync(descriptor, statSync(file).mode & 0o777);
    writeFileSync(descriptor, text, 'latin1');
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  const directory = openSync(dirname(file), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

/** The text with other values; a key that stands in it several times keeps only its last place, the one that counts. */
export function changedText(text: string, changes: ReadonlyMap<string, string>): string {
  const missing = new Map(changes);
  const kept: string[] = [];
  for (const entry of entriesOf(text).reverse()) {
    const key: string | undefined = parseJavaProperties(entry).keys().next().value;
    const value = key === undefined ? undefined : changes.get(key);
    if (key === undefined || value === undefined) kept.unshift(entry);
    else if (missing.delete(key))
      kept.unshift(formatJavaProperty(key, value) + (/\r?\n$/.exec(entry)?.[0] ?? ''));
  }
  let changed = kept.join('');
  if (missing.size > 0 && changed !== '' && !changed.endsWith('\n')) changed += '\n';
  for (const [key, value] of missing) changed += `${formatJavaProperty(key, value)}\n`;
  return changed;
}

/** Comments, empty lines, and keys with all lines of their values; together they are the text. */
function entriesOf(text: string): string[] {
  const entries: string[] = [];
  let open = '';
  for (const natural of text.split(/(?<=\n)/)) {
    open += natural;
    const isComment = open === natural && /^[ \t\f]*[#!]/.test(natural);
    const backslashes = /\\*$/.exec(natural.replace(/\r?\n$/, ''))?.[0].length ?? 0;
    if (!isComment && backslashes % 2 === 1) continue;
    entries.push(open);
    open = '';
  }
  if (open !== '') entries.push(open);
  return entries;
}
