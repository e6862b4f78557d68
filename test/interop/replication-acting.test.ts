// A master is away for long, and its slave acts for it (enableSlaveActingMaster): consumers in order get its queues'
// locks there, its delayed messages come through another master, and when it is back nothing comes again.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog } from './support/log-files.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection, send } from './support/raw.ts';
import { startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: a slave acts for its master');
const TOPIC = 'goes-on';
const QUEUES = 2;
const MESSAGES = 20;
const PATIENCE_MS = 30_000;
const LEVELS = { messageDelayLevel: '15s', enableSlaveActingMaster: true };
const UPDATE_TOPIC = 17;

/** Made on one broker as an operator would. */
async function makeTopic(connection: RawConnection): Promise<void> {
  const ext = {
    topic: TOPIC,
    defaultTopic: 'TBW102',
    readQueueNums: QUEUES,
    writeQueueNums: QUEUES,
    perm: 6,
  };
  const answer = await connection.request({
    code: UPDATE_TOPIC,
    ext: { ...ext, topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: 'false' },
  });
  assert.is(answer.code, 0, answer.remark);
}

async function sendTo(connection: RawConnection, ledger: Ledger, key: string, queueId: number, more = '') {
  const properties = `KEYS\u0001${key}\u0002UNIQ_KEY\u0001${key}\u0002${more}`;
  const answer = await connection.request(send(TOPIC, { queueId, properties }, key));
  assert.is(answer.code, 0, answer.remark);
  ledger.send(key);
}

function told(broker: Broker, text: string): boolean {
  return broker.log().some((line) => line.includes(text));
}

async function goesOn(nameServer: NameServer): Promise<void> {
  const cluster = { nameServer };
  const of = (brokerName: string, more: object) => ({ conf: { ...LEVELS, brokerName, ...more } });
  const master = await startRingBroker(nameServer.address, of('broker-a', { brokerRole: 'ASYNC_MASTER' }));
  const slave = await startRingBroker(
    nameServer.address,
    of('broker-a', { brokerRole: 'SLAVE', brokerId: 1 }),
  );
  const other = await startRingBroker(nameServer.address, of('broker-b', { brokerRole: 'ASYNC_MASTER' }));
  const [atMaster, atOther] = [
    await RawConnection.open(master.address),
    await RawConnection.open(other.address),
  ];
  for (const connection of [atMaster, atOther]) await makeTopic(connection);

  const ledger = new Ledger();
  for (let i = 0; i < MESSAGES; i++) {
    await sendTo(atMaster, ledger, `plain-${i}`, i % QUEUES);
    await sendTo(atMaster, ledger, `delayed-${i}`, i % QUEUES, 'DELAY\u00011\u0002');
  }
  const patience = { patienceMs: PATIENCE_MS, pauseMs: 100 };
  await until('the slave to have the log', () => endOfLog(slave.store) === endOfLog(master.store), patience);
  await master.kill();
  await until('the slave to act', () => told(slave, 'this slave acts for its master'), patience);

  const consumer = new Consumer(
    java55,
    cluster,
    { topic: TOPIC, group: 'in-order', mode: 'orderly' },
    ledger,
  );
  await consumer.receives(ledger);
  for (const { key, storeHost } of consumer.delivered) {
    const by = key.startsWith('plain') ? master : other;
    assert.ok(storeHost.endsWith(`:${by.port}`), `${key} is of ${storeHost}`);
  }

  const back = { store: master.store, port: master.port };
  const again = await startRingBroker(nameServer.address, {
    ...of('broker-a', { brokerRole: 'ASYNC_MASTER' }),
    ...back,
  });
  assert.ok(told(again, 'taken over from the slave that acted'), 'it asks its slave before it delivers');
  await until('the slave to act no more', () => told(slave, 'acts for its master no more'), patience);
  const atAgain = await RawConnection.open(again.address);
  await sendTo(atAgain, ledger, 'after', 0);
  await sendTo(atAgain, ledger, 'after-delayed', 1, 'DELAY\u00011\u0002');
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();

  const inTopic = new Ledger();
  for (const key of ledger.sent) inTopic.send(key);
  const reader = new Consumer(java55, cluster, { topic: TOPIC, group: 'reads-all' }, inTopic);
  await reader.receives(inTopic);
  await reader.stop();
  inTopic.exactlyOnce();
  for (const connection of [atMaster, atOther, atAgain]) connection.destroy();
  await stopEverything();
}

test('with our name server', async () => {
  await goesOn(await startRingNameServer({ supportActingMaster: true }));
});

if (fullRun) {
  test('with a real name server', async () => {
    await goesOn(await startRealNameServer({}, { supportActingMaster: true }));
  });
}

test.run();
