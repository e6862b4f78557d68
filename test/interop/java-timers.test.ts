// Messages at a time of the sender's choice with the Java clients, and their recall.

import * as assert from 'uvu/assert';
import { createTopic } from './scenarios/actors.ts';
import {
  encodeHandle,
  filteredTimers,
  limits,
  precedence,
  recalling,
  Timer,
  threeWays,
} from './scenarios/timers.ts';
import { java49, java55 } from './support/clients.ts';
import { RawConnection, send } from './support/raw.ts';
import { encodeProperties } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { startCluster } from './support/target.ts';

const MAX_DELAY_SEC = 3_600;
const conf = { timerMaxDelaySec: MAX_DELAY_SEC, recallMessageEnable: true };
const { test, cluster } = clusterSuite('Java clients: timers', { conf });

test('a delay in seconds, in milliseconds, a time: not early, once, to the queue chosen', () =>
  threeWays(java55, cluster()));
test('the same with the 4.9 client, which has only the properties for it', () =>
  threeWays(java49, cluster(), '-49'));
test('a delay level comes before a time, seconds before milliseconds before a time', () =>
  precedence(java55, cluster()));
test('past times are delivered at once, those beyond the limit refused', () =>
  limits(java55, cluster(), MAX_DELAY_SEC));
test('a consumer of one tag gets the timed messages of that tag', () => filteredTimers(java55, cluster()));
test('a recalled message never comes, a fired one cannot be recalled', () => recalling(java55, cluster()));

test('a handle of another topic or nothing at all recalls nothing', async () => {
  const timer = new Timer(java55, cluster());
  const topic = 'foreign-handles';
  await Promise.all([createTopic(java55, cluster(), topic), createTopic(java55, cluster(), 'other-topic')]);
  const { recallHandle } = await timer.send({ topic, prefix: 'x', 'delay-sec': 600 });
  const mismatch = await timer.recallRefused('other-topic', recallHandle);
  assert.is(mismatch.code, 604);
  assert.match(mismatch.message, /recall failed, topic not match/);
  const soon = Date.now() + 60_000;
  const broker = await timer.recallRefused(topic, encodeHandle('v1', topic, 'broker-z', soon, 'ABC'));
  assert.match(`${broker.code} ${broker.message}`, /604 .*recall failed, broker service not available/s);
  await timer.recallRefused(topic, 'garbage'); // which the client itself refuses
  await timer.end();
});

test('recall is off unless configured', async () => {
  const plain = await startCluster();
  const timer = new Timer(java55, plain);
  const { recallHandle } = await timer.send({ topic: 'no-recall', prefix: 'x', 'delay-sec': 600 });
  assert.ok(recallHandle !== null, 'the handle is given all the same');
  const refusal = await timer.recallRefused('no-recall', recallHandle);
  assert.is(refusal.code, 16);
  assert.match(refusal.message, /recall failed, operation is forbidden/);
  await timer.end();
  await plain.stop();
});

test('timers off: a timed message is refused, any other taken', async () => {
  const plain = await startCluster({ conf: { timerWheelEnable: false } });
  const timer = new Timer(java55, plain);
  await timer.send({ topic: 'no-timers', prefix: 'x' });
  await timer.send({ topic: 'no-timers', prefix: 'x', 'delay-level': 1, 'delay-sec': 5 });
  const refusal = await timer.refused({ topic: 'no-timers', prefix: 'x', 'delay-sec': 5 });
  assert.is(refusal.code, 1);
  const raw = await RawConnection.open(plain.broker.address);
  const reply = await raw.request(
    send('no-timers', { properties: encodeProperties({ TIMER_DELAY_SEC: 5 }) }),
  );
  assert.match(reply.remark ?? '', /accurate timer message is not enabled, timerWheelEnable is false/);
  raw.destroy();
  await timer.end();
  await plain.stop();
});

test.run();
