// A broker killed between "given back" and "came again": every message whose giving back was acknowledged comes again,
// at least once and in order, as often as its group's policy says, and in the end lies in the dead letter queue.

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import type { StoredMessage } from '../../src/record/decode.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  readRecords,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const COUNT = 400;
const GROUP = 'failing';
const RETRIES = `%RETRY%${GROUP}`;
const DEAD = `%DLQ%${GROUP}`;
const MOST = 2;
const LOOK_EVERY_MS = 20;
const LOOK_FOR_MS = 60_000;
/**
 * The first retry waits at a level, the second, for which there is none, with the timed messages. A policy that was
 * lost would choose the third level.
 */
const CONF = 'messageDelayLevel=1s 2s 1h 1h\n';
const POLICY = { type: 'CUSTOMIZED', customizedRetryPolicy: { next: [1, 1, 1_000, 1_700] } };

const test = suite('kill -9 between given back and come again');

/** A broker that is killed and started again on its store. */
class Mortal {
  readonly #store = temporaryStore();
  readonly #conf = `${this.#store.directory}.conf`;
  #broker: BrokerProcess | undefined;
  #client: CommandClient | undefined;

  constructor(conf: string) {
    writeFileSync(this.#conf, CONF + conf);
  }

  get client(): CommandClient {
    assert.ok(this.#client !== undefined);
    return this.#client;
  }

  async start(): Promise<void> {
    this.#broker = await startBrokerProcess(this.#store.directory, ['-c', this.#conf]);
    this.#client = new CommandClient({ address: this.#broker.broker });
  }

  kill(): void {
    this.#broker?.child.kill('SIGKILL');
  }

  async again(): Promise<void> {
    this.kill();
    await this.#broker?.ended;
    this.#client?.close();
    await this.start();
  }

  async end(): Promise<void> {
    this.kill();
    await this.#broker?.ended;
    this.#client?.close();
    this.#store.remove();
    rmSync(this.#conf);
  }
}

async function prepare(client: CommandClient): Promise<void> {
  const group = { groupName: GROUP, retryMaxTimes: MOST, groupRetryPolicy: POLICY };
  const body = Buffer.from(JSON.stringify(group));
  const made = await client.request(
    requestCommand(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, body),
    5_000,
  );
  assert.is(made.code, 0, made.remark);
  for (let i = 0; i < COUNT; i++) {
    const reply = await client.request(sendRequest('failed', 0, `k${i}`, Buffer.from('x')), 5_000);
    assert.is(reply.code, 0, reply.remark);
  }
}

/** Gives them back all at once, one behind the other; returns the keys whose giving back was acknowledged. */
async function giveBack(
  client: CommandClient,
  messages: readonly StoredMessage[],
  onAcknowledged: (count: number) => void = () => {},
  delayLevel = '0',
): Promise<string[]> {
  const acknowledged: string[] = [];
  const give = async (message: StoredMessage): Promise<void> => {
    const fields = { group: GROUP, offset: String(message.physicalOffset), delayLevel };
    try {
      const reply = await client.request(requestCommand(RequestCode.CONSUMER_SEND_MSG_BACK, fields), 10_000);
      if (reply.code !== 0) return;
    } catch {
      return; // the broker is dead
    }
    acknowledged.push(keyOf(message));
    onAcknowledged(acknowledged.length);
  };
  await Promise.all(messages.map(give));
  return acknowledged;
}

function keyOf(message: StoredMessage): string {
  return message.properties.get('UNIQ_KEY') ?? '';
}

/** The first copy of each message of a topic that has been redelivered so often, once there are some. */
async function firstCopies(client: CommandClient, topic: string, times: number): Promise<StoredMessage[]> {
  const first = new Map<string, StoredMessage>();
  for (const record of await readRecords(client, topic, 0)) {
    if (record?.reconsumeTimes === times && !first.has(keyOf(record))) first.set(keyOf(record), record);
  }
  return [...first.values()];
}

/** Waits until all of them are there. */
async function arrived(
  client: CommandClient,
  topic: string,
  times: number,
  keys: readonly string[],
): Promise<StoredMessage[]> {
  for (const end = performance.now() + LOOK_FOR_MS; ; ) {
    const found = await firstCopies(client, topic, times);
    const there = new Set(found.map(keyOf));
    const missing = keys.filter((key) => !there.has(key));
    if (missing.length === 0) return found;
    if (performance.now() > end)
      throw new Error(`${missing.length} missing in ${topic}: ${missing.slice(0, 5)}`);
    await sleep(LOOK_EVERY_MS);
  }
}

function assertInOrder(messages: readonly StoredMessage[]): void {
  const numbers = messages.map((message) => Number(keyOf(message).slice(1)));
  assert.equal(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
}

async function throughAllDeaths(conf: string): Promise<void> {
  const broker = new Mortal(conf);
  try {
    await broker.start();
    await prepare(broker.client);
    const all = Array.from({ length: COUNT }, (_, i) => `k${i}`);
    const sent = await arrived(broker.client, 'failed', 0, all);

    // In the middle of giving back: what was not acknowledged may come again or not.
    const acknowledged = await giveBack(broker.client, sent, (count) => {
      if (count === COUNT / 2) broker.kill();
    });
    assert.ok(acknowledged.length >= COUNT / 2);
    await broker.again();
    // In the middle of coming again.
    await arrived(broker.client, RETRIES, 1, acknowledged.slice(0, 1));
    await broker.again();
    const once = await arrived(broker.client, RETRIES, 1, acknowledged);
    assertInOrder(once);

    // Between the last acknowledgement and the first that comes again.
    assert.is((await giveBack(broker.client, once)).length, once.length);
    await broker.again();
    const twice = await arrived(broker.client, RETRIES, 2, once.map(keyOf));
    assertInOrder(twice);
    for (const { properties } of twice)
      assert.is(properties.get('TIMER_DELAY_MS'), '1700', 'the policy is known still');

    // Right after the last acknowledgement of a dead letter.
    assert.is((await giveBack(broker.client, twice)).length, twice.length);
    await broker.again();
    const dead = await readRecords(broker.client, DEAD, 0);
    assert.equal(
      dead.map((record) => record && keyOf(record)),
      twice.map(keyOf),
      'each once and in order',
    );
    for (const record of dead) {
      assert.is(record?.properties.get('DLQ_ORIGIN_TOPIC'), 'failed');
      assert.match(record?.properties.get('RINGMQ_DLQ_REASON') ?? '', /2 of at most 2 redeliveries/);
    }
  } finally {
    await broker.end();
  }
}

test('the first retry and the first dead letter of a group outlive a kill right after they were acknowledged', async () => {
  for (const [field, topic, times] of [
    ['1', RETRIES, 1],
    ['-1', DEAD, 1],
  ] as const) {
    const broker = new Mortal('');
    try {
      await broker.start();
      await broker.client.request(sendRequest('failed', 0, 'k0', Buffer.from('x')), 5_000);
      const sent = await arrived(broker.client, 'failed', 0, ['k0']);
      const given = await giveBack(broker.client, sent, () => broker.kill(), field);
      assert.equal(given, ['k0']);
      await broker.again();
      await arrived(broker.client, topic, times, ['k0']);
    } finally {
      await broker.end();
    }
  }
});

test('ASYNC_FLUSH: what was given back comes again, by its policy, and is dead at last', () =>
  throughAllDeaths(''));
test('SYNC_FLUSH: the same', () => throughAllDeaths('flushDiskType=SYNC_FLUSH\n'));

test.run();
