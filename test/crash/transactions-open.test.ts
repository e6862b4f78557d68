// A broker killed before the ends of transactions: what is open is checked, ends once, and is given up once.

import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkProgress, MAX_TIME_TOPIC } from '../interop/scenarios/transacting.ts';
import { type Check, COMMIT, type Half, ROLLBACK } from '../interop/support/raw-producer.ts';
import {
  AT_ONCE,
  answering,
  LATER,
  LOOK_EVERY_MS,
  MANY_CHECKS,
  open,
  sendHalves,
  settle,
  TOPIC,
  times,
} from '../support/mortal-broker.ts';

const COUNT = 200;
const MAX_CHECKS = 2;
const CHECKED = 60_000;
const FEW_CHECKS = `transactionCheckMax=${MAX_CHECKS}\n`;

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
