// A broker killed in every state of a transaction that can be seen from outside: no acknowledged end is lost, what was
// rolled back stays invisible, and whatever is still open is checked and ends as its producer says.

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkProgress,
  dispatched,
  HALF_TOPIC,
  MAX_TIME_TOPIC,
  maxOffset,
  OP_TOPIC,
} from '../interop/scenarios/transacting.ts';
import { type Check, COMMIT, type Half, RawProducer, ROLLBACK } from '../interop/support/raw-producer.ts';
import { readQueue } from '../interop/support/records.ts';
import { type BrokerProcess, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const TOPIC = 'ended';
const GROUP = 'mortal-producers';
const COUNT = 200;
const MAX_CHECKS = 2;
const CHECKED = 60_000;
const LOOK_EVERY_MS = 10;
/** Ends that nobody waits for are written at once, or only by the next start's checks: after an hour. */
const AT_ONCE = 'transactionOpBatchInterval=1\n';
const LATER = 'transactionOpBatchInterval=3600000\n';
const FEW_CHECKS = `transactionCheckMax=${MAX_CHECKS}\n`;
const MANY_CHECKS = 'transactionCheckMax=1000\n';
const CONF = 'transactionCheckInterval=200\ntransactionTimeOut=500\n';

/** A broker that is killed and started again on its store, and a producer that is always connected to it. */
class Mortal {
  readonly #store = temporaryStore();
  readonly #conf = `${this.#store.directory}.conf`;
  #broker: BrokerProcess | undefined;
  #producer: RawProducer | undefined;

  get producer(): RawProducer {
    assert.ok(this.#producer !== undefined);
    return this.#producer;
  }

  async start(conf: string): Promise<void> {
    writeFileSync(this.#conf, CONF + conf);
    this.#broker = await startBrokerProcess(this.#store.directory, ['-c', this.#conf]);
    this.#producer = await RawProducer.open(this.#broker.broker, GROUP);
  }

  async again(conf: string): Promise<void> {
    await this.kill();
    await this.start(conf);
  }

  async kill(): Promise<void> {
    this.#broker?.child.kill('SIGKILL');
    await this.#broker?.ended;
    this.#producer?.close();
  }

  async end(): Promise<void> {
    await this.kill();
    this.#store.remove();
    rmSync(this.#conf, { force: true });
  }
}

function answering(check: Check): Record<string, string> {
  const { tranStateTableOffset = '', commitLogOffset = '' } = check.fields;
  return { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
}

/** Answers all checks as `commits` has it, until nothing is open. The time limit of the file is that of the wait. */
async function settle(producer: RawProducer, halves: readonly Half[], commits: boolean): Promise<void> {
  const { connection } = producer;
  const byKey = new Map(halves.map((half) => [half.uniqueKey, half]));
  for (let answered = 0; ; ) {
    for (const check of producer.checks.slice(answered)) {
      answered += 1;
      const half = byKey.get(String(check.fields['transactionId']));
      assert.ok(half !== undefined, 'only what is open is checked');
      const reply = await producer.end(half, commits ? COMMIT : ROLLBACK, answering(check));
      assert.is(reply.code, 0, reply.remark);
    }
    if ((await checkProgress(connection)) === (await maxOffset(connection, HALF_TOPIC))) return;
    await sleep(LOOK_EVERY_MS);
  }
}

/** How often each half message lies in a topic. */
async function times(producer: RawProducer, topic: string, halves: readonly Half[]): Promise<number[]> {
  await dispatched(producer.connection);
  const counts = new Map<string, number>();
  for (const { properties } of await readQueue(producer.connection, topic)) {
    const key = properties['UNIQ_KEY'] ?? '';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return halves.map(({ uniqueKey }) => counts.get(uniqueKey) ?? 0);
}

async function sendHalves(producer: RawProducer, count: number): Promise<Half[]> {
  return Promise.all(Array.from({ length: count }, () => producer.half(TOPIC)));
}

async function open(conf: string, act: (broker: Mortal) => Promise<void>): Promise<void> {
  const broker = new Mortal();
  try {
    await broker.start(conf);
    await act(broker);
  } finally {
    await broker.end();
  }
}

/** Ends all at once and kills the broker at the first answer; returns whose end was answered. */
async function killAmongEnds(broker: Mortal, halves: readonly Half[], state: number): Promise<boolean[]> {
  const { producer } = broker;
  const answered = halves.map(() => false);
  let killed: Promise<void> | undefined;
  const ends = halves.map(async (half, index) => {
    try {
      answered[index] = (await producer.end(half, state)).code === 0;
    } catch {
      return; // the broker is dead
    }
    killed ??= broker.kill();
  });
  await Promise.all(ends);
  await killed;
  assert.ok(answered.includes(true));
  return answered;
}

for (const mode of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  const flush = `flushDiskType=${mode}\n`;
  const conf = flush + AT_ONCE + MANY_CHECKS;
  const test = suite(`kill -9 around the end of a transaction, ${mode}`);

  test('commits are asked and some answered: what was answered is there, the rest still ends', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      const answered = await killAmongEnds(broker, halves, COMMIT);
      await broker.start(conf);
      const survived = await times(broker.producer, TOPIC, halves);
      for (const [index, isAnswered] of answered.entries())
        if (isAnswered) assert.is(survived[index], 1, `commit ${index} was answered`);
      await settle(broker.producer, halves, true);
      for (const count of await times(broker.producer, TOPIC, halves)) assert.ok(count >= 1 && count <= 2);
    }));

  test('rollbacks are asked and some answered: none is ever seen, those answered are not checked', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      const answered = await killAmongEnds(broker, halves, ROLLBACK);
      await broker.start(conf);
      const { producer } = broker;
      await settle(producer, halves, false);
      for (const [index, half] of halves.entries())
        if (answered[index]) assert.is(producer.checksOf(half).length, 0, `rollback ${index} was answered`);
      assert.equal(new Set(await times(producer, TOPIC, halves)), new Set([0]));
      const read = await checkProgress(producer.connection, OP_TOPIC);
      assert.is(read, await maxOffset(producer.connection, OP_TOPIC), 'no end is needed any more');
    }));

  test('commits are answered, and nothing says so yet: at least once', () =>
    open(flush + LATER + MANY_CHECKS, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      for (const half of halves) assert.is((await broker.producer.end(half, COMMIT)).code, 0);
      await broker.again(conf);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]));
      await settle(broker.producer, halves, true);
      for (const count of await times(broker.producer, TOPIC, halves)) assert.ok(count >= 1 && count <= 2);
    }));

  test('commits are answered and written down: once, and none is checked', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      for (const half of halves) assert.is((await broker.producer.end(half, COMMIT)).code, 0);
      await settle(broker.producer, halves, true);
      await broker.again(conf);
      await settle(broker.producer, halves, true);
      assert.is(broker.producer.checks.length, 0);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]));
      // The log says that they have ended, not how: nothing is done, and that is no success.
      for (const half of halves.slice(0, 3)) assert.is((await broker.producer.end(half, COMMIT)).code, 604);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]), 'said again');
    }));

  test.run();
}

