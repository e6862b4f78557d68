// What happens to half messages at the edges: marked by halves, of a group with nobody in it, immune for longer than
// the checks last. Where the real broker loses such a message or gives it up unasked, the test says what each of the
// two does.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { CHECK_CONF, dispatched, MAX_TIME_TOPIC, settled } from './scenarios/transacting.ts';
import { type RawConnection, send } from './support/raw.ts';
import {
  type Check,
  COMMIT,
  type Half,
  halfOf,
  newUniqueKey,
  RawProducer,
  ROLLBACK,
} from './support/raw-producer.ts';
import { encodeProperties, readQueue } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { startCluster, target } from './support/target.ts';

const { test, cluster } = clusterSuite('transaction edges', { conf: CHECK_CONF });

const CHECKED = 30_000;
const PREPARED = 4;
/** The real broker has checked to the limit by then, and some rounds more. */
const ALL_ROUNDS = CHECK_CONF.transactionTimeOut + (CHECK_CONF.transactionCheckMax + 4) * 1_000;

function producer(group: string): Promise<RawProducer> {
  return RawProducer.open(cluster().broker.address, group);
}

async function count(connection: RawConnection, topic: string, half: Half): Promise<number> {
  await dispatched(connection);
  const records = await readQueue(connection, topic);
  return records.filter((record) => record.properties['UNIQ_KEY'] === half.uniqueKey).length;
}

async function sent(raw: RawProducer, topic: string, properties: object, sysFlag: number): Promise<Half> {
  const key = newUniqueKey();
  const all = encodeProperties({ UNIQ_KEY: key, ...properties });
  return halfOf(key, await raw.connection.request(send(topic, { properties: all, sysFlag })));
}

test('TRAN_MSG makes a half message, with or without the bit in the system flag', async () => {
  const raw = await producer('marked');
  for (const [mark, sysFlag] of [
    ['true', 0],
    ['TRUE', PREPARED],
  ] as const) {
    const half = await sent(raw, 'marked', { TRAN_MSG: mark, PGROUP: 'marked' }, sysFlag);
    assert.is(await count(raw.connection, 'marked', half), 0);
    assert.is((await raw.end(half, COMMIT)).code, 0);
    assert.is(await count(raw.connection, 'marked', half), 1);
  }
  const plain = await sent(raw, 'marked', { TRAN_MSG: 'yes', PGROUP: 'marked' }, 0);
  assert.is(await count(raw.connection, 'marked', plain), 1, 'any other value is an ordinary message');
  raw.close();
});

/** RocketMQ acknowledges it, stores it under its own topic and never shows it to anybody. */
test('the bit of a prepared or rolled back message without TRAN_MSG', async () => {
  const raw = await producer('bit-only');
  for (const sysFlag of [PREPARED, ROLLBACK]) {
    const message = await sent(raw, 'bit-only', {}, sysFlag);
    const visible = await count(raw.connection, 'bit-only', message);
    if (target === 'rocketmq') assert.equal([message.reply.code, visible], [0, 0]);
    else assert.is(visible, message.reply.code === 0 ? 1 : 0, 'what is acknowledged can be read');
  }
  raw.close();
});

