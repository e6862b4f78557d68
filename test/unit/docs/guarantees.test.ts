/**
 * docs/guarantees.md has every sentence of the README's guarantees, in their order, and the tests that it names
 * exist under their titles.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readProjectFile, sourceFiles } from '../../support/source-files.ts';

const test = suite('guarantees');

/** Tests, and scenarios that are tests in a process of their own. */
const TITLE =
  /(?:\btest\(\s*|^ {2}async (?='))(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/gm;

interface Guarantee {
  readonly sentence: string;
  readonly proofs: string[];
}

/** Items of a list that are indented by so many spaces, each with its continued lines in one. */
function itemsOf(text: string, indent: number): string[] {
  const space = ' '.repeat(indent);
  const items = text.matchAll(new RegExp(`^${space}- (.+(?:\\n${space}  (?! *- ).+)*)`, 'gm'));
  return [...items].map(([, item]) => (item as string).replace(/\n +/g, ' '));
}

/** What the README promises: an item may have several sentences. */
function promised(): string[] {
  const section = readProjectFile('README.md')
    .split(/^## /m)
    .find((part) => part.startsWith('Guarantees\n'));
  return itemsOf(section ?? '', 0).flatMap((item) => item.split(/(?<=\.) (?=[A-Z`])/));
}

function guaranteesOf(page: string): Guarantee[] {
  return page
    .split(/^(?=- )/m)
    .slice(1)
    .map((part) => ({ sentence: itemsOf(part, 0)[0] as string, proofs: itemsOf(part, 2) }));
}

function titlesByFile(): Map<string, Set<string>> {
  const titles = (text: string) =>
    [...text.matchAll(TITLE)].map(([, a, b, c]) => (a ?? b ?? c ?? '').replaceAll(/\\(['"`])/g, '$1'));
  return new Map(sourceFiles('test').map(({ path, text }) => [path, new Set(titles(text))]));
}

/** Proofs that name no test there is, and sentences without any. */
function problemsOf(guarantees: readonly Guarantee[], titles: ReadonlyMap<string, Set<string>>): string[] {
  return guarantees.flatMap(({ sentence, proofs }) => {
    if (proofs.length === 0) return [`nothing is said of the tests of: ${sentence}`];
    if (proofs.length === 1 && proofs[0]?.startsWith('not tested: ')) return [];
    return proofs.filter((proof) => {
      const [, path = '', title = ''] = /^`(test\/\S+\.test\.ts)` "(.+)"$/.exec(proof) ?? [];
      return titles.get(path)?.has(title) !== true;
    });
  });
}

const page = guaranteesOf(readProjectFile('docs/guarantees.md'));

test("the page has the README's sentences in their order", () => {
  assert.ok(page.length > 40, 'the sentences of docs/guarantees.md were found');
  assert.equal(
    page.map(({ sentence }) => sentence),
    promised(),
  );
});

test('every test that is named exists', () => {
  assert.equal(problemsOf(page, titlesByFile()), []);
});

test('a title that is changed and a file that is moved are found', () => {
  const path = 'test/crash/kill.test.ts';
  const named = page.flatMap(({ proofs }) => proofs).filter((proof) => proof.includes(path));
  const renamed = titlesByFile();
  renamed.set(path, new Set([...(renamed.get(path) ?? [])].map((title) => `${title} now`)));
  assert.ok(named.length > 0);
  assert.equal(problemsOf(page, renamed), named);
  renamed.delete(path);
  assert.equal(problemsOf(page, renamed), named);
});

test.run();
