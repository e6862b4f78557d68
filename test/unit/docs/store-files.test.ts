/**
 * docs/store-files.md, and the table of checks in docs/log-tools.md, are what the tables in src/cli/log/explain say.
 * WRITE_PAGES=1 writes the page anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECKS } from '../../../src/cli/log/explain/checks.ts';
import { FORMATS } from '../../../src/cli/log/explain/formats/formats.ts';
import { PROJECT } from '../../support/markdown-pages.ts';
import { readProjectFile, sourceFiles } from '../../support/source-files.ts';
import { checksTable, storeFilesPage } from '../../support/store-files-page.ts';

const test = suite('pages of the files of a store');
const PAGE = 'docs/store-files.md';

test('docs/store-files.md is what the tables say', () => {
  const page = storeFilesPage();
  if (process.env['WRITE_PAGES'] === '1') writeFileSync(join(PROJECT, PAGE), page);
  const lines = readFileSync(join(PROJECT, PAGE), 'utf8').split('\n');
  const wanted = page.split('\n');
  const at = wanted.findIndex((line, i) => line !== lines[i]);
  const hint = `line ${at + 1} differs: run this test with WRITE_PAGES=1`;
  assert.is(lines.length === wanted.length && at < 0, true, hint);
});

test('docs/log-tools.md has the checks', () => {
  assert.ok(
    readProjectFile('docs/log-tools.md').includes(checksTable()),
    `it has to hold:\n${checksTable()}`,
  );
});

test('each check is used, and by no other name', () => {
  const used = sourceFiles('src')
    .filter(({ path }) => /^src\/cli\/log\/check/.test(path))
    .flatMap(({ text }) => [...text.matchAll(/found\(\s*'([\w-]+)'/g)].map((match) => match[1] as string));
  assert.equal([...new Set(used)].sort(), Object.keys(CHECKS).sort());
});

test('descriptions are sentences, and each title comes once', () => {
  const titles = FORMATS.map(({ title }) => title);
  assert.is(new Set(titles).size, titles.length);
  for (const { title, about, written, pieces = [], members = [], beware } of FORMATS) {
    const fields = pieces.flatMap((piece) => piece.fields);
    const warnings = [...fields, ...members].flatMap((one) => one.beware ?? []);
    for (const text of [about, written, ...beware, ...warnings, ...fields.map(({ why }) => why)])
      assert.match(text, /^\S.*[.:)]$/, `${title}: ${text}`);
    for (const text of warnings)
      assert.match(text, /^That /, `${title}: goes on from "may not assume": ${text}`);
    assert.ok(beware.length > 0, title);
  }
});

test.run();
