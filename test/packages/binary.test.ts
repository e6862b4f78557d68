// The single executable where there is nothing else: real clients, restarts, and what may be wrong around it.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Consumer, Producer } from '../interop/scenarios/actors.ts';
import { java55 } from '../interop/support/clients.ts';
import { Dialogue } from '../interop/support/dialogue.ts';
import { Ledger } from '../interop/support/ledger.ts';
import { repository, temporaryFolder } from '../interop/support/paths.ts';
import { stopEverything } from '../interop/support/program.ts';
import { startRingStandalone } from '../interop/support/ringmq.ts';
import type { Cluster } from '../interop/support/target.ts';
import { canHaveSmallDisk } from '../support/broker-process.ts';
import { binary, sumOf } from './support/binary.ts';
import { bareRoot } from './support/root.ts';

const test = suite('the single executable');
const MESSAGES = 200;
const program = binary();
const root = bareRoot(temporaryFolder('root'), program);

test.after(stopEverything);

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

async function started(store: string): Promise<Cluster> {
  const { nameServer, broker } = await startRingStandalone({ installed: root, store });
  return { nameServer, broker, stop: () => broker.stop() };
}

test('it says its version, and has the sum that is written beside it', () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  assert.is(run(['--version']).stdout, `${version}\n`);
  assert.is(createHash('sha256').update(readFileSync(program)).digest('hex'), sumOf(program));
});

test('it asks for the C and C++ libraries only, and serves a user without name and home', async () => {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  const names = [...stdout.matchAll(/^\s*(lib\S+) =>/gm)].map(([, name]) => name);
  const known = [
    'libc.so.6',
    'libdl.so.2',
    'libgcc_s.so.1',
    'libm.so.6',
    'libpthread.so.0',
    'libstdc++.so.6',
  ];
  assert.equal(names.sort(), known);
  // Only root can be somebody else.
  const who =
    process.getuid?.() === 0 ? ['chroot', '--userspec=4711:4711', root.root] : root.command.slice(0, -1);
  const [first = '', ...rest] = [...who, root.command.at(-1) as string, 'broker', '-p'];
  const env = { PATH: process.env['PATH'] };
  const { status, stdout: printed, stderr } = spawnSync(first, rest, { encoding: 'utf8', env });
  assert.is(status, 0, stderr);
  assert.match(printed, /^storePathRootDir=\/store$/m);
});

test('where nothing but shared libraries is, it carries messages of Java clients, and has them after a restart', async () => {
  const store = join(root.root, 'store');
  const ledger = new Ledger();
  let cluster = await started(store);
  await new Producer(java55, cluster, { topic: 'carried', count: MESSAGES }, ledger).finish();
  await cluster.stop();

  cluster = await started(store);
  const { nameServer } = cluster;
  const admin = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const status = String(
    await admin.ask(['topicStatus', '-n', nameServer.address, '-t', 'carried'].join('\t')),
  );
  assert.match(status, /broker-a/);
  await admin.end();
  const consumer = new Consumer(java55, cluster, { topic: 'carried', group: 'carried-group' }, ledger);
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  await cluster.stop();
  assert.equal(
    readdirSync(join(root.root, 'tmp')).filter((name) => !name.startsWith('ringmq-')),
    [],
  );
});

test('commands that are loaded when they are chosen', async () => {
  const cluster = await started(join(root.root, 'admin-store'));
  const where = ['-n', cluster.nameServer.address];
  assert.is(run(['topic', 'create', 'made', ...where]).status, 0);
  assert.match(run(['topic', 'list', ...where]).stdout, /^made +NORMAL /m);
  assert.match(
    run(['produce', 'made', '-m', 'hello', ...where]).stdout,
    /^Sent [0-9A-F]{32} to queue 0 at offset 0\.$/m,
  );
  await cluster.stop();
});

test('the addon leaves nothing behind', () => {
  const folder = temporaryFolder('private');
  assert.is(run(['log', 'check', temporaryFolder('none')], { RINGMQ_TMPDIR: folder }).status, 2);
  assert.equal(readdirSync(folder), []);
});

test('a folder for the addon that is not there', () => {
  const store = temporaryFolder('none');
  const gone = run(['log', 'check', store], { RINGMQ_TMPDIR: '/proc/none' });
  assert.is(gone.status, 1);
  assert.match(
    gone.stderr,
    /^RingMQ has to put its native part .*\/proc\/none: does not exist.*Set RINGMQ_TMPDIR/,
  );
  assert.is(gone.stderr.trim().split('\n').length, 1);
});

const withMounts = canHaveSmallDisk() ? test : test.skip;

withMounts('a folder from which no programs may be run', () => {
  const store = temporaryFolder('none');
  const script = `mount -t tmpfs -o noexec none /mnt; RINGMQ_TMPDIR=/mnt exec '${program}' log check '${store}'`;
  const args = ['--user', '--map-root-user', '--mount', '/bin/sh', '-ec', script];
  const { status, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stderr, /\/mnt: programs may not be run there \(noexec\)\. Set RINGMQ_TMPDIR/);
});

test('a file that was cut off anywhere says so', () => {
  const size = statSync(program).size;
  const cut = join(temporaryFolder('cut'), 'ringmq');
  copyFileSync(program, cut);
  for (const length of [size - 1, size >> 1, 100_000]) {
    truncateSync(cut, length);
    const { status, stderr } = spawnSync(cut, ['--version'], { encoding: 'utf8' });
    assert.is(status, 1);
    assert.match(stderr, /^RingMQ: this file is not whole: .*Copy it again/, `${length} bytes`);
  }
});

test('a system without glibc, or with an old one, is told what it needs', () => {
  const folder = temporaryFolder('other-root');
  const { command } = bareRoot(folder, program);
  const loader = join(folder, '/lib64/ld-linux-x86-64.so.2');
  const [first = '', ...rest] = command;
  const outcome = () => spawnSync(first, [...rest, '--version'], { encoding: 'utf8' });
  assert.is(outcome().status, 0);
  // The loader says its version in its own text.
  const text = readFileSync(loader, 'latin1');
  writeFileSync(loader, text.replace(/release version 2\.\d\d/, 'release version 2.28'), 'latin1');
  assert.match(outcome().stderr, /^RingMQ: the C library of this system is older than glibc 2\.\d\d\. Use /);
  unlinkSync(loader);
  const { status, stderr } = outcome();
  assert.match(stderr, /^RingMQ: this system has no glibc/);
  assert.is(status, 1);
});

test.run();
