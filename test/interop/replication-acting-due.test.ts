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
const DELAY_S = 15;
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
function reader(nameServer: NameServer, topic: string, ledger: Ledger): Consumer {
  return new Consumer(java55, { nameServer }, { topic, group: `${topic}-reads` }, ledger);
}

const later = (key: string, seconds = DELAY_S) => ({ UNIQ_KEY: key, TIMER_DELAY_SEC: seconds });

/** Timed messages come at their time, once. */
class Timers {
  readonly #rig: Rig;
  readonly #timed = new Ledger();
  readonly #lonely = new Ledger();
  #consumers: Consumer[] = [];
  #due = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  async prepare(atMaster: RawConnection, atOther: RawConnection): Promise<void> {
    for (const connection of [atMaster, atOther]) await makeTopic(connection, TIMED, 2);
    await makeTopic(atMaster, LONELY);
    for (const key of keys('t')) {
      await put(atMaster, TIMED, [key], 0, later(key));
      this.#timed.send(key);
    }
    await put(atMaster, LONELY, ['l-0'], 0, later('l-0'));
    this.#lonely.send('l-0');
    this.#due = Date.now() + DELAY_S * 1_000;
  }

  async whileAway(): Promise<void> {
    const { nameServer, slave, other } = this.#rig;
    const atTimed = reader(nameServer, TIMED, this.#timed);
    this.#consumers = [atTimed, reader(nameServer, LONELY, this.#lonely)];
    await atTimed.receives(this.#timed);
    for (const { key, storeHost } of atTimed.delivered)
      assert.ok(storeHost.endsWith(`:${other.port}`), `${key} is of ${storeHost}`);
    const isLeft = () => told(slave, 'waits until the master is back') > 0;
    await until('what nobody else takes to be left', isLeft, patience);
  }

  /** Away once more: the slave begins anew. */
  async awayAgain(back: Broker): Promise<void> {
    const connection = await RawConnection.open(back.address);
    await put(connection, TIMED, ['second'], 0, later('second'));
    this.#timed.send('second');
    await this.#rig.hasAll();
    await until('it to write down what it has delivered', () => readBy(connection, this.#due), patience);
    connection.destroy();
    await this.#rig.acts(2, back);
    await this.#consumers[0]?.receives(this.#timed);
  }

  async whenBack(back: Broker): Promise<void> {
    const [atTimed, atLonely] = this.#consumers;
    await atLonely?.receives(this.#lonely);
    const connection = await RawConnection.open(back.address);
    // What comes once more would come before this.
    await put(connection, TIMED, ['after'], 0, later('after', 2));
    connection.destroy();
    this.#timed.send('after');
    await atTimed?.receives(this.#timed);
    for (const consumer of this.#consumers) await consumer.stop();
    for (const ledger of [this.#timed, this.#lonely]) ledger.exactlyOnce();
  }
}

/** Pops go on at the slave, and come back to the master where nothing is lost and little comes again. */
class Pops {
  readonly #rig: Rig;
  readonly #ledger = new Ledger();
  readonly #poppers: Popper[] = [];
  #consumer: Consumer | undefined;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  /** Two groups: one of a Java client, for which the brokers choose, and one of raw frames. */
  async prepare(atMaster: RawConnection, atOther: RawConnection): Promise<void> {
    const { nameServer, master, slave, other } = this.#rig;
    const tool = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
    for (const [broker, connection] of [
      [master, atMaster],
      [other, atOther],
    ] as const) {
      await makeTopic(connection, POPPED, 2);
      for (const group of ['java', 'raw']) await makeGroup(connection, group);
      const words = ['setConsumeMode', '-n', nameServer.address, '-b', broker.address, '-t', POPPED];
      const mode = ['-g', 'java', '-m', 'POP', '-q', '0'];
      assert.match(String(await tool.ask([...words, ...mode].join('\t'))), /success/);
    }
    await tool.end();
    await put(atMaster, POPPED, keys('m'), 0);
    const popper = await this.#popperAt(master);
    const [first] = await popper.popAll(POPPED, 1, { maxMsgNums: 1, invisibleTime: 600_000 });
    assert.is((await popper.ack(first as PoppedMessage)).code, 0);
    await this.#hasCome(await this.#popperAt(slave), 1);
  }

  async #popperAt(broker: Broker, group = 'raw'): Promise<Popper> {
    const popper = await Popper.open(broker, group);
    this.#poppers.push(popper);
    return popper;
  }

  async #hasCome(popper: Popper, offset: number): Promise<void> {
    const what = `the offset of ${popper.group} to be ${offset}`;
    await until(what, async () => (await committed(popper, POPPED)) === offset, patience);
  }

  async whileAway(): Promise<void> {
    const { nameServer, slave, other } = this.#rig;
    const popper = await this.#popperAt(slave);
    const few = { maxMsgNums: 5, invisibleTime: 4_000, pollTime: 10_000 };
    const { messages } = await popper.pop(POPPED, few);
    assert.equal(bodies(messages), keys('m').slice(1, 6));
    for (const message of messages.slice(1)) assert.is((await popper.ack(message)).code, 0);
    await this.#hasCome(popper, 1);
    // It is visible again by the retry topic of another master.
    const atOther = await this.#popperAt(other);
    const revived = await popUntil(atOther, POPPED, 'm-1');
    assert.is(revived.reconsumeTimes, 1);
    assert.is((await atOther.ack(revived)).code, 0);
    await this.#hasCome(popper, 6);

    for (const key of keys('m')) this.#ledger.send(key);
    const args = { topic: POPPED, group: 'java', 'broker-assigns': true };
    this.#consumer = new Consumer(java55, { nameServer }, args, this.#ledger);
    await this.#consumer.receives(this.#ledger);
    await this.#hasCome(await this.#popperAt(slave, 'java'), COUNT);
  }

  async whenBack(back: Broker): Promise<void> {
    const atSlave = await this.#popperAt(this.#rig.slave);
    const refusal = await atSlave.pop(POPPED, { pollTime: 0 });
    assert.is.not(refusal.code, 0, 'the slave serves no pops any more');
    const popper = await this.#popperAt(back);
    const rest = await popper.pop(POPPED, { maxMsgNums: 32, pollTime: 1_000 });
    assert.equal(bodies(rest.messages), keys('m').slice(6), 'from where the group had come at the slave');
    await put(popper.connection, POPPED, ['after'], 1);
    this.#ledger.send('after');
    await this.#consumer?.receives(this.#ledger);
    await this.#consumer?.stop();
    this.#ledger.exactlyOnce();
    for (const { connection } of this.#poppers) connection.destroy();
  }
}

async function goesOn(nameServer: NameServer): Promise<void> {
  const rig = await Rig.start(nameServer);
  const [timers, pops] = [new Timers(rig), new Pops(rig)];
  const connections = [
    await RawConnection.open(rig.master.address),
    await RawConnection.open(rig.other.address),
  ] as const;
  await pops.prepare(...connections);
  await timers.prepare(...connections);
  await rig.hasAll();
  await rig.acts();
  await Promise.all([timers.whileAway(), pops.whileAway()]);
  let back = await rig.back(1);
  await pops.whenBack(back);
  if (fullRun) {
    await timers.awayAgain(back);
    back = await rig.back(2);
  }
  await timers.whenBack(back);
  for (const connection of connections) connection.destroy();
  await stopEverything();
}

test('timed messages and pops, with our name server', async () => {
  await goesOn(await startRingNameServer({ supportActingMaster: true }));
});

if (fullRun) {
  test('the same with a real name server', async () => {
    await goesOn(await startRealNameServer({}, { supportActingMaster: true }));
  });
}

test.run();
