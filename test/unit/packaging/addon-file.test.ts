// Which addon a process takes: native/load.cjs, and what it says when there is none.

import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, PROJECT } from '../../support/packaging.ts';

interface Loader {
  BUILT: string;
  NOTE: string;
  libcOf(head: Buffer): string | undefined;
  loadAddon(folder: string, platform?: string, load?: (path: string) => unknown): unknown;
  prebuilt(target?: string): string;
  target(): string;
}

const loader = createRequire(import.meta.url)(join(PROJECT, 'native/load.cjs')) as Loader;

const test = suite('the addon of this machine');

function put(folder: string, path: string, text = ''): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Stands in for `require`: gives the path back. */
const path = (file: string) => file;

const refuse = (file: string) => {
  throw new Error(`${file}: invalid ELF header`);
};

function sentence(folder: string, platform = 'linux', load = path): string {
  try {
    loader.loadAddon(folder, platform, load);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it loaded');
}

test('the C library is told by the loader that a program names', () => {
  const head = (name: string) => Buffer.from(`\x7fELF\x02\x01\x01${'\0'.repeat(600)}${name}\0`, 'latin1');
  assert.is(loader.libcOf(head('/lib/ld-musl-x86_64.so.1')), 'musl');
  assert.is(loader.libcOf(head('/lib/ld-musl-aarch64.so.1')), 'musl');
  assert.is(loader.libcOf(head('/lib64/ld-linux-x86-64.so.2')), 'glibc');
  assert.is(loader.libcOf(head('/lib/ld-linux-aarch64.so.1')), 'glibc');
  assert.is(loader.libcOf(head('/lib64/ld64.so.2')), 'glibc');
  assert.is(loader.libcOf(head('/nix/store/other')), undefined);
});

test('this program tells it, and a report of Node.js agrees', () => {
  const head = Buffer.alloc(4096);
  const descriptor = openSync(process.execPath, 'r');
  readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const reported = header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  assert.is(loader.libcOf(head) ?? reported, reported);
  assert.is(loader.target(), `linux-${process.arch}-${reported}`);
});

test('what was built here goes before what came along', async () => {
  await inFolder((folder) => {
    put(folder, loader.prebuilt());
    assert.is(loader.loadAddon(folder, 'linux', path), join(folder, loader.prebuilt()));
    put(folder, loader.BUILT);
    assert.is(loader.loadAddon(folder, 'linux', path), join(folder, loader.BUILT));
  });
});

test('an addon for another C library or processor is not touched', async () => {
  await inFolder((folder) => {
    const others = ['linux-x64-glibc', 'linux-x64-musl', 'linux-arm64-glibc', 'linux-arm64-musl'];
    for (const other of others.filter((name) => name !== loader.target()))
      put(folder, loader.prebuilt(other));
    assert.match(sentence(folder, 'linux', refuse), `not built for ${loader.target()}. Run "node`);
  });
});

test('a build that does not load here gives way to one that came along', async () => {
  await inFolder((folder) => {
    put(folder, loader.BUILT);
    put(folder, loader.prebuilt());
    const load = (file: string) => (file.includes('build/Release') ? refuse(file) : file);
    assert.is(loader.loadAddon(folder, 'linux', load), join(folder, loader.prebuilt()));
  });
});

test('a clone takes only what was built in it', async () => {
  await inFolder((folder) => {
    put(folder, 'tsconfig.json');
    put(folder, loader.prebuilt());
    assert.match(sentence(folder), `not built for ${loader.target()}. Run "npm run setup" in ${folder}.`);
  });
});

test('what does not load is named with its reason and the remedy', async () => {
  await inFolder((folder) => {
    put(folder, 'tsconfig.json');
    put(folder, loader.BUILT);
    const said = sentence(folder, 'linux', refuse);
    assert.match(said, `${join(folder, loader.BUILT)} does not load: `);
    assert.match(said, /invalid ELF header\. It was built for another machine.*npm run setup/);
  });
});

test('what the install script lacked is told by the import', async () => {
  await inFolder((folder) => {
    put(folder, loader.NOTE, 'It has to be built, and for that make is missing: apt-get install -y make\n');
    assert.match(sentence(folder), /make is missing: apt-get install -y make Run "node .*install\.mjs"/);
  });
});

test('elsewhere than on Linux it says where RingMQ runs', async () => {
  await inFolder((folder) => {
    assert.match(sentence(folder, 'darwin'), /needs Linux.*On macOS, run it in a Linux container/);
    assert.match(sentence(folder, 'win32'), /On Windows, run it in WSL2 or in a Linux container/);
  });
});

test.run();
