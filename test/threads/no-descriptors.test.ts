// Clients take all descriptors of the broker: what it has open goes on, it does not halt, and it recovers.

import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const test = suite('no descriptors');
/** Enough for five threads that load their modules one file after the other, which the bundle spares real brokers. */
const DESCRIPTORS = 320;
const BODY = Buffer.alloc(100 * 1024, 'x');

/** More connections than the broker can take. */
async function crowd(address: string): Promise<Socket[]> {
  const port = Number(address.split(':').pop());
  const sockets = Array.from({ length: 2 * DESCRIPTORS }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {});
  await sleep(1_000);
  return sockets;
}

function keyQuery(key: string): RemotingCommand {
  const times = { beginTimestamp: '0', endTimestamp: String(Number.MAX_SAFE_INTEGER) };
  return requestCommand(RequestCode.QUERY_MESSAGE, { topic: 'T', key, maxNum: '32', ...times });
}

for (const flush of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  test(`sends and pulls go on over several files, and a stop is clean (${flush})`, async () => {
    const store = temporaryStore();
    const conf = `${store.directory}.conf`;
    writeFileSync(
      conf,
      `flushDiskType=${flush}\nmappedFileSizeCommitLog=2097152\nmaxMessageSize=1048576\nmappedFileSizeConsumeQueue=200\n`,
    );
    const broker = await startBrokerProcess(store.directory, ['-c', conf], { descriptors: DESCRIPTORS });
    const client = new CommandClient({ address: broker.broker });
    let sockets: Socket[] = [];
    try {
      let sent = 0;
      const send = async () => {
        const reply = await client.request(sendRequest('T', 0, `key-${sent}`, BODY), 10_000);
        if (reply.code === 0) sent++;
        return reply.code;
      };
      for (let i = 0; i < 5; i++) assert.is(await send(), 0);
      sockets = await crowd(broker.broker);
      let refused = 0;
      for (let i = 0; i < 60; i++) if ((await send()) !== 0) refused++;
      // The first that waits for its time: who delivers it has a thread of its own.
      const delayed = sendRequest('T', 1, 'later', BODY, [['DELAY', '1']]);
      while ((await client.request(delayed, 10_000)).code !== 0) await sleep(100);
      // A query by key needs a thread of its own: it is answered one way or the other.
      await client.request(keyQuery('key-1'), 30_000);
      assert.is(broker.child.exitCode, null, broker.log());
      for (const socket of sockets) socket.destroy();
      const before = sent;
      while ((await send()) !== 0) await sleep(100);
      assert.ok(before >= 20, `${before} sent, ${refused} refused`);
      const found = await client.request(keyQuery('key-1'), 30_000);
      assert.is(found.code, 0, found.remark);
      for (let offset = 0; offset < sent; ) {
        const pulled = await client.request(pullRequest('T', 0, offset, 10_000), 20_000);
        assert.is(pulled.code, 0, pulled.remark);
        offset = Number(pulled.fields['nextBeginOffset']);
      }
      const later = await client.request(pullRequest('T', 1, 0, 15_000), 20_000);
      assert.is(later.code, 0, `${later.remark}\n${broker.log()}`);
      client.close();
      broker.child.kill('SIGTERM');
      assert.is(await broker.ended, 0, broker.log());
    } finally {
      client.close();
      for (const socket of sockets) socket.destroy();
      broker.child.kill('SIGKILL');
      store.remove();
    }
  });
}

/** How many descriptors the process may have from now on. */
function limitDescriptors(pid: number, count: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`]);
}

test('delivery whose thread cannot be loaded is tried again, and delivers what has waited', async () => {
  const store = temporaryStore();
  const broker = await startBrokerProcess(store.directory);
  const client = new CommandClient({ address: broker.broker });
  const pid = broker.child.pid as number;
  try {
    assert.is((await client.request(sendRequest('T', 0, 'first', Buffer.from('x')), 10_000)).code, 0);
    // A file at a time can be opened, but no event loop for a thread, which takes several.
    limitDescriptors(pid, readdirSync(`/proc/${pid}/fd`).length + 3);
    const delayed = sendRequest('T', 1, 'later', Buffer.from('y'), [['DELAY', '1']]);
    assert.is((await client.request(delayed, 10_000)).code, 0);
    while (!broker.log().includes('delivery of delayed messages cannot start')) {
      assert.is(broker.child.exitCode, null, broker.log());
      await sleep(20);
    }
    limitDescriptors(pid, 1024);
    const later = await client.request(pullRequest('T', 1, 0, 15_000), 20_000);
    assert.is(later.code, 0, `${later.remark}\n${broker.log()}`);
    broker.child.kill('SIGTERM');
    assert.is(await broker.ended, 0, broker.log());
  } finally {
    client.close();
    broker.child.kill('SIGKILL');
    store.remove();
  }
});

test.run();
