/** What is bundled: a thread whose file is missing there runs in every test but for no user. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readProjectFile, sourceFiles } from '../../support/source-files.ts';

const test = suite('bundle');

test('every thread is an entry of the bundle', () => {
  const [, list = ''] =
    /const ENTRIES = \[([^\]]+)\]/.exec(readProjectFile('packaging/steps/bundle.mjs')) ?? [];
  const entries = [...list.matchAll(/'([^']+)'/g)].map(([, path]) => path as string);
  const threads = sourceFiles('src')
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.thread.ts'));
  assert.ok(threads.length >= 5, 'the threads were found');
  assert.equal(
    threads.filter((path) => !entries.includes(path)),
    [],
  );
});

test.run();
