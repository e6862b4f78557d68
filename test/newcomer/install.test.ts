// RingMQ as a dependency of somebody's project: from a tarball, a git address and a directory.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT } from '../support/packaging.ts';
import {
  cloneRepository,
  emptyProject,
  nodeOf,
  removeTemporaryFolders,
  run,
  start,
  stop,
  succeed,
  temporaryFolder,
  whenItSays,
} from './support/machine.ts';

const test = suite('installing RingMQ');
const { target } = createRequire(import.meta.url)(join(PROJECT, 'native/load.cjs')) as { target(): string };

/** npm 12 takes git addresses only when it is allowed to; earlier versions ignore the setting. */
const ALLOW_GIT = { npm_config_allow_git: 'all' };

const IMPORTS = `
  import { startBroker } from 'ringmq';
  const broker = await startBroker();
  console.log('broker at', broker.broker);
  await broker.close();
`;
const REQUIRES = `
  const { startBroker } = require('ringmq');
  startBroker().then(async (broker) => {
    console.log('broker at', broker.broker);
    await broker.close();
  });
`;
const TYPED = `
  import { type EmbeddedBroker, type EmbeddedBrokerOptions, type MessageStore, openStore, startBroker } from 'ringmq';
  const options: EmbeddedBrokerOptions = { port: 0 };
  export const broker: Promise<EmbeddedBroker> = startBroker(options);
  export const store: MessageStore = openStore({ directory: '/tmp/store' });
  // @ts-expect-error a port is a number
  void startBroker({ port: 'any' });
`;
const TYPED_REQUIRE = `
  import ringmq = require('ringmq');
  export const broker: Promise<ringmq.EmbeddedBroker> = ringmq.startBroker({ port: 0 });
  // @ts-expect-error a port is a number
  void ringmq.startBroker({ port: 'any' });
`;

let clone = '';
let project = '';

/** Starts a broker by `import` and by `require`. */
function assertWorks(folder: string, node = process.execPath): void {
  writeFileSync(join(folder, 'imports.mjs'), IMPORTS);
  writeFileSync(join(folder, 'requires.cjs'), REQUIRES);
  for (const file of ['imports.mjs', 'requires.cjs'])
    assert.match(succeed(node, [file], { cwd: folder }), /broker at 127\.0\.0\.1:\d+/, file);
}

