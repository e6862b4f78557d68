// Set-up where it cannot work: in a folder that holds its scripts and nothing else.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, PROJECT } from '../../support/packaging.ts';

const test = suite('set-up that cannot work');
const NOBODY = 65_534;
const TOOLS = ['npm', 'g++', 'make', 'python3'];

/** A clone as far as set-up looks at it before it begins. */
async function inClone(work: (clone: string) => unknown): Promise<void> {
  await inFolder(async (folder) => {
    chmodSync(folder, 0o755);
    const clone = join(folder, 'clone');
    for (const path of [
      'packaging',
      'native',
      'binding.gyp',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
    ])
      cpSync(join(PROJECT, path), join(clone, path), { recursive: true });
    await work(clone);
  });
}

/** The set-up, with programs of these names that do what the script says. */
function setUp(clone: string, programs: Record<string, string>, user = {}): SpawnSyncReturns<string> {
  const bin = join(clone, '..', 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { CXX, MAKE, PYTHON, ...env } = process.env;
  const run = [join(clone, 'packaging/setup.mjs')];
  return spawnSync(process.execPath, run, { encoding: 'utf8', env: { ...env, PATH: bin }, ...user });
}

const present = Object.fromEntries(TOOLS.map((name) => [name, 'exit 1']));

function assertSentence({ status, stderr }: SpawnSyncReturns<string>, expected: RegExp): void {
  assert.is(status, 1);
  assert.match(stderr, expected);
  assert.not.match(stderr, /\n\s+at /, 'no stack');
}

test('missing tools are told before anything is downloaded', async () => {
  await inClone((clone) => {
    const before = readdirSync(clone);
    const run = setUp(clone, { npm: 'echo called > called', 'apt-get': '' });
    assertSentence(
      run,
      /^g\+\+, make and python3 are missing: (?:sudo )?apt-get install -y g\+\+ make python3\n$/,
    );
    assert.is(run.stdout, '');
    assert.equal(readdirSync(clone), before);
  });
});

test('a folder of somebody else', async () => {
  await inClone((clone) => {
    const asRoot = process.getuid?.() === 0;
    chmodSync(clone, 0o555);
    const run = setUp(clone, present, asRoot ? { uid: NOBODY, gid: NOBODY } : {});
    chmodSync(clone, 0o755);
    assertSentence(
      run,
      /may not write to all of .*clone.*Run this as their owner, or make them yours: sudo chown -R/,
    );
    assert.not(existsSync(join(clone, '.cache')));
  });
});

test('packages that cannot be written are explained behind what npm says', async () => {
  await inClone((clone) => {
    const run = setUp(clone, { ...present, npm: 'echo "npm error code EACCES" >&2; exit 243' });
    assertSentence(run, /npm error code EACCES\n\n.* may not write to all of/);
    assert.match(run.stdout, /^setup: installing npm packages \.\.\. failed/);
  });
});

test('a full disk', async () => {
  await inClone((clone) => {
    const run = setUp(clone, { ...present, npm: 'echo "npm error code ENOSPC" >&2; exit 228' });
    assertSentence(run, /There is no room left on the disk of .*: free some space, then try again\./);
  });
});

test('npm that fails for a reason of its own is quoted', async () => {
  await inClone((clone) => {
    const run = setUp(clone, { ...present, npm: 'echo "npm error code ECONNREFUSED" >&2; exit 1' });
    assertSentence(
      run,
      /ECONNREFUSED\n\nnpm could not install the packages of package-lock\.json; see above\.\n$/,
    );
  });
});

test.run();
