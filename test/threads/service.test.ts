// A broker as a service: what its manager is told, and a log file that is rotated below it.

import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBrokerProcess, temporaryStore } from '../support/broker-process.ts';
import { Datagrams } from '../support/datagrams.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('a broker as a service');

test('its manager is told when it is ready, that it lives, and when it stops', async () => {
  const { directory, remove } = temporaryStore();
  const socket = join(directory, 'notify');
  const manager = await Datagrams.listen(socket);
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' };
  const broker = await startBrokerProcess(join(directory, 'store'), [], { env });
  const beats = () => manager.texts.filter((text) => text === 'WATCHDOG=1').length;
  await until('it has said several times that it lives', () => beats() >= 3);
  assert.match(
    manager.texts[0] ?? '',
    /^READY=1\nSTATUS=name server 127\.0\.0\.1:\d+, broker 127\.0\.0\.1:\d+/,
  );
  broker.child.kill('SIGTERM');
  assert.is(await broker.ended, 0);
  await until('the stop was told', () => manager.texts.includes('STOPPING=1\nSTATUS=stopping'));
  manager.close();
  remove();
});

test('its log is in a file, which may be renamed at any time', async () => {
  const { directory, remove } = temporaryStore();
  const path = join(directory, 'ringmq.log');
  const env = { RINGMQ_LOG_FILE: path };
  const broker = await startBrokerProcess(join(directory, 'store'), [], { env });
  await until('the start is written', () => /"the broker listens/.test(readFileSync(path, 'utf8')));
  renameSync(path, `${path}.1`);
  broker.child.kill('SIGUSR2');
  await until('there is a new one', () => existsSync(path));
  broker.child.kill('SIGTERM');
  assert.is(await broker.ended, 0);
  assert.match(readFileSync(path, 'utf8'), /"msg":"stopped"/);
  assert.not.match(readFileSync(`${path}.1`, 'utf8'), /"msg":"stopped"/);
  assert.is(broker.log(), '');
  remove();
});

test.run();
