import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { changedText, changeProperties } from '../../../src/config/properties-file.ts';
import { parseJavaProperties } from '../../../src/lib/java-properties.ts';

const test = suite('properties file');

const changes = (entries: Record<string, string>) => new Map(Object.entries(entries));

test('comments, order, spacing and foreign lines stay', () => {
  const text = '# head\n\n  a = 1\nb:2\n! c=3\nc 4\n';
  assert.is(changedText(text, changes({ b: '20' })), '# head\n\n  a = 1\nb=20\n! c=3\nc 4\n');
  assert.is(changedText(text, changes({})), text);
});

test('new keys come at the end, also behind a last line without end', () => {
  assert.is(changedText('a=1', changes({ b: '2' })), 'a=1\nb=2\n');
  assert.is(changedText('', changes({ b: '2' })), 'b=2\n');
  assert.is(changedText('a=1', changes({ a: '2' })), 'a=2');
});

test('continued lines are replaced as a whole; a comment does not continue', () => {
  assert.is(changedText('a=1,\\\n  2,\\\n  3\nb=4\n', changes({ a: '9' })), 'a=9\nb=4\n');
  assert.is(changedText('# note \\\na=1\n', changes({ a: '2' })), '# note \\\na=2\n');
  assert.is(changedText('a=c:\\\\\nb=1\n', changes({ b: '2' })), 'a=c:\\\\\nb=2\n');
});

test('of a key that stands there twice the last place stays', () => {
  assert.is(changedText('a=1\nb=2\na=3\n', changes({ a: '4' })), 'b=2\na=4\n');
});

test('line ends of Windows stay', () => {
  assert.is(changedText('a=1\r\nb=2\r\n', changes({ a: '3' })), 'a=3\r\nb=2\r\n');
});

test('what is written is read back', () => {
  const odd = {
    'key with : = blanks': ' value\\with\ttab, \n line and = signs',
    '#hash': '#x',
    plain: 'ümlaut',
  };
  assert.equal(Object.fromEntries(parseJavaProperties(changedText('', changes(odd)))), odd);
});

test('comments in any encoding stay byte by byte; a byte order mark goes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-properties-'));
  try {
    const file = join(directory, 'some.conf');
    const comment = Buffer.from([0x23, 0xc7, 0xe9, 0xfc, 0x0a]);
    writeFileSync(file, Buffer.concat([Buffer.from('\ufeffa=1\n'), comment, Buffer.from('b=2\n')]));
    changeProperties(file, changes({ a: 'Süd', b: '3' }));
    assert.equal(
      readFileSync(file),
      Buffer.concat([Buffer.from('a=S\\u00fcd\n'), comment, Buffer.from('b=3\n')]),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the file keeps its rights; a link stays a link', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-properties-'));
  try {
    const file = join(directory, 'real.conf');
    const link = join(directory, 'link.conf');
    writeFileSync(file, 'a=1\n');
    chmodSync(file, 0o640);
    symlinkSync(file, link);
    changeProperties(link, changes({ a: '2' }));
    assert.is(readFileSync(file, 'utf8'), 'a=2\n');
    assert.is(statSync(file).mode & 0o777, 0o640);
    assert.ok(lstatSync(link).isSymbolicLink());
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();
