// Under ASYNC_FLUSH what is sent becomes durable by itself, once per flushIntervalCommitLog.

import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest } from '../support/broker-process.ts';

const test = suite('flush interval');
/** Longer than the default interval on any machine, and shorter than the other one. */
const WAIT_MS = 3_000;

/** Whether a message that was sent is still not durable after `WAIT_MS`. */
async function waitsForSync(storeOptions: { flushIntervalCommitLog?: number }): Promise<boolean> {
  const broker = await startBroker({ storeOptions });
  const client = new CommandClient({ address: broker.broker });
  try {
    assert.is((await client.request(sendRequest('T', 0, 'k', Buffer.from('x')), 10_000)).code, 0);
    await sleep(WAIT_MS);
    const info = await client.request(requestCommand(RequestCode.GET_BROKER_RUNTIME_INFO), 10_000);
    const [, bytes] =
      /"remainHowManyDataToFlush":"(\d+) B"/.exec(Buffer.from(info.body ?? []).toString()) ?? [];
    assert.ok(bytes !== undefined, 'the broker says how much is not durable');
    return Number(bytes) > 0;
  } finally {
    client.close();
    await broker.close();
  }
}

test('the log is synced at the default interval, and not before a longer one is over', async () => {
  assert.is(await waitsForSync({}), false);
  assert.is(await waitsForSync({ flushIntervalCommitLog: 600_000 }), true);
});

test.run();
