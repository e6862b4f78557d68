import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fails, Run } from '../../support/command-line.ts';
import { readProjectFile } from '../../support/source-files.ts';
import { makeStore, patch, queueFile, removeStore } from './store-support.ts';

function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
}

const test = suite<{ directory: string }>('command line');

test.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-cli-'));
});

test.after(({ directory }) => rmSync(directory, { recursive: true }));

test('a name server alone: ready line, clean stop on SIGTERM', async () => {
  const run = new Run(['namesrv', '--port', '0']);
  assert.match(await run.ready(), /^RingMQ ready: name server 127\.0\.0\.1:\d+, version \d+\.\d+\.\d+\n$/);
  run.child.kill('SIGTERM');
  assert.is(await run.ended, 0);
});

test('standalone: one ready line for both, a clean stop on SIGINT leaves no abort file', async ({
  directory,
}) => {
  const store = join(directory, 'store');
  const conf = join(directory, 'small.conf');
  writeFileSync(conf, 'mappedFileSizeCommitLog=8388608\nmaxHashSlotNum=500\nmaxIndexNum=2000\nnonsense=1\n');
  const args = ['standalone', '-c', conf, '--port', '0', '--namesrv-port', '0', '--store', store];
  const run = new Run(args);
  const ready =
    /^RingMQ ready: name server 127\.0\.0\.1:\d+, broker 127\.0\.0\.1:\d+, store (.*), version \d+\.\d+\.\d+\n$/;
  assert.is(ready.exec(await run.ready())?.[1], store);
  await fails(['broker', '-c', conf, '--port', '0', '--store', store], /is in use by another broker/);
  run.child.kill('SIGINT');
  assert.is(await run.ended, 0, run.err);
  const warnings = run.err.split('\n').filter((line) => line.includes('"level":"warn"'));
  assert.is(warnings.length, 1, run.err);
  assert.match(warnings[0] ?? '', /nonsense=1 has no effect/);
  writeFileSync(conf, 'mappedFileSizeCommitLog=16777216\n');
  await fails(args, /has 8388608 bytes but mappedFileSizeCommitLog says 16777216/);
});

test('health: a broker and a name server serve, a free port does not', async ({ directory }) => {
  const run = new Run([
    'standalone',
    '--port',
    '0',
    '--namesrv-port',
    '0',
    '--store',
    join(directory, 'asked'),
  ]);
  const [, nameServer = '', broker = ''] = /name server (\S+), broker (\S+),/.exec(await run.ready()) ?? [];
  for (const address of [nameServer, broker]) {
    const asked = new Run(['health', address]);
    assert.is(await asked.ended, 0, asked.err);
    assert.is(asked.out, `${address} serves\n`);
  }
  run.child.kill('SIGTERM');
  assert.is(await run.ended, 0);
  assert.is(await fails(['health', broker], new RegExp(`^${broker} does not serve: cannot connect to`)), 1);
  assert.is(await fails(['health', 'nowhere'], /^nowhere is not possible: give an address/), 2);
});

test('the version', async () => {
  const run = new Run(['--version']);
  assert.is(await run.ended, 0);
  assert.is(run.out, `${JSON.parse(readProjectFile('package.json')).version}\n`);
});

test('by name and over IPv6: bound to the address, told as it was given, said in the log', async ({
  directory,
}) => {
  const conf = join(directory, 'names.conf');
  const small = 'mappedFileSizeCommitLog=8388608\nmaxHashSlotNum=500\nmaxIndexNum=2000\n';
  const hosts = [['localhost', '127.0.0.1', 'localhost']];
  if (hasIPv6()) hosts.push(['::1', '[::1]', '[::1]']);
  for (const [host = '', bound = '', told = ''] of hosts) {
    writeFileSync(conf, `${small}brokerIP1=${host}\nbindAddress=${host}\n`);
    const store = join(directory, `store of ${host.replaceAll(':', '-')}`);
    const run = new Run(['standalone', '-c', conf, '--port', '0', '--namesrv-port', '0', '--store', store]);
    const line = await run.ready();
    assert.ok(line.includes(`name server ${bound}:`) && line.includes(`broker ${told}:`), line);
    run.child.kill('SIGTERM');
    assert.is(await run.ended, 0, run.err);
    for (const who of ['name server', 'broker']) {
      assert.ok(run.err.includes(`the ${who} listens on ${bound}:`), run.err);
    }
    assert.match(run.err, /only programs of this machine reach it/);
  }
});

