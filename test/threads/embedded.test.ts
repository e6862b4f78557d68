// Brokers inside this process, as a Node program's tests would start them.

import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { readQueue, sendRequest, temporaryStore, untilQueueHolds } from '../support/broker-process.ts';

const test = suite('embedded broker');

test('several brokers live in one process, apart from each other; a temporary store goes with its broker', async () => {
  const brokers = await Promise.all([startBroker(), startBroker()]);
  const clients = brokers.map(({ broker }) => new CommandClient({ address: broker }));
  for (const [i, client] of clients.entries()) {
    const reply = await client.request(sendRequest('mine', 0, `key-${i}`, Buffer.from('hello')), 5_000);
    assert.is(reply.code, 0, reply.remark);
  }
  for (const [i, client] of clients.entries()) {
    assert.equal(await readQueue(client, 'mine', 0), [`key-${i}`]);
    client.close();
  }
  await Promise.all(brokers.map((broker) => broker.close()));
  for (const { store } of brokers) assert.not.ok(existsSync(store));
});

test('the name server routes to the broker; a blocked event loop of the host does not stop either', async () => {
  const broker = await startBroker({ brokerName: 'in-process' });
  const names = new CommandClient({ address: broker.nameServer });
  const route = names.request(requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'TBW102' }), 5_000);
  const until = performance.now() + 200;
  while (performance.now() < until);
  const reply = await route;
  assert.is(reply.code, 0);
  assert.match(Buffer.from(reply.body ?? []).toString(), broker.broker);
  names.close();
  await broker.close();
});

test('a given store is kept, and opened again with everything in it', async () => {
  const store = temporaryStore();
  for (const round of [1, 2, 3]) {
    const broker = await startBroker({
      store: store.directory,
      storeOptions: { mappedFileSizeCommitLog: 16 << 20 },
    });
    const client = new CommandClient({ address: broker.broker });
    assert.is(
      (await client.request(sendRequest('kept', 1, `round-${round}`, Buffer.from('x')), 5_000)).code,
      0,
    );
    const expected = Array.from({ length: round }, (_, i) => `round-${i + 1}`);
    await untilQueueHolds(client, 'kept', 1, round);
    assert.equal(await readQueue(client, 'kept', 1), expected);
    client.close();
    await broker.close();
  }
  store.remove();
});

test('a broker whose log fails resolves died, and its host goes on', async () => {
  const broker = await startBroker();
  const client = new CommandClient({ address: broker.broker });
  const send = (key: string) => client.request(sendRequest('dying', 0, key, Buffer.alloc(8192)), 5_000);
  assert.is((await send('first')).code, 0);
  const log = join(broker.store, 'commitlog');
  for (const name of readdirSync(log)) truncateSync(join(log, name), 0);
  let reason: Error | undefined;
  void broker.died.then((error) => {
    reason = error;
  });
  for (let i = 0; i < 200 && reason === undefined; i++) {
    await send(`late-${i}`).catch(() => sleep(50));
  }
  assert.match(reason?.message ?? 'it lives', /stopped acknowledging/);
  client.close();
  await broker.close();
  assert.not.ok(existsSync(broker.store));
});

test('a start that cannot succeed rejects with a sentence and leaves nothing behind', async () => {
  const store = temporaryStore();
  const first = await startBroker({ store: store.directory });
  let message = '';
  await startBroker({ store: store.directory }).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, /in use by another broker/);
  await first.close();
  store.remove();
});

test.run();
