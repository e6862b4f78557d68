// What somebody who installs RingMQ gets: package.json against what is built.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT, packagingModule } from '../../support/packaging.ts';

interface Manifest {
  main: string;
  types: string;
  exports: Record<string, unknown>;
  bin: Record<string, string>;
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
  allowScripts: Record<string, boolean>;
}

interface Groups {
  groups: Record<string, unknown>;
  chosenGroups(names: string[], full: boolean): string[];
}

const text = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const manifest = JSON.parse(text('package.json')) as Manifest;

const test = suite('the package');

/** All texts in an exports map that are paths. */
function pathsIn(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(value as object).flatMap(pathsIn);
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The files of the project that this one imports, and those that they import. */
function withImports(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, target] of text(path).matchAll(/(?:from |require\()'(\.[^']+)'/g))
    withImports(join(dirname(path), target as string), found);
  return found;
}

test('every path that package.json gives away is there and in the tarball', () => {
  const given = [manifest.main, manifest.types, ...pathsIn(manifest.exports), ...Object.values(manifest.bin)];
  const scripts = [manifest.scripts['install'] ?? ''].map((script) => script.split(' ').at(-1) as string);
  for (const path of [...given, ...scripts].map((name) => name.replace(/^\.\//, ''))) {
    assert.ok(existsSync(join(PROJECT, path)), `${path} is missing`);
    const packed = path === 'package.json' || manifest.files.some((file) => path.startsWith(file));
    assert.ok(packed, `${path} is not in "files"`);
  }
});

test('the install script finds all that it imports in the tarball', () => {
  const entries = [
    'packaging/install.mjs',
    'packaging/entry/index.mjs',
    'packaging/entry/ringmq.cjs',
    'native/load.cjs',
  ];
  for (const path of entries.flatMap((entry) => [...withImports(entry)]))
    assert.ok(
      manifest.files.some((file) => path === file || path.startsWith(`${file}/`)),
      `${path} is not in "files"`,
    );
});

test('what the bundles load is what an installation brings, and nothing that builds', () => {
  const bundles = filesBelow('dist/bundle').filter((path) => path.endsWith('.cjs'));
  const loaded = bundles.flatMap((path) => [
    ...readFileSync(path, 'utf8').matchAll(/\brequire\w*\("([^".]+)"\)/g),
  ]);
  const names = new Set(loaded.map(([, name]) => name as string).filter((name) => !name.startsWith('node:')));
  for (const name of builtinModules) names.delete(name);
  const pino = bundles.some((path) => /\(importMetaUrl\)\("pino"\)/.test(readFileSync(path, 'utf8')));
  assert.equal([...names, ...(pino ? ['pino'] : [])].sort(), Object.keys(manifest.dependencies).sort());
});

test('mmap-io comes into a clone and into nothing else', () => {
  assert.is(manifest.dependencies['mmap-io'], undefined);
  assert.is(manifest.optionalDependencies, undefined);
  assert.is(manifest.peerDependenciesMeta['mmap-io']?.optional, true);
  assert.is(manifest.allowScripts['mmap-io'], false);
  const workspace = JSON.parse(text('test/native/mmap-io/package.json')) as Manifest & { private: boolean };
  assert.ok(workspace.optionalDependencies?.['mmap-io'] && workspace.private);
});

test('type declarations for import and for require, each whole and of its kind', () => {
  for (const [kind, type] of [
    ['import', 'module'],
    ['require', 'commonjs'],
  ] as const) {
    const folder = `dist/types/${kind}`;
    assert.equal(JSON.parse(text(`${folder}/package.json`)), { type });
    assert.match(text(`${folder}/index.d.ts`), /export \{ startBroker \} from '\.\/embed\/start-broker\.js'/);
    for (const path of filesBelow(folder).filter((name) => name.endsWith('.d.ts'))) {
      for (const [, target] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)\.js'/g))
        assert.ok(existsSync(join(dirname(path), `${target}.d.ts`)), `${path}: ${target}`);
    }
  }
});

test('a group that takes minutes runs when it is named or all are wanted', async () => {
  const { groups, chosenGroups } = await packagingModule<Groups>('packaging/lib/test-groups.mjs');
  const all = Object.keys(groups);
  assert.equal(chosenGroups([], true), all);
  assert.equal(
    chosenGroups([], false),
    all.filter((group) => group !== 'newcomer'),
  );
  assert.equal(chosenGroups(['newcomer', 'unit'], false), ['unit', 'newcomer']);
});

test.run();
