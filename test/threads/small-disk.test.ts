// A broker with the standard files of 1 GiB on a disk that holds a part of one.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { canHaveSmallDisk, readQueue, sendRequest, startBrokerProcess } from '../support/broker-process.ts';

const test = suite('small disk');
const MIB = 1024 * 1024;
const DISK_MIB = 200;
const FILLER_MIB = 60;
const BODY = Buffer.alloc(MIB, 'x');
/** The disk's fill is looked at every ten seconds. */
const LONGEST_WAIT_MS = 60_000;

async function usesTheDiskUp(directory: string): Promise<void> {
  const smallDisk = { directory, megabytes: DISK_MIB };
  const broker = await startBrokerProcess(join(directory, 'store'), [], { smallDisk });
  // The disk as the broker sees it.
  const disk = join('/proc', String(broker.child.pid), 'root', directory);
  const log = join(disk, 'store/commitlog/00000000000000000000');
  const client = new CommandClient({ address: broker.broker });
  const sent: string[] = [];
  const send = async () => {
    const key = `key-${sent.length}`;
    const reply = await client.request(sendRequest('T', 0, key, BODY), 30_000);
    if (reply.code === 0) sent.push(key);
    return reply;
  };
  assert.is((await send()).code, 0);
  assert.is(statSync(log).size, 1024 * MIB, 'the file has the size that RocketMQ expects');
  assert.ok(statSync(log).blocks * 512 <= 65 * MIB, 'and takes little of the disk');
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(FILLER_MIB * MIB, 1));
  let refusal = await send();
  while (refusal.code === 0) refusal = await send();
  assert.match(refusal.remark ?? '', /disk|room/);
  assert.ok(sent.length > (DISK_MIB - FILLER_MIB) * 0.8, `${sent.length} MiB were taken`);
  rmSync(filler);
  const before = sent.length;
  for (let waited = 0; waited < LONGEST_WAIT_MS && sent.length === before; waited += 100) {
    await sleep(100);
    await send();
  }
  assert.ok(sent.length > before, 'sends go on');
  await sleep(1000);
  assert.equal(await readQueue(client, 'T', 0), sent);
  client.close();
  broker.child.kill('SIGTERM');
  assert.is(await broker.ended, 0, broker.log());
}

if (canHaveSmallDisk()) {
  test('a disk far smaller than a CommitLog file is used up, and goes on when there is room', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ringmq-small-'));
    try {
      await usesTheDiskUp(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
} else {
  console.log('skipped: a broker on a small disk (no right to mount a file system here)');
  test.skip('a disk far smaller than a CommitLog file is used up, and goes on when there is room');
}

test.run();
