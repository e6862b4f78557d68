// What a program can ask of a broker inside it, and what it hears.

import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  RingMQError,
  startBroker,
} from '../../src/index.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { asArray, asObject, parseBody } from '../../src/protocol/json-fields.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest, temporaryStore } from '../support/broker-process.ts';

const test = suite('API of an embedded broker');

/** Queues of a topic as clients find them through the name server, or undefined. */
async function routedQueues(broker: EmbeddedBroker, topic: string): Promise<number | undefined> {
  const client = new CommandClient({ address: broker.nameServer });
  const reply = await client.request(requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic }), 10_000);
  client.close();
  if (reply.code !== 0) return undefined;
  const [queues] = asArray(asObject(parseBody(reply.body))?.['queueDatas']);
  return Number(asObject(queues)?.['writeQueueNums']);
}

async function failure(promise: Promise<unknown>): Promise<RingMQError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason) => reason,
  );
  assert.instance(error, RingMQError, String(error));
  return error;
}

test('topics are there for clients when the start or createTopic resolves', async () => {
  const broker = await startBroker({
    topics: ['orders', { name: 'jobs', queues: 1 }],
    settings: { autoCreateTopicEnable: false },
  });
  assert.equal([await routedQueues(broker, 'orders'), await routedQueues(broker, 'jobs')], [4, 1]);
  const many = Array.from({ length: 20 }, (_, i) => `later-${i}`);
  await Promise.all(many.map((name, i) => broker.createTopic(name, { queues: i + 1 })));
  for (const [i, name] of many.entries()) assert.is(await routedQueues(broker, name), i + 1, name);
  await broker.createTopic('jobs', { queues: 3 });
  assert.is(await routedQueues(broker, 'jobs'), 3);
  assert.is(await routedQueues(broker, 'never made'), undefined);
  const refused = await failure(broker.createTopic('TBW102'));
  assert.equal(
    [refused.code, /^createTopic: .*system topic/.test(refused.message)],
    ['RINGMQ_TOPIC_REFUSED', true],
  );
  assert.is((await failure(broker.createTopic('a b'))).code, 'RINGMQ_BAD_OPTION');
  await broker[Symbol.asyncDispose]();
  assert.is((await failure(broker.createTopic('too-late'))).code, 'RINGMQ_CLOSED');
});

test('two calls for one topic with different numbers of queues both resolve, the later one holds', async () => {
  const broker = await startBroker();
  await Promise.all([
    broker.createTopic('jobs', { queues: 2 }),
    broker.createTopic('jobs', { queues: 5 }),
    broker.createTopic('jobs', { queues: 3 }),
  ]);
  assert.is(await routedQueues(broker, 'jobs'), 3);
  await broker.close();
});

test('topics that are under way when the broker is closed are made, or rejected as closed', async () => {
  const broker = await startBroker();
  const calls = Array.from({ length: 50 }, (_, i) => broker.createTopic(`late-${i % 5}`, { queues: i + 1 }));
  const outcomes = Promise.allSettled(calls);
  await broker.close();
  const rejected = (await outcomes).filter((outcome) => outcome.status === 'rejected');
  assert.ok(rejected.length > 0);
  for (const { reason } of rejected) assert.is(reason.code, 'RINGMQ_CLOSED', reason.message);
});

test('a start that fails says which option, keeps what the system said, and leaves nothing', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const store = temporaryStore();
  const start = (options: EmbeddedBrokerOptions) =>
    failure(startBroker({ store: store.directory, ...options }));
  for (const [options, code, message, cause] of [
    [{ port }, 'RINGMQ_PORT_IN_USE', /^startBroker: port: 127\.0\.0\.1:\d+ is in use: /, 'EADDRINUSE'],
    [{ nameServerPort: port }, 'RINGMQ_PORT_IN_USE', /^startBroker: nameServerPort: /, 'EADDRINUSE'],
    [{ host: '192.0.2.1' }, 'RINGMQ_BAD_ADDRESS', /^startBroker: host: 192\.0\.2\.1 is not/, 'EADDRNOTAVAIL'],
    [{ topics: ['TBW102'] }, 'RINGMQ_TOPIC_REFUSED', /^startBroker: topics: .*system topic/, undefined],
    [{ store: '/dev/null/store' }, 'RINGMQ_START_FAILED', /^startBroker: \/dev\/null.* place/, 'EEXIST'],
  ] as const) {
    const error = await start(options);
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.is((error.cause as NodeJS.ErrnoException).code, cause);
  }
  taken.close();
  const broker = await startBroker({ store: store.directory, host: 'localhost' });
  const inUse = await start({});
  assert.is(inUse.code, 'RINGMQ_STORE_IN_USE');
  await broker.close();
  store.remove();
});

test('a death is told to died and to the log, and topics cannot be made then', async () => {
  const lines: [level: string, message: string][] = [];
  const broker = await startBroker({
    log: {
      warn: (message) => lines.push(['warn', message]),
      error: (message) => lines.push(['error', message]),
    },
  });
  const client = new CommandClient({ address: broker.broker });
  const send = (key: string) => client.request(sendRequest('dying', 0, key, Buffer.alloc(8192)), 5_000);
  assert.is((await send('first')).code, 0);
  let reason: Error | undefined;
  void broker.died.then((error) => {
    reason = error;
  });
  const log = join(broker.store, 'commitlog');
  for (const name of readdirSync(log)) truncateSync(join(log, name), 0);
  while (reason === undefined) await send('later').catch(() => sleep(20));
  assert.instance(reason, RingMQError);
  assert.is((reason as RingMQError).code, 'RINGMQ_DIED');
  assert.match(reason.message, /stopped acknowledging: the CommitLog could not be written/);
  assert.equal(lines.at(-1), ['error', reason.message]);
  assert.is((await failure(broker.createTopic('too-late'))).code, 'RINGMQ_DIED');
  client.close();
  await broker.close();
  await broker.close();
  assert.not.ok(existsSync(broker.store));
});

test("'silent' drops the log, and close does not resolve died", async () => {
  const broker = await startBroker({ log: 'silent' });
  let died = false;
  void broker.died.then(() => {
    died = true;
  });
  await broker.close();
  await sleep(0);
  assert.not.ok(died);
});

test.run();
