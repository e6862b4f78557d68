import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StateFile, StateFileError } from '../../../src/control/state-file.ts';
import { temporaryDirectory } from './support.ts';

const test = suite('state file');

test('saves, keeps the one before as backup, and leaves no temporary file', async () => {
  const path = join(temporaryDirectory(), 'config', 'a.json');
  const file = new StateFile(path);
  assert.is(file.load(), undefined);
  file.save(() => '{"n":1}');
  await file.saved();
  file.save(() => '{"n":2}');
  await file.saved();
  assert.is(readFileSync(path, 'utf8'), '{"n":2}');
  assert.is(readFileSync(`${path}.bak`, 'utf8'), '{"n":1}');
  assert.not.ok(existsSync(`${path}.tmp`));
});

test('many requests in one turn make one write of the newest text', async () => {
  const file = new StateFile(join(temporaryDirectory(), 'a.json'));
  let encoded = 0;
  for (let i = 0; i < 10; i++) {
    file.save(() => {
      encoded += 1;
      return `{"n":${i}}`;
    });
  }
  await file.saved();
  assert.is(encoded, 1);
  assert.equal({ ...(file.load() as object) }, { n: 9 });
});

test('a damaged file is set aside and its backup read, so the next save cannot make it the backup', async () => {
  const path = join(temporaryDirectory(), 'a.json');
  writeFileSync(path, '{"n":2}garbage');
  writeFileSync(`${path}.bak`, '{"n":1}');
  const file = new StateFile(path);
  assert.equal({ ...(file.load() as object) }, { n: 1 });
  assert.is(readFileSync(`${path}.corrupt`, 'utf8'), '{"n":2}garbage');
  file.save(() => '{"n":3}');
  await file.saved();
  assert.is(readFileSync(`${path}.bak`, 'utf8'), '{"n":1}');
});

test('an empty file or one lost between two renames means the backup', () => {
  const path = join(temporaryDirectory(), 'a.json');
  writeFileSync(`${path}.bak`, '{"n":1}');
  assert.equal({ ...(new StateFile(path).load() as object) }, { n: 1 });
  writeFileSync(path, '\n');
  assert.equal({ ...(new StateFile(path).load() as object) }, { n: 1 });
});

test('nothing readable is an error, not an empty table', () => {
  const path = join(temporaryDirectory(), 'a.json');
  writeFileSync(path, '{');
  assert.throws(
    () => new StateFile(path).load(),
    (error: unknown) => error instanceof StateFileError,
  );
  writeFileSync(`${path}.bak`, '{');
  assert.throws(
    () => new StateFile(path).load(),
    (error: unknown) => error instanceof StateFileError,
  );
});

test('a failed write is reported and the next one makes up for it', async () => {
  const path = join(temporaryDirectory(), 'a.json');
  const file = new StateFile(path);
  file.save(() => {
    throw new Error('no text');
  });
  let problem: unknown;
  await file.saved().catch((error: unknown) => {
    problem = error;
  });
  assert.ok(problem instanceof Error);
  file.save(() => '{}');
  await file.saved();
  assert.is(readFileSync(path, 'utf8'), '{}');
});

test.run();
