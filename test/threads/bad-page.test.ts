// An old CommitLog file that cannot be read any more: its messages are errors, everything else goes on.

import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const test = suite('bad page');
const FILE = 8 * 1024 * 1024;
const MESSAGES = 30;
const BODY = Buffer.alloc(900_000, 'x');

for (const layout of ['dedicated', 'paired', 'inline']) {
  test(`the process that wrote the file goes on without it (${layout})`, async () => {
    const store = temporaryStore();
    const conf = `${store.directory}.conf`;
    writeFileSync(
      conf,
      // What is answered is durable: the trouble then is one of reading only.
      `flushDiskType=SYNC_FLUSH\nmappedFileSizeCommitLog=${FILE}\nmaxMessageSize=1048576\nringmq.engineLayout=${layout}\nringmq.networkThreads=1\n`,
    );
    const broker = await startBrokerProcess(store.directory, ['-c', conf]);
    const client = new CommandClient({ address: broker.broker });
    const pull = (offset: number) => client.request(pullRequest('T', 0, offset, 2_000), 10_000);
    const send = (key: string, body: Uint8Array) => client.request(sendRequest('T', 0, key, body), 5_000);
    try {
      for (let i = 0; i < MESSAGES; i++) assert.is((await send(`key-${i}`, BODY)).code, 0);
      assert.is((await pull(3)).code, 0);
      const log = join(store.directory, 'commitlog');
      truncateSync(join(log, readdirSync(log).sort()[0] as string), 4096);

      const bad = await pull(3);
      assert.is(bad.code, ResponseCode.SYSTEM_ERROR);
      assert.match(bad.remark ?? '', /offset 3 of queue 0 of topic T .*EIO/);
      for (const healthy of [12, MESSAGES - 1]) assert.is((await pull(healthy)).code, 0);
      for (let i = 0; i < 12; i++) assert.is((await send(`late-${i}`, BODY)).code, 0);
      assert.is((await pull(MESSAGES + 11)).code, 0, 'a file later messages are still found');

      const query = {
        topic: 'T',
        key: 'key-3',
        maxNum: '32',
        beginTimestamp: '0',
        endTimestamp: String(Number.MAX_SAFE_INTEGER),
      };
      const found = await client.request(requestCommand(RequestCode.QUERY_MESSAGE, query), 5_000);
      assert.is(found.code, ResponseCode.SYSTEM_ERROR);
      assert.match(found.remark ?? '', /position \d+ cannot be read/);
      client.close();
      broker.child.kill('SIGTERM');
      assert.is(await broker.ended, 0, broker.log());
    } finally {
      client.close();
      broker.child.kill('SIGKILL');
      store.remove();
    }
  });
}

test.run();