test('mistakes are told in a sentence, and by the exit code whether the same start may do better', async ({
  directory,
}) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const store = ['--store', join(directory, 'unused')];
  const inUse = new RegExp(`127.0.0.1:${port} is in use: stop`);
  assert.is(await fails(['namesrv', '--port', String(port)], inUse), 1);
  assert.is(await fails(['standalone', '--port', String(port), '--namesrv-port', '0', ...store], inUse), 1);
  server.close();
  const isWrong = async (...of: Parameters<typeof fails>) => assert.is(await fails(...of), 2);
  await isWrong(
    ['standalone', '-c', join(directory, 'none.conf')],
    /none\.conf cannot be read: it does not exist/,
  );
  await isWrong(['standalone', '--namesrv-port', 'x'], /--namesrv-port x is not possible/);
  await isWrong(
    ['broker', '--network-threads', '0'],
    /--network-threads 0 is not possible: allowed is 1 to 30/,
  );
  await isWrong(['namesrv'], /RINGMQ_LOG_LEVEL=loud: allowed are trace/, { RINGMQ_LOG_LEVEL: 'loud' });
  await isWrong(['log', 'check', directory], /name the root directory of a store/);
  await isWrong(['log', 'dump', directory, '--limit', 'few'], /--limit few is not possible/);
  await isWrong(['standalone', '--unknown'], /unknown option '--unknown'/);
});

test('the configuration can be printed', async () => {
  const run = new Run(['broker', '--port', '4711', '-p'], { NAMESRV_ADDR: '192.0.2.1:9876' });
  assert.is(await run.ended, 0);
  assert.match(run.out, /^listenPort=4711$/m);
  assert.match(run.out, /^namesrvAddr=192\.0\.2\.1:9876$/m);
});

test('so can that of a name server, with its warnings', async ({ directory }) => {
  const conf = join(directory, 'namesrv.conf');
  writeFileSync(conf, 'listenPort=4712\nclusterTests=true\n');
  const run = new Run(['namesrv', '-c', conf, '-p']);
  assert.is(await run.ended, 0);
  assert.match(run.out, /^listenPort=4712$/m);
  assert.is(run.err, 'clusterTests=true has no effect: did you mean clusterTest?\n');
});

test('log check: exit code 0 for a sound store, 1 for a damaged one; log dump prints', async () => {
  const store = await makeStore();
  try {
    const sound = new Run(['log', 'check', store.root]);
    assert.is(await sound.ended, 0, sound.out);
    assert.match(sound.out, /nothing wrong\.\n$/);
    patch(queueFile(store, 'Orders', 0), 5 * 20, Buffer.alloc(20));
    const damaged = new Run(['log', 'check', store.root]);
    assert.is(await damaged.ended, 1);
    assert.match(damaged.out, /WRONG consumequeue\/Orders.*\n +at 5: entry 5 is missing/);
    const dump = new Run([
      'log',
      'dump',
      store.root,
      '--topic',
      'Orders',
      '--json',
      '--from',
      '2',
      '--limit',
      '1',
    ]);
    assert.is(await dump.ended, 0);
    assert.is(JSON.parse(dump.out).what, 'entry 2');
  } finally {
    removeStore(store);
  }
});

test('a store that may only be read can be looked into, and stays as it is', async () => {
  const store = await makeStore();
  const guest = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  try {
    const files = readdirSync(store.root, { recursive: true }).map((name) => join(store.root, String(name)));
    for (const file of [store.root, ...files]) chmodSync(file, statSync(file).isDirectory() ? 0o555 : 0o444);
    const before = files.map((file) => statSync(file).mtimeMs);
    for (const args of [['check'], ['dump', '--limit', '1']]) {
      const [what = '', ...more] = args;
      const run = new Run(['log', what, store.root, ...more], {}, guest);
      assert.is(await run.ended, 0, run.out + run.err);
      assert.match(run.out, /consumequeue\/Orders/);
      assert.not.match(run.out, /EACCES|cannot/);
    }
    assert.equal(
      files.map((file) => statSync(file).mtimeMs),
      before,
    );
  } finally {
    for (const directory of readdirSync(store.root, { recursive: true })) {
      const path = join(store.root, String(directory));
      if (statSync(path).isDirectory()) chmodSync(path, 0o755);
    }
    chmodSync(store.root, 0o755);
    removeStore(store);
  }
});

test.run();
