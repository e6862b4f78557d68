// A broker killed right after a pop: what was popped is nobody else's after the restart, also where the broker was
// killed before it has written a single offset.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  recordsIn,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const TOPIC = 'popped';
const LONG_MS = 300_000;
const SAVED_MS = 60_000;
const test = suite('kill -9 after a pop');
let running: BrokerProcess | undefined;

async function start(directory: string): Promise<[BrokerProcess, CommandClient]> {
  const broker = await startBrokerProcess(directory);
  running = broker;
  return [broker, new CommandClient({ address: broker.broker })];
}

/** Unique keys of what comes. */
async function pop(client: CommandClient, count: number, pollMs = 0, order = false): Promise<string[]> {
  const request = requestCommand(RequestCode.POP_MESSAGE, {
    consumerGroup: 'poppers',
    topic: TOPIC,
    queueId: '0',
    maxMsgNums: String(count),
    invisibleTime: String(LONG_MS),
    pollTime: String(pollMs),
    bornTime: String(Date.now()),
    initMode: '0',
    expType: 'TAG',
    exp: '*',
    order: String(order),
  });
  const { code, body } = await client.request(request, 10_000);
  if (code === ResponseCode.POLLING_TIMEOUT) return [];
  assert.is(code, 0);
  return recordsIn(body ?? new Uint8Array()).map((record) => record?.properties.get('UNIQ_KEY') ?? '');
}

async function kill(broker: BrokerProcess, client: CommandClient): Promise<void> {
  broker.child.kill('SIGKILL');
  await broker.ended;
  client.close();
}

async function send(client: CommandClient, key: string): Promise<void> {
  assert.is((await client.request(sendRequest(TOPIC, 0, key, Buffer.from(key)), 10_000)).code, 0);
}

test('it stays invisible, over several kills of a young store', async () => {
  const { directory, remove } = temporaryStore();
  const popped: string[] = [];
  for (let round = 0; round < 3; round++) {
    const [broker, client] = await start(directory);
    const keys = [`${round}-a`, `${round}-b`, `${round}-c`];
    for (const key of keys) await send(client, key);
    const now = await pop(client, 2, 5_000);
    assert.equal(
      now.filter((key) => popped.includes(key)),
      [],
      'nothing twice',
    );
    assert.ok(now.length > 0);
    popped.push(...now);
    await kill(broker, client);
  }
  const [broker, client] = await start(directory);
  for (let more = await pop(client, 32, 1_000); more.length > 0; more = await pop(client, 32, 1_000))
    popped.push(...more);
  assert.equal(
    popped.toSorted(),
    [0, 1, 2].flatMap((round) => ['a', 'b', 'c'].map((key) => `${round}-${key}`)),
  );
  await kill(broker, client);
  remove();
});

test('an ordered group has its queue held up also after its file was saved', async () => {
  const { directory, remove } = temporaryStore();
  const [broker, client] = await start(directory);
  for (const key of ['a', 'b']) await send(client, key);
  assert.equal(await pop(client, 1, 5_000, true), ['a']);
  await saved(join(directory, 'config', 'consumerOrderInfo.json'), '"popped@poppers"');
  await saved(join(directory, 'config', 'consumerOffset.json'), 'POP_ORDER_JOURNAL@');
  await kill(broker, client);
  const [again, other] = await start(directory);
  assert.equal(await pop(other, 32, 1_000, true), []);
  await kill(again, other);
  remove();
});

/** Waits until the file says so. */
async function saved(path: string, text: string): Promise<void> {
  for (const end = Date.now() + SAVED_MS; ; await sleep(100)) {
    if (existsSync(path) && readFileSync(path, 'utf8').includes(text)) return;
    if (Date.now() > end) throw new Error(`${path} does not say ${text} after ${SAVED_MS} ms`);
  }
}

test.after(() => {
  running?.child.kill('SIGKILL');
});

test.run();
