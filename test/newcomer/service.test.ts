// The Debian package below a real systemd: started, upgraded and gone back under clients, watched, drained, rotated.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from '../interop/scenarios/actors.ts';
import { java55 } from '../interop/support/clients.ts';
import { Ledger } from '../interop/support/ledger.ts';
import { freeBrokerPort, freePort } from '../interop/support/ports.ts';
import { interopSuite } from '../interop/support/suite.ts';
import type { Reachable } from '../interop/support/target.ts';
import { debianPackage } from '../packages/support/binary.ts';
import { BootedRoot, noBoot } from './support/booted-root.ts';
import { DebianRoot } from './support/debian-root.ts';
import { newerThan } from './support/ringmq-package.ts';

const test = interopSuite('service');
const trouble = noBoot();
if (trouble !== undefined) process.stdout.write(`skipped: ${trouble}\n`);
const onService = trouble === undefined ? test : test.skip;

const PATIENCE = 90_000;
const STEP = 500;
const CONF = 'etc/ringmq/broker.conf';

/** A machine on which the package is installed. */
class Machine implements Reachable {
  readonly nameServer: { address: string };
  readonly #root: DebianRoot;
  readonly #booted: BootedRoot;

  private constructor(root: DebianRoot, booted: BootedRoot, address: string) {
    this.#root = root;
    this.#booted = booted;
    this.nameServer = { address };
  }

  static async start(file: string): Promise<Machine> {
    const root = new DebianRoot(['adduser', 'libstdc++6', 'logrotate', 'systemd', 'systemd-sysv']);
    const [namesrv, broker] = [await freePort(), await freeBrokerPort()];
    const machine = new Machine(root, await BootedRoot.boot(root), `127.0.0.1:${namesrv}`);
    const command = `/usr/bin/ringmq standalone -c /${CONF} --namesrv-port ${namesrv} --port ${broker}`;
    machine.override('ports', `ExecStart=\nExecStart=${command}`);
    machine.install(file);
    return machine;
  }

  run(script: string): string {
    const { code, output } = this.#booted.run(script);
    assert.is(code, 0, `${script}\n${output}`);
    return output.trim();
  }

  install(file: string): void {
    copyFileSync(file, this.path('root/ringmq.deb'));
    this.run('dpkg --force-confold -i /root/ringmq.deb');
  }

  path(file: string): string {
    return join(this.#root.folder, file);
  }

  /** As `systemctl edit` does. */
  override(name: string, lines: string): void {
    mkdirSync(this.path('etc/systemd/system/ringmq.service.d'), { recursive: true });
    writeFileSync(
      this.path(`etc/systemd/system/ringmq.service.d/${name}.conf`),
      lines === '' ? '' : `[Service]\n${lines}\n`,
    );
    this.run('systemctl daemon-reload');
  }

  /** A property of the unit. */
  shows(name: string): string {
    return this.run(`systemctl show --value -p ${name} ringmq`);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!isSo()) {
      if (performance.now() > end) assert.unreachable(`${what}\n${this.log()}`);
      await sleep(200);
    }
  }

  log(): string {
    return this.run('systemctl status --no-pager -l ringmq || true; journalctl --no-pager -u ringmq -n 30');
  }

  async off(): Promise<void> {
    await this.#booted.off();
  }
}

const built = trouble === undefined ? debianPackage() : '';
let machine: Machine;

onService('installed it serves, under its name, and systemd knows where', async () => {
  machine = await Machine.start(built);
  assert.is(machine.shows('ActiveState'), 'active', machine.log());
  assert.match(machine.shows('StatusText'), `name server ${machine.nameServer.address}`);
  assert.is(machine.run('cat /proc/$(systemctl show --value -p MainPID ringmq)/comm'), 'ringmq');
  assert.is(machine.run('ps -o user= -C ringmq 2>/dev/null || stat -c %U /var/lib/ringmq/store'), 'ringmq');
});