function assertTypes(folder: string): void {
  writeFileSync(join(folder, 'typed.mts'), TYPED);
  writeFileSync(join(folder, 'typed.cts'), TYPED_REQUIRE);
  for (const [module, moduleResolution, files] of [
    ['node16', 'node16', ['typed.mts', 'typed.cts']],
    ['nodenext', 'nodenext', ['typed.mts', 'typed.cts']],
    ['esnext', 'bundler', ['typed.mts']],
  ]) {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      types: [],
      strict: true,
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    succeed(process.execPath, [join(PROJECT, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: folder });
  }
}

test.before(() => {
  clone = cloneRepository('packed');
  project = emptyProject('project');
});

test.after(removeTemporaryFolders);

test('npm pack sets a fresh clone up, and the tarball has what is needed and no more', () => {
  const packed = temporaryFolder('packed');
  succeed('npm', ['pack', '--pack-destination', packed], { cwd: clone });
  const tarball = join(packed, readdirSync(packed)[0] as string);
  const files = succeed('tar', ['tzf', tarball], { cwd: packed }).trim().split('\n');
  for (const file of [
    `prebuilds/${target()}/ringmq.node`,
    'prebuilds/include/node-addon-api/napi.h',
    'prebuilds/bill-of-materials.cdx.json',
    'prebuilds/licences.txt',
    'dist/types/import/index.d.ts',
    'dist/types/require/index.d.ts',
    'dist/bundle/index.cjs',
    'binding.gyp',
  ])
    assert.ok(files.includes(`package/${file}`), file);
  assert.equal(
    files.filter((file) => /^package\/(?:src|test|bench|dist\/src|node_modules|build)\//.test(file)),
    [],
  );
  assert.not(existsSync(join(clone, 'prebuilds')), 'nothing stays behind in the clone');
  succeed('npm', ['install', tarball], { cwd: project });
});

test('the tarball works in an empty project, without mmap-io or anything that builds', () => {
  assertWorks(project);
  const packages = readdirSync(join(project, 'node_modules'));
  for (const name of ['mmap-io', 'node-gyp', 'commander', 'esbuild', 'typescript', 'node-addon-api'])
    assert.not(packages.includes(name), name);
  assert.not(existsSync(join(project, 'node_modules/ringmq/build')), 'the addon that came along was taken');
  const prebuilds = join(project, 'node_modules/ringmq/prebuilds');
  const { components } = JSON.parse(readFileSync(join(prebuilds, 'bill-of-materials.cdx.json'), 'utf8'));
  const licences = readFileSync(join(prebuilds, 'licences.txt'), 'utf8');
  for (const { name, version } of components) assert.match(licences, `\n${name} ${version}: `);
  const named = components.map(({ name }: { name: string }) => name);
  for (const name of ['commander', 'node-addon-api']) assert.ok(named.includes(name), name);
});

test('the command ringmq of the project', async () => {
  const store = join(temporaryFolder('stores'), 'npx');
  const args = ['ringmq', 'standalone', '--port', '0', '--namesrv-port', '0', '--store', store];
  const broker = start('npx', args, { cwd: project });
  await whenItSays(broker, /RingMQ ready: name server \S+, broker \S+, store/);
  await stop(broker);
});

test('types for node16, nodenext and bundler, imported and required', () => assertTypes(project));

test('one addon for every version of Node.js', () => {
  for (const major of [22, 24, 26]) assertWorks(project, nodeOf(major));
});

test('an addon that was made for another machine is left alone: the sources are built', () => {
  const installed = join(project, 'node_modules/ringmq');
  renameSync(join(installed, 'prebuilds', target()), join(installed, 'prebuilds/linux-other'));
  const { code, output } = run(process.execPath, ['imports.mjs'], { cwd: project });
  assert.is(code, 1);
  assert.match(output, `The native addon is not built for ${target()}. Run "node `);
  succeed('npm', ['rebuild', 'ringmq', '--dangerously-allow-all-scripts'], { cwd: project });
  assert.ok(existsSync(join(installed, 'build/Release/ringmq.node')));
  assertWorks(project);
});

test('without a compiler the installation goes through, and the import says what is missing', () => {
  const installed = join(project, 'node_modules/ringmq');
  rmSync(join(installed, 'build'), { recursive: true });
  const bin = temporaryFolder('bin');
  for (const name of ['node', 'npm', 'sh', 'env']) {
    const found = succeed('sh', ['-c', `command -v ${name}`], { cwd: bin }).trim();
    symlinkSync(name === 'node' ? process.execPath : found, join(bin, name));
  }
  writeFileSync(join(bin, 'apt-get'), '#!/bin/sh\n');
  chmodSync(join(bin, 'apt-get'), 0o755);
  const env = { PATH: bin, CXX: '', MAKE: '', PYTHON: '' };
  succeed(join(bin, 'npm'), ['rebuild', 'ringmq', '--dangerously-allow-all-scripts'], { cwd: project, env });
  const { code, output } = run(process.execPath, ['imports.mjs'], { cwd: project });
  assert.is(code, 1);
  assert.match(
    output,
    /g\+\+, make and python3 are missing: (?:sudo )?apt-get install -y g\+\+ make python3/,
  );
  const remedy = /Run "node (\S+)"/.exec(output)?.[1] as string;
  succeed(process.execPath, [remedy], { cwd: project });
  assertWorks(project);
});

test('a git address', () => {
  const other = emptyProject('from-git');
  succeed('npm', ['install', `git+file://${clone}`], { cwd: other, env: ALLOW_GIT });
  assertWorks(other);
  assertTypes(other);
});

test('the directory of a clone that is set up', () => {
  const other = emptyProject('from-directory');
  succeed('npm', ['install', '--ignore-scripts', clone], { cwd: other });
  assertWorks(other);
  assertTypes(other);
});

test('a path with blanks', () => {
  const other = emptyProject('my projects');
  const installed = join(other, 'node_modules/ringmq');
  mkdirSync(join(other, 'node_modules'));
  cpSync(join(project, 'node_modules'), join(other, 'node_modules'), { recursive: true });
  rmSync(join(installed, 'build'), { recursive: true });
  succeed(process.execPath, [join(installed, 'packaging/install.mjs')], { cwd: other });
  assertWorks(other);
});

test.run();
