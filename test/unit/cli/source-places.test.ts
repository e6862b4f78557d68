import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inSources } from '../../../src/cli/source-places.ts';

const test = suite<{ directory: string }>('stacks in terms of the sources');

test.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-places-'));
});

test.after(({ directory }) => rmSync(directory, { recursive: true }));

test('a place in a file with a map becomes the place in its source', ({ directory }) => {
  const file = join(directory, 'main.cjs');
  // Line 1 stands for line 1 of the source, line 2 for line 3, from column 5 on.
  const map = { version: 3, names: [], sources: ['src/main.ts'], mappings: 'AAAA;AAEI' };
  writeFileSync(`${file}.map`, JSON.stringify(map));
  const stack = `TypeError: no\n    at begin (${file}:2:1)\n    at file://${file}:1:1\n    at node:internal/x:1:1`;
  const source = join(directory, 'src/main.ts');
  assert.is(
    inSources(stack),
    `TypeError: no\n    at begin (${source}:3:5)\n    at ${source}:1:1\n    at node:internal/x:1:1`,
  );
});

test('other places stay', ({ directory }) => {
  const broken = join(directory, 'broken.cjs');
  writeFileSync(`${broken}.map`, '{');
  const stack = `Error: no\n    at ${broken}:1:1\n    at ${join(directory, 'none.cjs')}:1:1`;
  assert.is(inSources(stack), stack);
});

test.run();
