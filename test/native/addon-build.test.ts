// Building the addon: whatever ends a build before it is whole, the one from before goes on to work.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT, packagingModule } from '../support/packaging.ts';

interface BuildModule {
  AddonBuild: new (folder: string) => { perform(gyp: string): Promise<void> };
}

const { AddonBuild } = await packagingModule<BuildModule>('packaging/lib/addon-build.mjs');
const require = createRequire(import.meta.url);
const GYP = join(PROJECT, 'node_modules/node-gyp/bin/node-gyp.js');

const test = suite('building the addon');

let folder = '';
const built = () => join(folder, 'build/Release/ringmq.node');

/** An addon that is a number. */
function writeSource(value: number): void {
  const lines = [
    '#include <node_api.h>',
    'static napi_value Init(napi_env env, napi_value) {',
    '  napi_value value;',
    `  napi_create_int32(env, ${value}, &value);`,
    '  return value;',
    '}',
    'NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)',
  ];
  writeFileSync(join(folder, 'native/tiny.cc'), `${lines.join('\n')}\n`);
}

/** In a process of its own, as a file is loaded only once. */
function loaded(): string {
  return spawnSync(process.execPath, ['-p', `require(${JSON.stringify(built())})`], {
    encoding: 'utf8',
  }).stdout.trim();
}

async function build(compiler?: string): Promise<string> {
  const before = process.env['CXX'];
  if (compiler !== undefined) {
    process.env['CXX'] = join(folder, 'compiler');
    writeFileSync(process.env['CXX'], `#!/bin/sh\n${compiler}\n`, { mode: 0o755 });
  }
  try {
    await new AddonBuild(folder).perform(GYP);
    return '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    if (before === undefined) delete process.env['CXX'];
    else process.env['CXX'] = before;
  }
}

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringmq-addon-build-'));
  mkdirSync(join(folder, 'native'));
  const headers = require('node-api-headers') as { include_dir: string };
  cpSync(headers.include_dir, join(folder, 'native/include'), { recursive: true });
  const target = { target_name: 'ringmq', sources: ['native/tiny.cc'], include_dirs: ['native/include'] };
  writeFileSync(join(folder, 'binding.gyp'), JSON.stringify({ targets: [target] }));
  writeSource(1);
  assert.is(await build(), '');
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('what is built loads', () => assert.is(loaded(), '1'));

test('a build that is killed in the middle leaves the addon, and nothing that the next one trusts', async () => {
  const before = readFileSync(built());
  writeSource(2);
  // Half an object file, newer than its source; then make, node-gyp and the compiler are gone at once.
  const dies = 'while [ "$1" != -o ]; do shift; done; echo half > "$2"; kill -9 0';
  assert.match(await build(dies), /The native addon does not build/);
  assert.equal(readFileSync(built()), before);
  assert.is(loaded(), '1');
  assert.is(await build(), '');
  assert.is(loaded(), '2');
});

test('a build that fails says what the compiler said, and leaves the addon', async () => {
  writeSource(3);
  assert.match(await build('echo "tiny.cc:1: error: no such thing" >&2; exit 1'), /error: no such thing/);
  assert.match(await build('echo "No space left on device" >&2; exit 1'), /no room left on the disk/);
  assert.is(loaded(), '2');
  assert.is(await build(), '');
  assert.is(loaded(), '3');
});

test('an addon that does not load is not put in place', async () => {
  writeSource(4);
  // Links nothing: the "library" is a text.
  const links =
    'for word in "$@"; do [ "$word" = -shared ] && { while [ "$1" != -o ]; do shift; done; echo text > "$2"; exit; }; done';
  assert.match(await build(`${links}\nexec g++ "$@"`), /was built but does not load/);
  assert.is(loaded(), '3');
});

test('another version of Node.js asks for no build', () => {
  const script = `
    const versions = { ...process.versions, node: '26.1.0', modules: '147', napi: '10' };
    Object.defineProperty(process, 'versions', { value: versions });
    Object.defineProperty(process, 'version', { value: 'v26.1.0' });
    import(${JSON.stringify(join(PROJECT, 'packaging/steps/addon.mjs'))}).then(({ addon }) => console.log(addon.isDue()));
  `;
  assert.ok(existsSync(join(PROJECT, 'build/Release/ringmq.node')));
  assert.is(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim(), 'false');
});

test.run();
