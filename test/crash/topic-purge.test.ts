// A topic is purged while messages come, and the broker is killed at some moment of that: what was purged when the
// request was answered stays so, what was acknowledged after it is there, and the numbers go on; also when all queues
// have to be built again from the log.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  pullRequest,
  recordsIn,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';
import { Random } from '../support/random.ts';

const TOPIC = 'purged';
const ROUNDS = 4;
/** Messages of a round, and after how many of its answers the broker is killed. */
const MESSAGES = 120;
const test = suite('kill -9 during purges');

/** What the client was told. */
interface Told {
  /** Offset that the next message has at least. */
  sent: number;
  /** Messages before it are purged at least. */
  purged: number;
  /** Messages before it may be. */
  asked: number;
}

async function kill(broker: BrokerProcess): Promise<void> {
  broker.child.kill('SIGKILL');
  await broker.ended;
}

async function withClient<T>(broker: BrokerProcess, use: (client: CommandClient) => Promise<T>): Promise<T> {
  const client = new CommandClient({ address: broker.broker });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Sends and purges by turns, until the broker is killed behind the answer with this number. */
async function round(
  broker: BrokerProcess,
  client: CommandClient,
  told: Told,
  answers: number,
): Promise<void> {
  const purges: Promise<void>[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    if (i === answers) await kill(broker);
    if (i % 40 === 30) purges.push(purge(client, told));
    const name = `m${told.sent}`;
    const answer = await client
      .request(sendRequest(TOPIC, 0, name, Buffer.from(name)), 10_000)
      .catch(() => undefined);
    if (answer === undefined) break;
    assert.is(answer.code, 0, answer.remark);
    assert.is(Number(answer.fields['queueOffset']), told.sent);
    told.sent++;
  }
  await Promise.all(purges);
}

async function purge(client: CommandClient, told: Told): Promise<void> {
  const before = told.sent;
  const answer = await client
    .request(requestCommand(RequestCode.PURGE_TOPIC, { topic: TOPIC }), 30_000)
    .catch(() => undefined);
  // A message that was on its way may be purged, acknowledged or not.
  told.asked = Math.max(told.asked, told.sent + 1);
  if (answer === undefined) return;
  assert.is(answer.code, ResponseCode.SUCCESS, answer.remark);
  told.purged = Math.max(told.purged, before);
}

async function offset(client: CommandClient, code: number): Promise<number> {
  const answer = await client.request(requestCommand(code, { topic: TOPIC, queueId: '0' }), 10_000);
  return Number(answer.fields['offset']);
}

/** The queue is what the client was told; returns its first offset. */
async function check(broker: BrokerProcess, told: Told, what: string): Promise<number> {
  return withClient(broker, async (client) => {
    const first = await offset(client, RequestCode.GET_MIN_OFFSET);
    const end = await offset(client, RequestCode.GET_MAX_OFFSET);
    assert.ok(
      first >= told.purged && first <= told.asked,
      `${what}: begins at ${first}, ${JSON.stringify(told)}`,
    );
    assert.ok(end >= told.sent && end <= told.sent + 1, `${what}: ends at ${end}, ${JSON.stringify(told)}`);
    const names: string[] = [];
    while (first + names.length < end) {
      const { code, body } = await client.request(pullRequest(TOPIC, 0, first + names.length), 10_000);
      assert.is(code, 0, what);
      names.push(
        ...recordsIn(body ?? new Uint8Array(0)).map((record) => record?.properties.get('UNIQ_KEY') ?? ''),
      );
    }
    assert.equal(
      names,
      Array.from({ length: end - first }, (_, i) => `m${first + i}`),
      what,
    );
    told.sent = end;
    told.purged = first;
    return first;
  });
}

test('what was purged stays so, and nothing else is', async () => {
  const store = temporaryStore();
  const random = new Random(7);
  const told: Told = { sent: 0, purged: 0, asked: 0 };
  let broker = await startBrokerProcess(store.directory);
  try {
    for (let i = 0; i < ROUNDS; i++) {
      await withClient(broker, (client) => round(broker, client, told, random.int(25, MESSAGES)));
      await kill(broker);
      broker = await startBrokerProcess(store.directory);
      const first = await check(broker, told, `round ${i}`);
      await kill(broker);
      rmSync(join(store.directory, 'consumequeue'), { recursive: true });
      rmSync(join(store.directory, 'index'), { recursive: true, force: true });
      broker = await startBrokerProcess(store.directory);
      assert.is(await check(broker, told, `round ${i}, without queues`), first);
    }
    assert.ok(told.purged > 0, 'something was purged');
  } finally {
    await kill(broker);
    store.remove();
  }
});

test.run();
