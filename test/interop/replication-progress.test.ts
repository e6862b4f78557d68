// A slave becomes the master while delayed and timed messages wait: what its master had delivered does not come again,
// and what waited comes.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer, createTopic } from './scenarios/actors.ts';
import { Timer } from './scenarios/timers.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection } from './support/raw.ts';
import { startRealBroker } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, BrokerOptions } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: progress');
const TOPIC = 'due-later';
const GROUP = 'due-later-group';
const EACH = 8;
/** A real master writes its checkpoint of timers in its own time. */
const PATIENCE_MS = 20_000;
const MASTER = { brokerRole: 'ASYNC_MASTER', brokerId: 0 };
const SLAVE = { brokerRole: 'SLAVE', brokerId: 1 };
const [GET_ALL_DELAY_OFFSET, GET_TIMER_CHECK_POINT, GET_ALL_CONSUMER_OFFSET] = [45, 60, 43];

type Start = (nameServer: string, options: BrokerOptions) => Promise<Broker>;

/** How far the broker says that delays, timers (ms) and the group have come. */
async function progressOf({ address }: Broker): Promise<{ level: number; timers: number; group: number }> {
  const connection = await RawConnection.open(address);
  const ask = async (code: number) => (await connection.request({ code })).body;
  const text = async (code: number) => (await ask(code)).toString();
  const number = (json: string, pattern: RegExp) => Number(pattern.exec(json)?.[1] ?? 0);
  const level = number(await text(GET_ALL_DELAY_OFFSET), /"offsetTable":\{[^}]*\b1"?:(\d+)/);
  const check = await ask(GET_TIMER_CHECK_POINT);
  const timers = check.length >= 8 ? Number(check.readBigInt64BE(0)) : 0;
  const offsets = await text(GET_ALL_CONSUMER_OFFSET);
  const group = [...offsets.matchAll(new RegExp(`"${TOPIC}@${GROUP}":\\{([^}]*)\\}`, 'g'))]
    .flatMap(([, queues]) => [...(queues ?? '').matchAll(/:(\d+)/g)])
    .reduce((sum, [, offset]) => sum + Number(offset), 0);
  connection.destroy();
  return { level, timers, group };
}

/** `lateS`: what waits for so long is to come from the new master. */
async function changesHands(start: Start, lateS: number): Promise<void> {
  const levels = { messageDelayLevel: `1s ${lateS}s` };
  const nameServer = await startRingNameServer();
  const cluster = { nameServer };
  const master = await start(nameServer.address, { conf: { ...levels, ...MASTER } });
  const slave = await startRingBroker(nameServer.address, { conf: { ...levels, ...SLAVE } });
  await createTopic(java55, cluster, TOPIC);

  const early = new Ledger();
  const all = new Ledger();
  early.send(`first-of-${TOPIC}-0`);
  all.send(`first-of-${TOPIC}-0`);
  const timer = new Timer(java55, cluster);
  let lastEarly = 0;
  for (let number = 0; number < EACH; number++) {
    const common = { topic: TOPIC, number };
    const soon = await timer.send({ ...common, prefix: 'soon', 'delay-level': 1 });
    const timed = await timer.send({ ...common, prefix: 'timed', 'delay-sec': 2 });
    const late = await timer.send({ ...common, prefix: 'late', 'delay-level': 2 });
    const timedLate = await timer.send({ ...common, prefix: 'timed-late', 'delay-sec': lateS });
    for (const { key } of [soon, timed]) early.send(key);
    for (const { key } of [soon, timed, late, timedLate]) all.send(key);
    lastEarly = timed.due;
  }
  const before = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, all);
  before.program.onEvent(() => {
    for (const { key } of before.delivered) if (!early.deliveries.has(key)) early.deliver(key);
  });
  await before.receives(early);
  await Promise.all([timer.end(), before.stop()]);
  assert.is(before.delivered.length, early.sent.size, 'nothing of what is late has come yet');

  const knows = async (broker: Broker): Promise<boolean> => {
    const { level, timers, group } = await progressOf(broker);
    return level >= EACH && timers > lastEarly && group >= early.sent.size;
  };
  await until('the slave to know how far its master is', () => knows(slave), {
    patienceMs: PATIENCE_MS,
    pauseMs: 200,
  }).catch(async (error: Error) => {
    const told = { early: early.sent.size, lastEarly, master: await progressOf(master) };
    const known = JSON.stringify({ ...told, slave: await progressOf(slave) });
    throw new Error([`${error.message}: ${known}`, ...slave.log().slice(-20)].join('\n'));
  });
  await master.kill();
  await slave.stop();
  await startRingBroker(nameServer.address, { store: slave.store, conf: { ...levels, ...MASTER } });

  const after = new Consumer(java55, cluster, { topic: TOPIC, group: GROUP }, all);
  await after.receives(all, 2 * lateS * 1_000);
  const inTopic = new Ledger();
  for (const key of all.sent) inTopic.send(key);
  const reader = new Consumer(java55, cluster, { topic: TOPIC, group: 'reads-all' }, inTopic);
  await reader.receives(inTopic);
  await Promise.all([after.stop(), reader.stop()]);
  all.exactlyOnce();
  inTopic.exactlyOnce();
  await stopEverything();
}

test('what its master had delivered does not come again, and what waited comes', async () => {
  await changesHands(startRingBroker, 30);
});

if (fullRun) {
  test('the same with a real master', async () => {
    // Its consumers begin late.
    await changesHands(startRealBroker, 90);
  });
}

test.run();