onService('an upgrade under clients, and the way back: whatever was acknowledged arrives', async () => {
  const [topic, group] = ['upgraded', 'upgraded-group'];
  await createTopic(java55, machine, topic);
  await introduceGroup(java55, machine, topic, group);
  const ledger = new Ledger();
  const consumer = new Consumer(java55, machine, { topic, group }, ledger);
  const args = { topic, 'until-stop': true, rate: 500, prefix: 'u', timeout: 1_000 };
  const producer = new Producer(java55, machine, args, ledger);
  const goesOn = (when: string) => {
    const wanted = producer.acked.length + STEP;
    const look = () => (producer.acked.length >= wanted ? true : undefined);
    return producer.program.waitFor(`sends ${when}`, look, PATIENCE);
  };
  await goesOn('before the upgrade');
  machine.install(newerThan(built));
  assert.match(machine.run('dpkg -s ringmq'), /^Version: .*\+next$/m);
  await goesOn('after the upgrade');
  machine.install(built);
  await goesOn('after the way back');
  assert.is(await producer.program.stop(), 0);
  await consumer.receives(ledger, PATIENCE);
  await consumer.stop();
  ledger.noneLost();
  assert.is(machine.shows('NRestarts'), '0', machine.log());
  assert.not.match(machine.run('journalctl --no-pager -u ringmq'), /will be checked/);
});

onService('one that is killed, and one whose main thread hangs, are started again', async () => {
  machine.override('watch', 'WatchdogSec=2\nTimeoutAbortSec=1\nRestartSec=100ms');
  machine.run('systemctl restart ringmq');
  machine.run('systemctl kill -s KILL ringmq');
  await machine.until('one restart', () => machine.shows('NRestarts') === '1');
  await machine.until('active', () => machine.shows('ActiveState') === 'active');
  machine.run('systemctl kill --kill-who=main -s STOP ringmq');
  await machine.until('two restarts', () => machine.shows('NRestarts') === '2');
  await machine.until('active', () => machine.shows('ActiveState') === 'active');
  assert.match(machine.run('journalctl --no-pager -u ringmq'), /Watchdog timeout/);
  machine.override('watch', '');
  machine.run('systemctl restart ringmq');
});

onService('a wrong configuration is told once', async () => {
  const right = readFileSync(machine.path(CONF), 'utf8');
  writeFileSync(machine.path(CONF), `${right}\nflushDiskType=SOMETIMES\n`);
  machine.run('! systemctl restart ringmq');
  assert.is(machine.shows('ExecMainStatus'), '2');
  assert.is(machine.shows('ActiveState'), 'failed');
  assert.match(machine.run('journalctl --no-pager -u ringmq -n 5'), /flushDiskType.*SOMETIMES/);
  writeFileSync(machine.path(CONF), right);
  machine.run('systemctl start ringmq');
  assert.is(machine.shows('ActiveState'), 'active');
});

onService('logrotate gives it a new file', async () => {
  const settings = machine.path('etc/default/ringmq');
  writeFileSync(settings, 'RINGMQ_LOG_FILE=/var/log/ringmq/ringmq.log\n');
  machine.run('systemctl restart ringmq');
  await machine.until('a log', () => machine.run('cat /var/log/ringmq/ringmq.log') !== '');
  machine.run('logrotate -f /etc/logrotate.d/ringmq');
  assert.match(machine.run('cat /var/log/ringmq/ringmq.log.1'), /RingMQ starts/);
  machine.run('systemctl kill --kill-who=main -s USR2 ringmq');
  machine.run('systemctl restart ringmq');
  const log = () => machine.run('cat /var/log/ringmq/ringmq.log');
  await machine.until('the log of the next start', () => log().includes('RingMQ starts'));
  assert.match(log(), /"msg":"stopped"/);
});

onService('a stop that waits for clients is given the time', async () => {
  const right = readFileSync(machine.path(CONF), 'utf8');
  writeFileSync(machine.path(CONF), `${right}\nringmq.drainTimeMillis=4000\n`);
  machine.override('drain', 'TimeoutStopSec=1');
  machine.run('systemctl restart ringmq');
  const group = 'stays';
  await createTopic(java55, machine, 'drained');
  const consumer = new Consumer(java55, machine, { topic: 'drained', group });
  await consumer.program.waitForEvent('ready', PATIENCE);
  machine.run('systemctl stop ringmq');
  assert.is(machine.shows('Result'), 'success', machine.log());
  assert.match(machine.run('tail -3 /var/log/ringmq/ringmq.log'), /"msg":"stopped"/);
  await consumer.program.kill();
});

onService('the store is whole, and the machine goes off', async () => {
  machine.run('ringmq log check /var/lib/ringmq/store');
  await machine.off();
});

test.run();
