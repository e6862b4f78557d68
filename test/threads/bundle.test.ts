// What `npm start` and installed packages run: the bundles of packaging/steps/bundle.mjs. All other tests run the
// compiler's output, so this one is about files finding each other: threads, addon, packages.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { freeClusterPort } from '../interop/support/ports.ts';
import { pullRequest, sendRequest, temporaryStore } from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const BUNDLE = new URL('../../bundle/', import.meta.url);
const ENTRY = new URL('../../../packaging/entry/', import.meta.url);
const require = createRequire(import.meta.url);

const test = suite('bundles');

async function sendsAndPulls(broker: string): Promise<void> {
  const client = new CommandClient({ address: broker });
  const sent = await client.request(sendRequest('bundled', 0, 'key', Buffer.from('hello')), 5_000);
  assert.is(sent.code, 0, sent.remark);
  const pulled = await client.request(pullRequest('bundled', 0, 0, 5_000), 10_000);
  assert.is(pulled.code, 0, pulled.remark);
  client.close();
}

test('the library starts a broker', async () => {
  const library = (await import(new URL('index.mjs', ENTRY).href)) as typeof import('../../src/index.ts');
  const broker = await library.startBroker();
  await sendsAndPulls(broker.broker);
  await broker.close();
});

test('import and require give the same, and all that src/index.ts exports', async () => {
  const imported = await import(new URL('index.mjs', ENTRY).href);
  const required = require(fileURLToPath(new URL('index.cjs', ENTRY)));
  const names = Object.keys(await import('../../src/index.ts')).sort();
  assert.equal(Object.keys(required).sort(), names);
  assert.equal(Object.keys(imported).sort(), names, 'packaging/entry/index.mjs');
  for (const name of names) assert.is(imported[name], required[name], name);
});

test('the command line starts a broker and stops it cleanly', async () => {
  const store = temporaryStore();
  const main = fileURLToPath(new URL('ringmq.cjs', ENTRY));
  const args = [main, 'standalone', '--port', '0', '--namesrv-port', '0', '--store', store.directory];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const [ready] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  const broker = /broker (\S+), store/.exec(String(ready))?.[1];
  assert.ok(broker, `ready line: ${ready}`);
  await sendsAndPulls(broker);
  const nameServer = /name server ([^ ,]+)/.exec(String(ready))?.[1] ?? '';
  const listed = spawnSync(process.execPath, [main, 'topic', 'list', '-n', nameServer], { encoding: 'utf8' });
  assert.match(listed.stdout, /^bundled +NORMAL /m, listed.stderr);
  child.kill('SIGTERM');
  assert.equal(await ended, [0, null]);
  store.remove();
});

test('the command line starts a cluster, whose slaves follow their masters', async () => {
  const store = temporaryStore();
  const main = fileURLToPath(new URL('ringmq.cjs', ENTRY));
  const port = String(await freeClusterPort());
  const args = ['cluster', 'start', '--layout', '2m-2s-async', '--dir', store.directory, '--base-port', port];
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let log = '';
  child.stderr.on('data', (data) => {
    log += data;
  });
  const [ready] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
  assert.match(String(ready), /^RingMQ ready: cluster 2m-2s-async, /, log);
  const follows = () =>
    [...log.matchAll(/^(\S+) +\| .*this slave follows its master/gm)].map(([, name]) => name);
  await until('both slaves follow', () => follows().length === 2);
  assert.equal(follows().sort(), ['broker-a-s', 'broker-b-s']);
  child.kill('SIGTERM');
  assert.equal(await ended, [0, null], log);
  store.remove();
});

test('the pool finds its jobs', () => {
  const jobs = require(fileURLToPath(new URL('jobs.thread.cjs', BUNDLE)));
  assert.equal([typeof jobs.followLog, typeof jobs.findByKey], ['function', 'function']);
});

test.run();