// The flush mode counts for what is acknowledged, and not for what follows from it.
const many = AT_ONCE + MANY_CHECKS;
const few = AT_ONCE + FEW_CHECKS;
const test = suite('kill -9 before the end of a transaction');

test('half messages are acknowledged: they are checked, and committed once', () =>
  open(many, async (broker) => {
    const halves = await sendHalves(broker.producer, COUNT);
    await broker.again(many);
    assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([0]));
    await settle(broker.producer, halves, true);
    assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]));
  }));

test('a check is under way: whichever copy is named, it ends once', () =>
  open(LATER + MANY_CHECKS, async (broker) => {
    const [first, second, third] = (await sendHalves(broker.producer, 3)) as [Half, Half, Half];
    const checks = new Map<Half, Check>();
    for (const half of [first, second, third])
      checks.set(half, await broker.producer.check(half, 1, CHECKED));
    await broker.again(many);
    const { producer } = broker;
    assert.is((await producer.end(first, COMMIT)).code, 0);
    assert.is((await producer.end(second, COMMIT, answering(checks.get(second) as Check))).code, 0);
    const late = producer.end(third, ROLLBACK, answering(checks.get(third) as Check));
    assert.is((await late).code, 0);
    // An end that was forgotten, or a copy that is open beside another, would be committed now.
    await settle(producer, [first, second, third], true);
    assert.equal(await times(producer, TOPIC, [first, second, third]), [1, 1, 0]);
  }));

test('the last check is sent, and the message not given up: it is given up, and asked no more', () =>
  open(few, async (broker) => {
    const halves = await sendHalves(broker.producer, 3);
    for (const half of halves) await broker.producer.check(half, MAX_CHECKS, CHECKED);
    await broker.again(few);
    await settle(broker.producer, [], false);
    assert.is(broker.producer.checks.length, 0);
    for (const count of await times(broker.producer, MAX_TIME_TOPIC, halves)) assert.ok(count >= 1);
    assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([0]));
  }));

test('a message is given up: it stays so', () =>
  open(few, async (broker) => {
    const halves = await sendHalves(broker.producer, 3);
    for (const half of halves) await broker.producer.check(half, MAX_CHECKS, CHECKED);
    while ((await checkProgress(broker.producer.connection)) < MAX_CHECKS * halves.length + halves.length)
      await sleep(LOOK_EVERY_MS);
    await broker.again(few);
    await settle(broker.producer, [], false);
    assert.is(broker.producer.checks.length, 0);
    assert.equal(new Set(await times(broker.producer, MAX_TIME_TOPIC, halves)), new Set([1]));
  }));

test.run();
