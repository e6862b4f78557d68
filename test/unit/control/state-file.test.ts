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

/** What `load` warns of, and what it returns. */
function loaded(path: string): [warnings: string[], value: unknown] {
  const warnings: string[] = [];
  const value = new StateFile(path).load((message) => warnings.push(message));
  return [warnings, value === undefined ? undefined : { ...value }];
}

test('a warning says what is lost and where the broken file is kept, which is never overwritten', () => {
  const path = join(temporaryDirectory(), 'a.json');
  for (const [i, kept] of ['corrupt', 'corrupt.2', 'corrupt.3'].entries()) {
    writeFileSync(path, `{"n":${i}`);
    writeFileSync(`${path}.bak`, '{"n":1}');
    const [warnings, value] = loaded(path);
    assert.equal(value, { n: 1 });
    assert.is(warnings.length, 1);
    assert.is(
      warnings[0],
      `${path} cannot be read (JSON has unexpected end of text at position 6) and is kept as ${path}.${kept}: ` +
        `its backup ${path}.bak is used, and what was changed after it is lost`,
    );
    assert.is(readFileSync(`${path}.${kept}`, 'utf8'), `{"n":${i}`);
  }
});

test('a file that is sound, or was never there, is no reason to warn', () => {
  const path = join(temporaryDirectory(), 'a.json');
  assert.equal(loaded(path), [[], undefined]);
  writeFileSync(path, '{"n":2}');
  writeFileSync(`${path}.bak`, 'garbage');
  assert.equal(loaded(path), [[], { n: 2 }]);
});

test('an empty file is said, with its backup and without', () => {
  const path = join(temporaryDirectory(), 'a.json');
  writeFileSync(path, ' \n');
  assert.equal(loaded(path), [
    [`${path} is empty and has no backup: started without what it held`],
    undefined,
  ]);
  writeFileSync(`${path}.bak`, '{"n":1}');
  const lost = `its backup ${path}.bak is used, and what was changed after it is lost`;
  assert.equal(loaded(path), [[`${path} is empty: ${lost}`], { n: 1 }]);
  assert.equal(loaded(path), [[`${path} does not exist: ${lost}`], { n: 1 }]);
});

test('what is no JSON object is damage too', () => {
  for (const text of ['[]', '5', 'null', '"x"', '{{"a":1}:2}']) {
    const path = join(temporaryDirectory(), 'a.json');
    writeFileSync(path, text);
    assert.throws(
      () => loaded(path),
      /a\.json cannot be read: it holds no JSON object; it has no backup\. Put a sound/,
    );
    assert.is(readFileSync(path, 'utf8'), text, 'the file stays where it is');
  }
});

test('when neither can be read the sentence tells of both and what to do', () => {
  const path = join(temporaryDirectory(), 'a.json');
  writeFileSync(`${path}.bak`, '{');
  assert.throws(
    () => loaded(path),
    /a\.json does not exist, and its backup cannot be read: .* Put a sound file/,
  );
  writeFileSync(path, '');
  assert.throws(() => loaded(path), /a\.json is empty, and its backup cannot be read: .* Put a sound file/);
  writeFileSync(path, '[1');
  assert.throws(
    () => loaded(path),
    /a\.json cannot be read: .*; neither can its backup .*a\.json\.bak: .* Put a sound file/,
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
