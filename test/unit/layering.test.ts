/** Folders import only from folders above them in the table of src/README.md. */
import { posix } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importsOf, readProjectFile, type SourceFile, sourceFiles } from '../support/source-files.ts';

const test = suite('layering');

/** Folders of the table, from the top. */
function tableOrder(): string[] {
  const rows = readProjectFile('src/README.md').matchAll(/^\| `([a-z]+)` \|/gm);
  return [...rows].map((row) => row[1] as string);
}

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** Paths, from the project folder, of the files of ours that `file` imports. */
function ownImports({ path, text }: SourceFile): string[] {
  return importsOf(text)
    .filter((target) => target.startsWith('.'))
    .map((target) => posix.join(posix.dirname(path), target));
}

const files = sourceFiles('src');

test('every folder has its row in the table', () => {
  const order = tableOrder();
  assert.ok(order.length >= 14, 'the table of src/README.md was found');
  const folders = new Set(files.map((file) => folderOf(file.path)).filter((name) => name !== undefined));
  assert.equal(
    [...folders].filter((folder) => !order.includes(folder)),
    [],
  );
});

test('imports point upwards', () => {
  const order = tableOrder();
  const wrong: string[] = [];
  for (const file of files) {
    const from = folderOf(file.path);
    if (from === undefined) continue;
    for (const target of ownImports(file)) {
      const to = folderOf(target);
      const allowed = to !== undefined && order.indexOf(to) <= order.indexOf(from);
      if (!allowed) wrong.push(`${file.path} imports ${target}`);
    }
  }
  assert.equal(wrong, []);
});

test('protocol, filter and record are pure: they reach neither disk, nor network, nor threads', () => {
  const impure = /^node:(fs|net|tls|http|worker_threads|child_process|os|dns)/;
  const wrong: string[] = [];
  for (const file of files) {
    const folder = folderOf(file.path);
    if (folder === undefined || !['protocol', 'filter', 'record'].includes(folder)) continue;
    const own = ['lib', 'record', folder];
    for (const target of importsOf(file.text)) if (impure.test(target)) wrong.push(`${file.path}: ${target}`);
    for (const target of ownImports(file)) {
      if (!own.includes(folderOf(target) ?? '')) wrong.push(`${file.path}: ${target}`);
    }
  }
  assert.equal(wrong, []);
});

test('one file loads the addon', () => {
  const loaders = files.filter(({ text }) => /ringmq\.node\b|process\.dlopen|native\/load\.cjs/.test(text));
  assert.equal(
    loaders.map((file) => file.path),
    ['src/native/addon.ts'],
  );
});

test('the test sees an import in each of its forms', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type { B } from '../b.ts';",
    'import {\n  c,\n  type D,\n} from "./ignored.ts";',
    "import {\n  e,\n  type F,\n} from './e.ts';",
    "export { g } from './g.ts';",
    "import './h.ts';",
    "const i = await import('./i.ts');",
    "type J = import('./j.ts').J;",
  ].join('\n');
  assert.equal(importsOf(text), ['./a.ts', '../b.ts', './e.ts', './g.ts', './h.ts', './i.ts', './j.ts']);
});

test.run();
