/** Every relative link of every page leads to a file that exists, and its anchor to a heading in that page. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { markdownPages, PROJECT } from '../../support/markdown-pages.ts';

const test = suite('links');

const LINK = /\[(?:[^\]\\]|\\.)*\]\(\s*([^)\s]+)(?:\s+"[^"]*")?\s*\)/g;
const BLOCK = /^ *(`{3,}).*\n[\s\S]*?^ *\1 *$/gm;
const ELSEWHERE = /^[a-z]+:/;

/** Text without what only looks like links and headings. */
function proseOf(text: string): string {
  return text.replaceAll(BLOCK, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));
}

function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const headings = text.replaceAll(BLOCK, '').matchAll(/^#{1,6} +(.+?) *#*$/gm);
  for (const [, heading] of headings) {
    const anchor = anchorOf(heading as string);
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function brokenLinks(page: string, text: string): string[] {
  return [...proseOf(text).matchAll(LINK)].flatMap(([, link]) => {
    const [path = '', anchor] = (link as string).split('#');
    if (ELSEWHERE.test(link as string)) return [];
    const target = path === '' ? page : join(dirname(page), decodeURIComponent(path));
    const place = `${relative(PROJECT, page)}: ${link}`;
    if (!existsSync(target)) return [place];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(readFileSync(target, 'utf8')).has(anchor) ? [] : [place];
  });
}

test('every relative link leads somewhere', () => {
  const pages = markdownPages().map((page) => join(PROJECT, page));
  assert.ok(pages.length > 10, 'the pages were found');
  assert.equal(
    pages.flatMap((page) => brokenLinks(page, readFileSync(page, 'utf8'))),
    [],
  );
});

test('a file that is missing and an anchor that is missing are found, code is not looked at', () => {
  const page = join(PROJECT, 'README.md');
  const good =
    '[a](docs/limits.md), [b](#guarantees), [c](https://x.y/z), `[d](none.md)`\n```\n[e](none.md)\n```\n';
  assert.equal(brokenLinks(page, good), []);
  assert.equal(brokenLinks(page, '[a](docs/none.md) [b](#none) [c](docs/limits.md#none)'), [
    'README.md: docs/none.md',
    'README.md: #none',
    'README.md: docs/limits.md#none',
  ]);
});

test("anchors are GitHub's", () => {
  const text = '# A `code`, and [a link](x.md)!\n\n## Twice\n\n## Twice\n\n```\n# not one\n```\n';
  assert.equal([...anchorsOf(text)], ['a-code-and-a-link', 'twice', 'twice-1']);
});

test.run();
