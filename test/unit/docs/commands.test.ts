/**
 * Every page with commands is one of those that `npm test -- newcomer` runs, and each of its blocks says how. What that
 * test believes of blocks and of output is tested here.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blocksOf } from '../../newcomer/support/page.ts';
import { NOT_RUN, OWN_TEST, PAGES } from '../../newcomer/support/pages.ts';
import { missingLine } from '../../newcomer/support/shape.ts';
import { markdownPages, PROJECT } from '../../support/markdown-pages.ts';
import { readProjectFile } from '../../support/source-files.ts';

const test = suite('commands of pages');

const directivesOf = (page: string) =>
  blocksOf(join(PROJECT, page), page).map(({ directive }) => directive.kind);

test('every page with commands is run, or listed with the reason why not', () => {
  const run = new Set(PAGES.map(({ page }) => page));
  const pages = markdownPages().filter((page) => /^ *```/m.test(readFileSync(join(PROJECT, page), 'utf8')));
  assert.ok(pages.length > 5, 'the pages were found');
  const others = pages.filter((page) => !run.has(page) && !NOT_RUN.has(page) && !OWN_TEST.has(page));
  for (const [page, path] of OWN_TEST) assert.ok(readProjectFile(path).includes(`'${page}'`), path);
  assert.equal(
    others.filter((page) => directivesOf(page).some((kind) => kind !== 'text')),
    [],
  );
});

test('every block of these pages says how it is run', () => {
  const pages = markdownPages().filter((page) => PAGES.some((one) => one.page === page));
  for (const page of pages) assert.not.throws(() => directivesOf(page), page);
  assert.ok(pages.flatMap(directivesOf).length > 30);
});

/** Directives of a page with one block. */
function directiveOf(info: string, text = 'x'): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  try {
    writeFileSync(join(folder, 'page.md'), `# Page\n\n\`\`\`${info}\n${text}\n\`\`\`\n`);
    return blocksOf(join(folder, 'page.md'), 'page.md')[0]?.directive;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a block that nobody would run is an error', () => {
  assert.equal(directiveOf('sh'), { kind: 'run' });
  assert.equal(directiveOf('sh until="Hello you"'), { kind: 'until', words: 'Hello you' });
  assert.equal(directiveOf('console server'), { kind: 'console server' });
  assert.equal(directiveOf('java src/Hello.java'), { kind: 'file', name: 'src/Hello.java' });
  assert.equal(directiveOf('text', 'the program npm'), { kind: 'text' });
  assert.equal(directiveOf('ts quote="src/ring/wake.ts"'), { kind: 'text' });
  for (const info of ['', 'bash', 'java', 'sh servre', 'sh until=x'])
    assert.throws(() => directiveOf(info), /page\.md:3: nobody runs the block/, info);
  assert.equal(directiveOf('json', '{"a":1}\n{"a":2}'), { kind: 'text' });
  assert.throws(() => directiveOf('json', '{"a":1'), /page\.md:3: this is not JSON/);
  for (const command of ['$ ls', 'sudo npm start', 'A=1 ringmq standalone', 'mqadmin topicList'])
    assert.throws(() => directiveOf('text', `words\n${command} `), /a command in a block that is only shown/);
});

test('output is compared by its words, line for line', () => {
  const output = 'noise\n\nalpha 12 at 0xff\n  beta 3 of 4\nnoise\ngamma\n';
  assert.is(missingLine('alpha 7 at 0x1\nbeta 100 of 2\n', output), undefined);
  assert.is(missingLine('alpha 7 at 0x1\n…\ngamma\n', output), undefined);
  assert.is(
    missingLine('alpha 7 at 0x1\ngamma\n', output),
    'gamma',
    'what is between is left out without a word',
  );
  assert.is(missingLine('gamma\n…\nalpha 1 at 0x1\n', output), 'alpha 1 at 0x1', 'order');
  assert.is(missingLine('alpha 7 in 0x1\n', output), 'alpha 7 in 0x1');
});

test.run();
