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
import { parseJavaProperties } from '../lib/java-properties.ts';
import { UserError } from '../lib/user-error.ts';

/** Throws a UserError for a file that cannot be read. */
export function readProperties(path: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new UserError(`The configuration file ${path} cannot be read: ${why}. Check the path after -c.`);
  }
  return parseJavaProperties(text);
}

/**
 * Sets values in the file, keeping comments and order; keys that it does not have come at its end. Safe against a crash
 * at any moment: the new text is on the disk before it takes the name. A link to a file stays a link.
 */
export function changeProperties(path: string, changes: ReadonlyMap<string, string>): void {
  const file = realpathSync(path);
  const text = changedText(readFileSync(file, 'utf8'), changes);
  const temporary = `${file}.tmp`;
  const descriptor = openSync(temporary, 'w');
  try {
    fchmodSync(descriptor, statSync(file).mode & 0o777);
    writeFileSync(descriptor, text);
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
    else if (missing.delete(key)) kept.unshift(line(key, value) + (/\r?\n$/.exec(entry)?.[0] ?? ''));
  }
  let changed = kept.join('');
  if (missing.size > 0 && changed !== '' && !changed.endsWith('\n')) changed += '\n';
  for (const [key, value] of missing) changed += `${line(key, value)}\n`;
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

function line(key: string, value: string): string {
  return `${escaped(key).replaceAll(/[ :=]/g, '\\$&')}=${escaped(value).replace(/^ /, '\\ ')}`;
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('\f', '\\f')
    .replace(/^[#!]/, '\\$&');
}
