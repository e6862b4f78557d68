import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTemporaryStore, sweepTemporaryStores } from '../../../src/embed/temporary-store.ts';
import { addon } from '../../../src/native/addon.ts';

const test = suite<{ parent: string }>('temporary stores');

test.before.each((context) => {
  context.parent = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
});
test.after.each(({ parent }) => {
  rmSync(parent, { recursive: true });
});

/** As a killed process leaves it. */
function leftStore(parent: string, name = `ringmq-temporary-${readdirSync(parent).length}`): string {
  const directory = join(parent, name);
  mkdirSync(join(directory, 'commitlog'), { recursive: true });
  for (const file of ['ringmq.temporary', 'lock', 'commitlog/00000000000000000000']) {
    writeFileSync(join(directory, file), 'x');
  }
  return directory;
}

test('one is for its user alone, and gone when it is removed', ({ parent }) => {
  const store = makeTemporaryStore(parent);
  assert.equal(readdirSync(parent), [store.directory.slice(parent.length + 1)]);
  writeFileSync(join(store.directory, 'file'), 'x');
  assert.ok(store.remove());
  assert.ok(store.remove(), 'twice is fine');
  assert.equal(readdirSync(parent), []);
});

test('what a dead process has left is removed, what lives is not', async ({ parent }) => {
  const living = makeTemporaryStore(parent);
  leftStore(parent);
  leftStore(parent);
  assert.is(await sweepTemporaryStores(parent), 2);
  assert.equal(readdirSync(parent), [living.directory.slice(parent.length + 1)]);
  living.remove();
});

test('a left store that somebody has opened since then stays', async ({ parent }) => {
  const left = leftStore(parent);
  const lock = addon.lockFile(join(left, 'lock'));
  assert.is(await sweepTemporaryStores(parent), 0);
  assert.ok(existsSync(join(left, 'commitlog/00000000000000000000')));
  addon.unlockFile(lock);
  assert.is(await sweepTemporaryStores(parent), 1);
});

test('nothing else is touched', async ({ parent }) => {
  const elsewhere = leftStore(parent, 'elsewhere');
  const unmarked = leftStore(parent, 'ringmq-temporary-unmarked');
  rmSync(join(unmarked, 'ringmq.temporary'));
  symlinkSync(elsewhere, join(parent, 'ringmq-temporary-link'));
  writeFileSync(join(parent, 'ringmq-temporary-file'), 'x');
  mkdirSync(join(parent, 'ringmq-new-Xabc'));
  const before = readdirSync(parent, { recursive: true }).sort();
  assert.is(await sweepTemporaryStores(parent), 0);
  assert.equal(readdirSync(parent, { recursive: true }).sort(), before);
});

test('a start removes so many and no more', async ({ parent }) => {
  for (let i = 0; i < 40; i++) leftStore(parent);
  assert.is(await sweepTemporaryStores(parent), 32);
  assert.is(await sweepTemporaryStores(parent), 8);
});

test('a broker that closes waits for no more than the one that is being removed', async ({ parent }) => {
  for (let i = 0; i < 3; i++) leftStore(parent);
  assert.is(await sweepTemporaryStores(parent, () => true), 1);
  assert.is(readdirSync(parent).length, 2);
});

test('it still removes one when it first comes upon stores that are used', async ({ parent }) => {
  const used = Array.from({ length: 8 }, () => makeTemporaryStore(parent));
  const left = leftStore(parent);
  assert.is(await sweepTemporaryStores(parent, () => true), 1);
  assert.not.ok(existsSync(left));
  for (const store of used) assert.ok(store.remove());
});

test.run();
