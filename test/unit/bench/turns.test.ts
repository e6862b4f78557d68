import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Target } from '../../../bench/rocketmq/target.ts';
import { alone, settle } from '../../../bench/rocketmq/turns.ts';

async function busyProcess(): Promise<ChildProcess> {
  const endless = "process.stdout.write('up'); for (;;);";
  const child = spawn(process.execPath, ['-e', endless], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return child;
}

async function broker(): Promise<{ child: ChildProcess; target: Target }> {
  const child = await busyProcess();
  const parts = { port: 0, nameServerPort: 0, store: '', helpers: [], log: '', startedAt: 0 };
  return { child, target: new Target({ ...parts, broker: child }) };
}

/** Letter of the process's state: R, S, T (stopped) … */
function stateOf({ pid }: ChildProcess): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] as string;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

test('a broker stands still while another is measured and goes on afterwards', async () => {
  const { child, target } = await broker();
  await alone([target], async () => {
    await until(() => stateOf(child) === 'T');
    const before = target.cpuSeconds;
    await sleep(50);
    assert.is(target.cpuSeconds, before);
  });
  await until(() => stateOf(child) !== 'T');
  await target.stop();
});

test('its proxy stands still and goes on with it, counts apart, and ends with it', async () => {
  const { child, target } = await broker();
  const proxy = await busyProcess();
  assert.is(target.proxyCpuSeconds, undefined);
  target.attach({ port: 7, child: proxy, log: '' });
  assert.is(target.proxyPort, 7);
  await alone([target], async () => {
    await until(() => stateOf(child) === 'T' && stateOf(proxy) === 'T');
    assert.ok(target.cpuSeconds >= (target.proxyCpuSeconds as number));
  });
  await until(() => stateOf(child) !== 'T' && stateOf(proxy) !== 'T');
  await target.stop();
  assert.is(proxy.signalCode, 'SIGKILL');
});

test('a broker whose proxy has died is of no use any more', async () => {
  const { target } = await broker();
  const proxy = await busyProcess();
  target.attach({ port: 7, child: proxy, log: '' });
  assert.is(target.death, undefined);
  proxy.kill('SIGKILL');
  await until(() => target.death !== undefined);
  assert.match(target.death as string, /^its proxy died \(signal SIGKILL\)/);
  await target.stop();
});

test('its slave stands still and goes on with it, counts apart, and ends with it', async () => {
  const { child, target } = await broker();
  const slave = await busyProcess();
  assert.is(target.slaveCpuSeconds, undefined);
  assert.is(target.slaveMemory, undefined);
  target.followedBy({ port: 7, store: 'slave', child: slave, log: '' });
  assert.is(target.slave?.store, 'slave');
  assert.ok((target.slaveMemory?.anonymousBytes ?? 0) > 0);
  await alone([target], async () => {
    await until(() => stateOf(child) === 'T' && stateOf(slave) === 'T');
    assert.ok((target.slaveCpuSeconds as number) > 0);
    assert.ok(target.cpuSeconds >= (target.slaveCpuSeconds as number));
  });
  await until(() => stateOf(child) !== 'T' && stateOf(slave) !== 'T');
  await target.stop();
  assert.is(slave.signalCode, 'SIGKILL');
});

test('a master whose slave has died is of no use any more', async () => {
  const { target } = await broker();
  const slave = await busyProcess();
  target.followedBy({ port: 7, store: '', child: slave, log: '' });
  assert.is(target.death, undefined);
  slave.kill('SIGKILL');
  await until(() => target.death !== undefined);
  assert.match(target.death as string, /^its slave died \(signal SIGKILL\)/);
  await target.stop();
});

test('it goes on after a round that failed, and ends even while it stands still', async () => {
  const { child, target } = await broker();
  const broken = () => Promise.reject(new Error('broken'));
  const reason = await alone([target], broken).catch((error: Error) => error.message);
  assert.is(reason, 'broken');
  await until(() => stateOf(child) !== 'T');
  await alone([target], () => target.stop());
  assert.is(child.signalCode, 'SIGKILL');
});

test('the next round waits until the broker before it is at rest', async () => {
  const looks = [1000, 500, 300, 0.001];
  let cpuSeconds = 0;
  let reads = 0;
  const busy = {
    // each look reads it twice
    get cpuSeconds() {
      if (reads++ % 2 === 1) cpuSeconds += looks.shift() as number;
      return cpuSeconds;
    },
    pause() {},
    resume() {},
  };
  const share = await settle([busy], 10);
  assert.equal(looks, []);
  assert.ok(share < 0.2);
  assert.is(await settle([]), 0);
});

test.run();
