// A master is away for long, and its slave acts for it: timed messages come through another master at their time, pops
// go on at the slave, what is not acknowledged there comes again through another master's retry topic, and when the
// master is back it knows of all of that.

import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { Consumer } from './scenarios/actors.ts';
import { bodies, committed, makeGroup, makeTopic, popUntil, put } from './scenarios/popping.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { endOfLog } from './support/log-files.ts';
import { type PoppedMessage, Popper } from './support/pops.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection } from './support/raw.ts';
import { startRealNameServer } from './support/real-rocketmq.ts';
import { startRingBroker, startRingNameServer } from './support/ringmq.ts';
import type { Broker, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';

const test = interopSuite('replication: what becomes due while a slave acts for its master');
const TIMED = 'timed';
/** Only the master that goes away has it. */
const LONELY = 'lonely';
const POPPED = 'popped';
const COUNT = 20;
const DELAY_S = 20;
const PATIENCE_MS = 60_000;
const GET_TIMER_CHECK_POINT = 60;
const patience = { patienceMs: PATIENCE_MS, pauseMs: 100 };

/** How many lines of its log say so. */
function told(broker: Broker, text: string): number {
  return broker.log().filter((line) => line.includes(text)).length;
}

class Rig {
  readonly nameServer: NameServer;
  readonly master: Broker;
  readonly slave: Broker;
  readonly other: Broker;

  private constructor(nameServer: NameServer, master: Broker, slave: Broker, other: Broker) {
    this.nameServer = nameServer;
    this.master = master;
    this.slave = slave;
    this.other = other;
  }

  static async start(nameServer: NameServer): Promise<Rig> {
    const start = (brokerName: string, more: object) =>
      startRingBroker(nameServer.address, conf(brokerName, more));
    const master = await start('broker-a', { brokerRole: 'ASYNC_MASTER' });
    const slave = await start('broker-a', { brokerRole: 'SLAVE', brokerId: 1 });
    const other = await start('broker-b', { brokerRole: 'ASYNC_MASTER' });
    return new Rig(nameServer, master, slave, other);
  }

  /** The slave has the whole log of its master. */
  async hasAll(): Promise<void> {
    const { slave, master } = this;
    await until(
      'the slave to have the log',
      () => endOfLog(slave.store) === endOfLog(master.store),
      patience,
    );
  }

  /** The master is back, on its store and port, and the slave has heard of it, so many times by now. */
  async back(times: number): Promise<Broker> {
    const { store, port } = this.master;
    const { conf: keys } = conf('broker-a', { brokerRole: 'ASYNC_MASTER' });
    const back = await startRingBroker(this.nameServer.address, { conf: keys, store, port });
    await until(
      'it to act no more',
      () => told(this.slave, 'acts for its master no more') === times,
      patience,
    );
    return back;
  }

  /** The master dies, and the slave acts, so many times by now. */
  async acts(times = 1, master = this.master): Promise<void> {
    await master.kill();
    await until('it to act', () => told(this.slave, 'this slave acts for its master,') === times, patience);
  }
}

/** Whether the broker has written down that timers are delivered up to `time`, ms since the epoch. */
async function readBy(connection: RawConnection, time: number): Promise<boolean> {
  const { code, body } = await connection.request({ code: GET_TIMER_CHECK_POINT });
  return code === 0 && Number(Buffer.from(body).readBigInt64BE(0)) > time;
}

function conf(brokerName: string, more: object) {
  return { conf: { enableSlaveActingMaster: true, brokerName, ...more } };
}

function keys(prefix: string): string[] {
  return Array.from({ length: COUNT }, (_, i) => `${prefix}-${i}`);
}

/** Everything that the group gets of the topic, as long as it is read. */
async function reader(nameServer: NameServer, topic: string, ledger: Ledger): Promise<Consumer> {
  return new Consumer(java55, { nameServer }, { topic, group: `${topic}-reads` }, ledger);
}

async function timers(rig: Rig): Promise<void> {
  const { nameServer, master, slave, other } = rig;
  const atMaster = await RawConnection.open(master.address);
  const atOther = await RawConnection.open(other.address);
  for (const connection of [atMaster, atOther]) await makeTopic(connection, TIMED, 2);
  await makeTopic(atMaster, LONELY);
  const [timed, lonely] = [new Ledger(), new Ledger()];
  const later = (key: string) => ({ UNIQ_KEY: key, TIMER_DELAY_SEC: DELAY_S });
  for (const key of keys('t')) {
    await put(atMaster, TIMED, [key], 0, later(key));
    timed.send(key);
  }
  await put(atMaster, LONELY, ['l-0'], 0, later('l-0'));
  lonely.send('l-0');
  const due = Date.now() + DELAY_S * 1_000;
  await rig.hasAll();
  await rig.acts();

  const [atTimed, atLonely] = [
    await reader(nameServer, TIMED, timed),
    await reader(nameServer, LONELY, lonely),
  ];
  await atTimed.receives(timed);
  for (const { key, storeHost } of atTimed.delivered)
    assert.ok(storeHost.endsWith(`:${other.port}`), `${key} is of ${storeHost}`);
  await until(
    'what nobody else takes to be left',
    () => told(slave, 'waits until the master is back') > 0,
    patience,
  );

  let back = await rig.back(1);
  await atLonely.receives(lonely);
  // Away once more: the slave begins anew.
  let atAgain = await RawConnection.open(back.address);
  await put(atAgain, TIMED, ['second'], 0, later('second'));
  timed.send('second');
  await rig.hasAll();
  await until('it to have written down what it has delivered', () => readBy(atAgain, due), patience);
  atAgain.destroy();
  await rig.acts(2, back);
  await atTimed.receives(timed);
  back = await rig.back(2);
  atAgain = await RawConnection.open(back.address);
  // What comes once more would come before this.
  await put(atAgain, TIMED, ['after'], 0, { UNIQ_KEY: 'after', TIMER_DELAY_SEC: 2 });
  timed.send('after');
  await atTimed.receives(timed);
  for (const consumer of [atTimed, atLonely]) await consumer.stop();
  for (const ledger of [timed, lonely]) ledger.exactlyOnce();
  for (const connection of [atMaster, atOther, atAgain]) connection.destroy();
}

test('timed messages come at their time, once', async () => {
  await timers(await Rig.start(await startRingNameServer({ supportActingMaster: true })));
  await stopEverything();
});

/** A group that pops, on both masters, by the brokers' choice. */
async function popGroup({ nameServer, master, other }: Rig, group: string): Promise<void> {
  const tool = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  for (const broker of [master, other]) {
    const connection = await RawConnection.open(broker.address);
    await makeTopic(connection, POPPED, 2);
    await makeGroup(connection, group);
    const words = ['setConsumeMode', '-n', nameServer.address, '-b', broker.address, '-t', POPPED];
    const mode = ['-g', group, '-m', 'POP', '-q', '0'];
    assert.match(String(await tool.ask([...words, ...mode].join('\t'))), /success/);
    connection.destroy();
  }
  await tool.end();
}

test('pops go on at the slave, and come back to the master where nothing is lost and little comes again', async () => {
  const rig = await Rig.start(await startRingNameServer({ supportActingMaster: true }));
  const { nameServer, master, slave, other } = rig;
  await popGroup(rig, 'java');
  const atMaster = await RawConnection.open(master.address);
  await makeGroup(atMaster, 'raw');
  await put(atMaster, POPPED, keys('m'), 0);
  const before = await Popper.open(master, 'raw');
  const [first] = await before.popAll(POPPED, 1, { maxMsgNums: 1, invisibleTime: 600_000 });
  assert.is((await before.ack(first as PoppedMessage)).code, 0);
  await rig.hasAll();
  await until(
    'the slave to know how far the group has come',
    async () => {
      const popper = await Popper.open(slave, 'raw');
      const offset = await committed(popper, POPPED);
      popper.connection.destroy();
      return offset === 1;
    },
    patience,
  );
  await rig.acts();

  const popper = await Popper.open(slave, 'raw');
  const { messages } = await popper.pop(POPPED, { maxMsgNums: 5, invisibleTime: 4_000, pollTime: 10_000 });
  assert.equal(bodies(messages), keys('m').slice(1, 6));
  for (const message of messages.slice(1)) assert.is((await popper.ack(message)).code, 0);
  await until(
    'the offset to stay before what is not done',
    async () => (await committed(popper, POPPED)) === 1,
    {
      ...patience,
    },
  );
  // It is visible again by the retry topic of another master.
  const atOther = await Popper.open(other, 'raw');
  const revived = await popUntil(atOther, POPPED, 'm-1');
  assert.is(revived.reconsumeTimes, 1);
  assert.is((await atOther.ack(revived)).code, 0);
  await until('the offset to go on', async () => (await committed(popper, POPPED)) === 6, patience);

  const ledger = new Ledger();
  for (const key of keys('m')) ledger.send(key);
  const args = { topic: POPPED, group: 'java', 'broker-assigns': true };
  const consumer = new Consumer(java55, { nameServer }, args, ledger);
  await consumer.receives(ledger);
  await until(
    'the group to have done all',
    async () => {
      const java = await Popper.open(slave, 'java');
      const offset = await committed(java, POPPED);
      java.connection.destroy();
      return offset === COUNT;
    },
    patience,
  );

  const again = await rig.back(1);
  const refusal = await popper.pop(POPPED, { pollTime: 0 });
  assert.is.not(refusal.code, 0, 'the slave serves no pops any more');
  const back = await Popper.open(again, 'raw');
  const rest = await back.pop(POPPED, { maxMsgNums: 32, pollTime: 1_000 });
  assert.equal(bodies(rest.messages), keys('m').slice(6), 'from where the group had come at the slave');
  await put(back.connection, POPPED, ['after'], 1);
  ledger.send('after');
  await consumer.receives(ledger);
  await consumer.stop();
  ledger.exactlyOnce();
  for (const { connection } of [before, popper, atOther, back]) connection.destroy();
  atMaster.destroy();
  await stopEverything();
});

if (fullRun) {
  test('timed messages with a real name server', async () => {
    await timers(await Rig.start(await startRealNameServer({}, { supportActingMaster: true })));
    await stopEverything();
  });
}

test.run();
