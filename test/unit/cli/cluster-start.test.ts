/** `ringmq cluster start` as a process: its servers, its signals, its end and theirs. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freeClusterPort } from '../../interop/support/ports.ts';
import { fails, Run } from '../../support/command-line.ts';
import { until } from '../../support/sockets-rig.ts';

const test = suite<{ directory: string }>('start of a cluster');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-cluster-'));
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

async function startSingle(directory: string): Promise<{ run: Run; port: number }> {
  const port = await freeClusterPort();
  const run = new Run([
    'cluster',
    'start',
    '--layout',
    'single',
    '--dir',
    directory,
    '--base-port',
    String(port),
  ]);
  assert.match(
    await run.ready(),
    new RegExp(
      `^RingMQ ready: cluster single, name server 127\\.0\\.0\\.1:${port}, broker-a 127\\.0\\.0\\.1:${port + 10}, ` +
        `files ${directory}, version \\d+\\.\\d+\\.\\d+\\n$`,
    ),
  );
  return { run, port };
}

function pidOf(run: Run, name: string): number {
  return Number(new RegExp(`^cluster +\\| ${name} is process (\\d+)$`, 'm').exec(run.err)?.[1]);
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('its servers serve, their lines have their names, and a signal stops them cleanly, brokers first', async ({
  directory,
}) => {
  const { run, port } = await startSingle(directory);
  for (const address of [`127.0.0.1:${port}`, `127.0.0.1:${port + 10}`])
    assert.is(await new Run(['health', address]).ended, 0);
  const pids = ['namesrv', 'broker-a'].map((name) => pidOf(run, name));
  assert.ok(pids.every(lives));
  run.child.kill('SIGINT');
  assert.is(await run.ended, 0, run.err);
  assert.not.ok(pids.some(lives));
  assert.not.ok(existsSync(join(directory, 'store', 'broker-a', 'abort')));
  const stops = [...run.err.matchAll(/^(\S+) +\| .*"msg":"stopped"/gm)].map(([, name]) => name);
  assert.equal(stops, ['broker-a', 'namesrv'], run.err);
  assert.match(run.err, /^cluster +\| SIGINT: stopping masters, slaves and the name server, in this order$/m);
});

test('a server that is killed is named, and the others go on until they are stopped', async ({
  directory,
}) => {
  const { run, port } = await startSingle(directory);
  const pid = pidOf(run, 'broker-a');
  process.kill(pid, 'SIGKILL');
  const sentence = `broker-a (master, process ${pid}) was ended by SIGKILL; the others go on`;
  await until('its end to be told', () => run.err.includes(sentence));
  assert.is(await new Run(['health', `127.0.0.1:${port}`]).ended, 0);
  run.child.kill('SIGTERM');
  assert.is(await run.ended, 0, run.err);
});

test('when the last one has ended it ends', async ({ directory }) => {
  const { run } = await startSingle(directory);
  for (const name of ['broker-a', 'namesrv']) process.kill(pidOf(run, name), 'SIGTERM');
  assert.is(await run.ended, 1, run.err);
  assert.match(run.err, /^cluster +\| no server is left$/m);
});

test('servers whose parent is killed stop, and leave a closed store', async ({ directory }) => {
  const { run } = await startSingle(directory);
  const pids = ['namesrv', 'broker-a'].map((name) => pidOf(run, name));
  run.child.kill('SIGKILL');
  await until('they have ended', () => !pids.some(lives));
  assert.not.ok(existsSync(join(directory, 'store', 'broker-a', 'abort')));
});

test('ports that are taken are named with whose they would be, and nothing is written', async ({
  directory,
}) => {
  const port = await freeClusterPort();
  const server = createServer().listen(port + 11, '127.0.0.1');
  await once(server, 'listening');
  const place = join(directory, 'none');
  const args = ['cluster', '--layout', '2m', '--dir', place, '--base-port', String(port)];
  const sentence = `^Ports of 127\\.0\\.0\\.1 cannot be had: ${port + 11} \\(broker-a\\) is in use\\. Stop what`;
  assert.is(await fails(args, new RegExp(sentence)), 1);
  assert.not.ok(existsSync(place));
  server.close();
});

test('the files can be had without a start; a server that cannot start ends that of all', async ({
  directory,
}) => {
  const port = String(await freeClusterPort());
  const args = ['cluster', 'start', '--layout', 'single', '--dir', directory, '--base-port', port];
  const files = new Run([...args, '--print']);
  assert.is(await files.ended, 0, files.err);
  const file = join(directory, 'broker-a.properties');
  assert.ok(files.out.includes(`# ${file}\n${readFileSync(file, 'utf8')}`));
  assert.not.ok(existsSync(join(directory, 'store')));
  writeFileSync(file, `${readFileSync(file, 'utf8')}fileReservedTime=long\n`);
  const sentence =
    /^broker-a +\| .*fileReservedTime=long is not possible[\s\S]*^broker-a has ended with exit code 2 /m;
  assert.is(await fails(args, sentence), 1);
});

test('wrong use, in both spellings', async () => {
  for (const start of [['cluster'], ['cluster', 'start']]) {
    assert.is(await fails([...start, '--layout', '2m-2s-snyc'], /did you mean 2m-2s-sync\?/), 2);
    assert.is(
      await fails([...start, '--layout', '2m', '--base-port', 'x'], /--base-port x is not possible/),
      2,
    );
  }
  assert.is(await fails(['cluster', 'start'], /^Which layout\? Give --layout/), 2);
  assert.is(await fails(['cluster', 'strat'], /too many arguments|Did you mean start\?/), 2);
});

test.run();
