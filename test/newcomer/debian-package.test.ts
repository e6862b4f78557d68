// The Debian package in a root of Debian 12: installed, started, upgraded, removed, purged.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Producer } from '../interop/scenarios/actors.ts';
import { java55 } from '../interop/support/clients.ts';
import { freeBrokerPort, freePort } from '../interop/support/ports.ts';
import { Program } from '../interop/support/program.ts';
import { interopSuite } from '../interop/support/suite.ts';
import type { Reachable } from '../interop/support/target.ts';
import { debianPackage } from '../packages/support/binary.ts';
import { DebianRoot } from './support/debian-root.ts';
import { newerThan } from './support/ringmq-package.ts';

const test = interopSuite('Debian package');
const START_MS = 60_000;
const root = new DebianRoot(['adduser', 'libstdc++6']);
const inRoot = (path: string) => join(root.folder, path);
const built = debianPackage();

function install(file: string): string {
  copyFileSync(file, inRoot('tmp/ringmq.deb'));
  const { code, output } = root.run('dpkg --force-confold -i /tmp/ringmq.deb');
  assert.is(code, 0, output);
  return output;
}

/** As its unit starts it: the user and the command are those of the file. */
async function serve(run: (cluster: Reachable) => Promise<void>): Promise<void> {
  const unit = readFileSync(inRoot('usr/lib/systemd/system/ringmq.service'), 'utf8');
  const [, user] = /^User=(.*)$/m.exec(unit) ?? [];
  const [, command] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const ids = root.run(`echo "$(id -u ${user}):$(id -g ${user})"`).output.trim();
  const [namesrvPort, port] = [await freePort(), await freeBrokerPort()];
  const line = `exec ${command} --namesrv-port ${namesrvPort} --port ${port}`;
  const [first = '', ...rest] = root.command(line, { user: ids });
  const program = new Program('ringmq', first, rest);
  const look = () => program.text.find((text) => text.startsWith('RingMQ ready:'));
  await program.waitFor('the ready line', look, START_MS);
  await run({ nameServer: { address: `127.0.0.1:${namesrvPort}` } });
  assert.is(await program.terminate(START_MS), 0);
}

test('what it asks for is there, and every file is as it was packed', () => {
  install(built);
  assert.equal(root.run('dpkg -V ringmq'), { code: 0, output: '' });
  assert.match(root.run('stat -c "%U %a" /var/lib/ringmq').output, /^ringmq 750$/m);
  assert.match(root.run('ringmq --version').output, /^\d+\.\d+\.\d+$/m);
  const bill = JSON.parse(readFileSync(inRoot('usr/share/doc/ringmq/bill-of-materials.cdx.json'), 'utf8'));
  assert.ok(bill.components.some(({ name }: { name: string }) => name === 'node'));
});

test('systemd takes its unit', () => {
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    [`--root=${root.folder}`, 'verify', '--recursive-errors=no', 'ringmq.service'],
    { encoding: 'utf8' },
  );
  assert.is(status, 0, `${stdout}${stderr}`);
});

test('it serves as its unit says, and an upgrade keeps messages and what was changed in its files', async () => {
  writeFileSync(
    inRoot('etc/ringmq/broker.conf'),
    'storePathRootDir=/var/lib/ringmq/store\nbrokerName=mine\n',
  );
  await serve(async (cluster) => {
    await new Producer(java55, cluster, { topic: 'kept', count: 50 }).finish();
  });
  install(newerThan(built));
  assert.match(root.run('dpkg -s ringmq').output, /^Version: .*\+next$/m);
  assert.match(readFileSync(inRoot('etc/ringmq/broker.conf'), 'utf8'), /brokerName=mine/);
  await serve(async () => {});
  const { code, output } = root.run('ringmq log check /var/lib/ringmq/store');
  assert.is(code, 0, output);
  // And back: the version before takes the store that the new one has left.
  install(built);
  await serve(async () => {});
});

test('removed and installed again it is as after the first time', () => {
  const enabled = 'test -L /etc/systemd/system/multi-user.target.wants/ringmq.service';
  assert.is(root.run(enabled).code, 0);
  assert.is(root.run('dpkg -r ringmq').code, 0);
  install(built);
  assert.is(root.run(enabled).code, 0);
  assert.match(root.run('stat -c "%G %a" /etc/ringmq/broker.conf').output, /^ringmq 664$/m);
});

test('removed it leaves configuration and messages, purged only messages', () => {
  assert.is(root.run('dpkg -r ringmq').code, 0);
  assert.not.ok(existsSync(inRoot('usr/bin/ringmq')));
  assert.ok(existsSync(inRoot('etc/ringmq/broker.conf')));
  const { code, output } = root.run('dpkg -P ringmq');
  assert.is(code, 0);
  assert.match(output, /messages in \/var\/lib\/ringmq\/store are kept/);
  assert.not.ok(existsSync(inRoot('etc/ringmq')));
  assert.ok(existsSync(inRoot('var/lib/ringmq/store/commitlog')));
});

test.run();
