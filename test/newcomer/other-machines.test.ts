// The package and the one file on musl, arm64 and an old glibc: what was built here, with a Node.js of that machine,
// without a compiler. arm64 is emulated; the C libraries are real.

import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Consumer, Producer } from '../interop/scenarios/actors.ts';
import { java55 } from '../interop/support/clients.ts';
import { Ledger } from '../interop/support/ledger.ts';
import { temporaryFolder as interopFolder, repository } from '../interop/support/paths.ts';
import { startRingStandalone } from '../interop/support/ringmq.ts';
import { interopSuite } from '../interop/support/suite.ts';
import type { Cluster } from '../interop/support/target.ts';
import { binary } from '../packages/support/binary.ts';
import {
  cloneRepository,
  emptyProject,
  removeTemporaryFolders,
  succeed,
  temporaryFolder,
} from './support/machine.ts';
import { arm, armMusl, musl, type OtherMachine, oldGlibc } from './support/other-machine.ts';

const test = interopSuite('other machines');
const MESSAGES = 100;
const TARGETS = ['linux-x64-glibc', 'linux-arm64-glibc', 'linux-x64-musl', 'linux-arm64-musl'];
/** Of the group `native`: what needs nothing of the machine but a folder. */
const NATIVE = [
  'append',
  'crc',
  'doorbell',
  'fault-guard',
  'prepare-segment',
  'regions',
  'small-files',
  'tail-windows',
  'threads',
];
/** The emulator does not know MADV_POPULATE_READ, nor which pages are in memory. */
const NOT_EMULATED = [
  'advice, residency and population',
  'population of lost pages fails instead of filling them in',
];
/** What the suite takes from npm. */
const UVU = ['uvu', 'dequal', 'diff', 'kleur', 'mri', 'sade'];

let installed = '';
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

test('npm pack takes along the addons that were built for other machines, and says what is in them', () => {
  const clone = cloneRepository('prebuilds');
  // The compiler and its libraries; what is built with them is built anew.
  mkdirSync(join(clone, '.cache'));
  mkdirSync(join(repository, '.cache/cross'), { recursive: true });
  symlinkSync(join(repository, '.cache/cross'), join(clone, '.cache/cross'));
  succeed('npm', ['run', 'build:prebuilds'], { cwd: clone });
  const packed = temporaryFolder('packed');
  succeed('npm', ['pack', '--pack-destination', packed], { cwd: clone });
  const project = emptyProject('project');
  succeed('npm', ['install', join(packed, `ringmq-${version}.tgz`)], { cwd: project });
  installed = join(project, 'node_modules');
  for (const target of TARGETS)
    assert.ok(existsSync(join(installed, 'ringmq/prebuilds', target, 'ringmq.node')), target);
  assert.not(existsSync(join(installed, 'ringmq/build')), 'this machine takes what came along');
  const bill = JSON.parse(
    readFileSync(join(installed, 'ringmq/prebuilds/bill-of-materials.cdx.json'), 'utf8'),
  );
  const names = bill.components.map(({ name }: { name: string }) => name);
  for (const name of ['commander', 'node-addon-api', 'libcxx', 'libcxxabi', 'libunwind'])
    assert.ok(names.includes(name), name);
  const licences = readFileSync(join(installed, 'ringmq/prebuilds/licences.txt'), 'utf8');
  for (const name of names) assert.match(licences, `\n${name} `);
  assert.match(licences, /LLVM Exceptions to the Apache 2\.0 License/);
});

/** Failed tests by their names. */
function failuresOf(output: string): string[] {
  return [...output.matchAll(/^\s*FAIL .*?"(.*)"$/gm)].map(([, name]) => name as string);
}

function runNative(machine: OtherMachine, project: string): void {
  const folder = join(machine.folder, 'native-tests');
  const parts = ['native', 'prebuilds', 'package.json'].map((name) => [
    join(project, 'node_modules/ringmq', name),
    name,
  ]);
  const own = ['dist/src', 'dist/test/native', 'dist/test/support', 'dist/test/hostile'].map((name) => [
    join(repository, name),
    name,
  ]);
  const libraries = UVU.map((name) => join('node_modules', name)).map((name) => [
    join(repository, name),
    name,
  ]);
  for (const [from = '', to = ''] of [...parts, ...own, ...libraries].filter(([path = '']) =>
    existsSync(path),
  ))
    cpSync(from, join(folder, to), { recursive: true });
  const allowed = machine.root === '' ? NOT_EMULATED : [];
  for (const name of NATIVE) {
    const { output } = machine.run(machine.withNode(join(folder, `dist/test/native/${name}.test.js`)));
    assert.ok(Number(/Passed:\s+(\d+)/.exec(output)?.[1]) > 0, `${name}\n${output}`);
    assert.equal(
      failuresOf(output).filter((failed) => !allowed.includes(failed)),
      [],
      `${name}\n${output}`,
    );
  }
}

/** A broker there, clients here: messages are carried, and are there after a restart. */
async function carries(machine: OtherMachine, command: readonly string[]): Promise<void> {
  const store = join(
    machine.root === '' ? interopFolder('store') : machine.folder,
    `store-${command.length}`,
  );
  const start = async (): Promise<Cluster> => {
    const options = { installed: { command, root: machine.root }, store };
    const { nameServer, broker } = await startRingStandalone(options);
    return { nameServer, broker, stop: () => broker.stop() };
  };
  const ledger = new Ledger();
  let cluster = await start();
  await new Producer(java55, cluster, { topic: 'carried', count: MESSAGES }, ledger).finish();
  await cluster.stop();
  cluster = await start();
  const { code, output } = machine.run([...command, 'health', cluster.broker.address]);
  assert.is(code, 0, output);
  const consumer = new Consumer(java55, cluster, { topic: 'carried', group: 'carried-group' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  await cluster.stop();
}

/** Downloads that this machine is not given are told, and the tests left out. */
async function have(make: () => Promise<OtherMachine>): Promise<OtherMachine | undefined> {
  try {
    if (process.getuid?.() !== 0) throw new Error('debootstrap takes root');
    return await make();
  } catch (error) {
    console.log(`skipped: ${make.name} (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
}

for (const make of [musl, oldGlibc, arm, armMusl]) {
  const machine = await have(make);
  const on = machine === undefined ? test.skip : test;
  const name = machine?.name ?? make.name;
  const there = machine as OtherMachine;
  let project = '';

  on(`${name}: the package works without a compiler, and its install script builds nothing`, async () => {
    project = join(there.folder, 'project');
    cpSync(installed, join(project, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    const package_ = join(project, 'node_modules/ringmq');
    const { code, output } = there.run(there.withNode(join(package_, 'packaging/install.mjs')));
    assert.equal({ code, output }, { code: 0, output: '' });
    assert.not(existsSync(join(package_, 'build')));
    await carries(there, there.withNode(join(package_, 'packaging/entry/ringmq.cjs')));
  });

  on(`${name}: the tests of the addon`, () => runNative(there, project));

  on(`${name}: the one file`, async () => {
    const file = join(there.folder, 'ringmq');
    cpSync(binary(name), file);
    const command = there.command(there.inside(file));
    assert.equal(there.run([...command, '--version']), { code: 0, output: `${version}\n` });
    await carries(there, command);
    const { code, output } = there.run([...command, 'health', '127.0.0.1:1']);
    assert.is(code, 1);
    assert.match(output, /^127\.0\.0\.1:1 does not serve/);
  });
}

test.after(removeTemporaryFolders);

test.run();