test('a message without a unique key gets one, and by it its transaction id', async () => {
  const raw = await producer('unnamed');
  const request = raw.halfRequest('unnamed');
  const reply = await raw.connection.request(request);
  const key = String(reply.extFields?.['transactionId']);
  assert.match(key, /^[0-9A-F]{32,}$/);
  const half = halfOf(key, reply);
  const check = await raw.check(half, 1, CHECKED);
  assert.is(check.message.properties['__transactionId__'], key);
  const { tranStateTableOffset = '', commitLogOffset = '' } = check.fields;
  const answer = { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
  assert.is((await raw.end(half, ROLLBACK, answer)).code, 0);
  raw.close();
});

test('the checks of a group are spread over its members, each goes to one', async () => {
  const first = await producer('members');
  const second = await producer('members');
  const asked = (half: Half): Check[] => [...first.checksOf(half), ...second.checksOf(half)];
  const halves: Half[] = [];
  for (let number = 0; number < 6; number++) halves.push(await first.half('members'));
  for (const half of halves) {
    for (const end = Date.now() + CHECKED; asked(half).length === 0; await sleep(20))
      assert.ok(Date.now() < end, 'checked');
    assert.is(asked(half).length, 1);
  }
  for (const half of halves) {
    const { tranStateTableOffset = '', commitLogOffset = '' } = asked(half).at(-1)?.fields ?? {};
    const answer = { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
    assert.is((await first.end(half, ROLLBACK, answer)).code, 0);
  }
  await settled(cluster().broker);
  for (const member of [first, second]) {
    assert.ok(member.checks.length > 0, 'each member is asked');
    member.close();
  }
});

/** RocketMQ counts a check that it could send to nobody, and gives the message up when it has counted enough. */
test('a half message of a group with nobody in it', async () => {
  const raw = await producer('somebody');
  const half = await sent(raw, 'nobody', { TRAN_MSG: 'true', PGROUP: 'nobody' }, PREPARED);
  await sleep(ALL_ROUNDS);
  const given = await count(raw.connection, MAX_TIME_TOPIC, half);
  if (target === 'rocketmq') assert.is(given, 1);
  else {
    assert.is(given, 0, 'nobody was asked, so it is not given up');
    const back = await producer('nobody');
    const check = await back.check(half, 1, CHECKED);
    const { tranStateTableOffset = '', commitLogOffset = '' } = check.fields;
    const answer = { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
    assert.is((await back.end(half, COMMIT, answer)).code, 0);
    assert.is(await count(raw.connection, 'nobody', half), 1);
    back.close();
  }
  assert.is(raw.checks.length, 0, 'other groups are not asked');
  await settled(cluster().broker);
  raw.close();
});

/** RocketMQ counts the rounds in which it leaves an immune message alone, too: it gives it up without one check. */
test('a half message that is immune for longer than the checks last', async () => {
  const raw = await producer('long-immune');
  const seconds = Math.ceil(ALL_ROUNDS / 1_000) + 30;
  const half = await raw.half('long-immune', { CHECK_IMMUNITY_TIME_IN_SECONDS: seconds });
  await sleep(ALL_ROUNDS);
  assert.is(raw.checks.length, 0);
  const given = await count(raw.connection, MAX_TIME_TOPIC, half);
  assert.is(given, target === 'rocketmq' ? 1 : 0);
  assert.is((await raw.end(half, COMMIT)).code, 0, 'its sender may still end it');
  assert.is(await count(raw.connection, 'long-immune', half), 1);
  await settled(cluster().broker);
  raw.close();
});

test('an immunity time that is no number or shorter than the timeout counts as the timeout', async () => {
  const raw = await producer('odd-immune');
  const odd = ['abc', '1.5', -1, -5, 0, 1];
  const halves: Half[] = [];
  for (const value of odd)
    halves.push(await raw.half('odd-immune', { CHECK_IMMUNITY_TIME_IN_SECONDS: value }));
  for (const [index, half] of halves.entries())
    if (index % 2 === 0) assert.is((await raw.end(half, ROLLBACK)).code, 0, `in time, ${odd[index]}`);
  await sleep(CHECK_CONF.transactionTimeOut + 200);
  for (const [index, half] of halves.entries())
    if (index % 2 === 1) assert.is((await raw.end(half, ROLLBACK)).code, 604, `late, ${odd[index]}`);
  raw.close();
});

test('transactions can be forbidden', async () => {
  const strict = await startCluster({ conf: { rejectTransactionMessage: true } });
  const raw = await RawProducer.open(strict.broker.address, 'forbidden');
  const reply = await raw.connection.request(raw.halfRequest('forbidden'));
  assert.is(reply.code, 16);
  assert.match(reply.remark ?? '', /the broker\[127\.0\.0\.1\] sending transaction message is forbidden/);
  raw.close();
  await strict.stop();
});

test.run();
