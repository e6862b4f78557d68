// Part of an old CommitLog file cannot be read any more: real consumers get everything that can, and are not stuck.

import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest } from '../support/broker-process.ts';
import { Consumer } from './scenarios/actors.ts';
import { go2, java49, java55, type Kit } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { startRingStandalone } from './support/ringmq.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('unreadable messages');
const TOPIC = 'unreadable';
const MESSAGES = 60;
const BODY = Buffer.alloc(100_000, 'x');
/** About twenty messages; the broker is patient with a device for half a minute. */
const FILE = 2 * 1024 * 1024;
const LEFT = 300_000;
const WITHIN = 120_000;

test('consumers of all three clients get what can be read, before and behind, and what is sent later', async () => {
  const { nameServer, broker } = await startRingStandalone({
    conf: { flushDiskType: 'SYNC_FLUSH', mappedFileSizeCommitLog: FILE, maxMessageSize: 1024 * 1024 },
  });
  const client = new CommandClient({ address: broker.address });
  const kits: [string, Kit][] = [
    ['java55', java55],
    ['java49', java49],
    ['go2', go2],
  ];
  const ledgers = kits.map(() => new Ledger());
  const lost = new Set<string>();
  const send = async (key: string) => {
    const reply = await client.request(sendRequest(TOPIC, 0, key, BODY), 10_000);
    assert.is(reply.code, 0, reply.remark);
    const id = String(reply.fields['msgId']);
    const position = Number(`0x${id.slice(-16)}`);
    if (position + BODY.length > LEFT && position < FILE) lost.add(key);
    else for (const ledger of ledgers) ledger.send(key);
  };
  for (let i = 0; i < MESSAGES; i++) await send(`key-${i}`);
  assert.ok(lost.size > 10 && lost.size < MESSAGES - 30, `${lost.size} are lost`);
  const log = join(broker.store, 'commitlog');
  truncateSync(join(log, readdirSync(log).sort()[0] as string), LEFT);

  const cluster = { nameServer, broker, stop: () => broker.stop() };
  const consumers = kits.map(
    ([group, kit], i) => new Consumer(kit, cluster, { topic: TOPIC, group }, ledgers[i]),
  );
  await Promise.all(consumers.map((consumer, i) => consumer.receives(ledgers[i] as Ledger, WITHIN)));
  for (let i = 0; i < 5; i++) await send(`late-${i}`);
  await Promise.all(consumers.map((consumer, i) => consumer.receives(ledgers[i] as Ledger, WITHIN)));
  for (const ledger of ledgers) ledger.atLeastOnce();
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  client.close();
  await broker.stop();
});

test.run();
