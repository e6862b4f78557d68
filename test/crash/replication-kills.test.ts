// A SYNC_MASTER and its slave under load, and a ledger of what was answered with SEND_OK: one of the two or both are
// killed at some moment, or the master is lost with its disk and its slave becomes the master. In the end everything in
// the ledger is on both, their logs are the same, and the consumers have got all of it. RINGMQ_TEST_FULL=1 makes 50
// rounds; KILLS_SEED=<n> kills at the same moments again.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { endOfLog, sameLogs } from '../interop/support/log-files.ts';
import { temporaryFolder } from '../interop/support/paths.ts';
import { freeBrokerPort } from '../interop/support/ports.ts';
import { stopEverything } from '../interop/support/program.ts';
import { startRingBroker, startRingNameServer } from '../interop/support/ringmq.ts';
import type { Broker, Conf } from '../interop/support/servers.ts';
import { fullRun, Random } from '../support/random.ts';
import { KEY_IN_BODY, LedgerConsumer, LedgerSender } from '../support/replicated-load.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('kill -9 of master or slave');
const ROUNDS = fullRun ? 50 : 2;
const PATIENCE = { patienceMs: 60_000, pauseMs: 20 };
/** Acknowledged since the last round before one is killed. */
const BEFORE_KILL = 200;
const CONF: Conf = { mappedFileSizeCommitLog: 5 * 1024 * 1024, deleteWhen: '04', fileReservedTime: 1_000 };

type Victim = 'master' | 'slave' | 'both' | 'disk';
const VICTIMS = ['master', 'master', 'slave', 'slave', 'both', 'disk'] as const;

/** Its store and its port; the process changes. */
interface Machine {
  store: string;
  port: number;
  broker: Broker | undefined;
}

class Pair {
  master: Machine;
  slave: Machine;
  readonly #nameServer: string;
  readonly #flush: Conf;

  private constructor(nameServer: string, flush: Conf, master: Machine, slave: Machine) {
    this.#nameServer = nameServer;
    this.#flush = flush;
    this.master = master;
    this.slave = slave;
  }

  static async start(flush: Conf): Promise<Pair> {
    const { address } = await startRingNameServer();
    const machine = async (): Promise<Machine> => {
      return {
        store: join(temporaryFolder('kills'), 'store'),
        port: await freeBrokerPort(),
        broker: undefined,
      };
    };
    const pair = new Pair(address, flush, await machine(), await machine());
    await pair.startMaster();
    await pair.startSlave();
    return pair;
  }

  /** Address of the master, and of its slave. */
  get addresses(): string[] {
    return [this.master, this.slave].map(({ port }) => `127.0.0.1:${port}`);
  }

  startMaster(): Promise<void> {
    return this.#start(this.master, { brokerRole: 'SYNC_MASTER', inSyncReplicas: 2 });
  }

  startSlave(): Promise<void> {
    return this.#start(this.slave, { brokerRole: 'SLAVE', brokerId: 1 });
  }

  async kill(...machines: Machine[]): Promise<void> {
    await Promise.all(machines.map(({ broker }) => broker?.kill()));
  }

  /** The master is gone with its disk: its slave is started as the master, and the other begins anew as a slave. */
  async loseMaster(): Promise<void> {
    const { master, slave } = this;
    await this.kill(master);
    rmSync(master.store, { recursive: true });
    await slave.broker?.stop();
    [this.master, this.slave] = [slave, master];
    await this.startMaster();
  }

  async caughtUp(): Promise<void> {
    const [master, slave] = [this.master.store, this.slave.store];
    await until('the slave to have the log', () => endOfLog(slave) >= endOfLog(master), PATIENCE);
  }

  async stop(): Promise<void> {
    await this.master.broker?.stop();
    await this.slave.broker?.stop();
  }

  async #start(machine: Machine, role: Conf): Promise<void> {
    const conf = { ...CONF, ...this.#flush, ...role };
    const { store, port } = machine;
    machine.broker = await startRingBroker(this.#nameServer, { store, port, conf });
  }
}

async function round(pair: Pair, victim: Victim, consumer: LedgerConsumer, random: Random): Promise<void> {
  await sleep(random.int(0, 700));
  const { master, slave } = pair;
  if (victim === 'master') await pair.kill(master);
  else if (victim === 'slave') await pair.kill(slave);
  else if (victim === 'both') await pair.kill(master, slave);
  // Consumers see some messages of the one that go with it; a client that is started asks how far its group is.
  else await Promise.all([consumer.stop(), pair.loseMaster()]);
  await sleep(random.int(0, 500));
  if (victim === 'disk') consumer.start();
  if (victim === 'master' || victim === 'both') await pair.startMaster();
  if (victim !== 'master') await pair.startSlave();
}

/** How often each message is in a store's log. */
function keysIn(store: string): Map<string, number> {
  const counts = new Map<string, number>();
  const folder = join(store, 'commitlog');
  for (const name of readdirSync(folder).filter((one) => /^\d{20}$/.test(one))) {
    for (const [, key = ''] of readFileSync(join(folder, name)).toString('latin1').matchAll(KEY_IN_BODY))
      counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

interface Load {
  pair: Pair;
  sender: LedgerSender;
  consumer: LedgerConsumer;
}

/** Nothing is sent any more: all that is owed comes to both logs and to the consumers. */
async function settle({ pair, sender, consumer }: Load): Promise<object> {
  await sender.stop();
  await pair.caughtUp();
  const all = [...sender.acknowledged];
  const waits = () => all.some((key) => !consumer.received.has(key));
  await until('the consumers to get all that was acknowledged', () => !waits(), PATIENCE);
  await consumer.stop();
  await pair.stop();
  const bytes = sameLogs(pair.master.store, pair.slave.store);
  const logs = [pair.master, pair.slave].map(({ store }) => keysIn(store));
  const lost = all.filter((key) => logs.some((keys) => !keys.has(key)));
  const twice = logs.flatMap((keys) => [...keys].filter(([, count]) => count > 1));
  assert.equal(lost, [], 'what was answered with SEND_OK is in both logs');
  assert.equal(twice, [], 'and nothing is there twice');
  const { sent, others, unanswered } = sender;
  const deliveredAgain = consumer.deliveries - consumer.received.size;
  const answers = { acknowledged: all.length, otherCodes: [...others], unanswered };
  return { sent, ...answers, lost: lost.length, twice: twice.length, deliveredAgain, bytes };
}

async function killAll(flush: Conf, rounds: number, seed: number): Promise<void> {
  const random = new Random(seed);
  const pair = await Pair.start(flush);
  const sender = new LedgerSender(() => pair.addresses[0] as string);
  const consumer = new LedgerConsumer(() => pair.addresses);
  const killed: Record<Victim, number> = { master: 0, slave: 0, both: 0, disk: 0 };
  let last = 'nobody';
  try {
    consumer.start();
    for (let n = 0; n <= rounds; n++) {
      const before = sender.acknowledged.size;
      const flows = () => sender.acknowledged.size >= before + BEFORE_KILL;
      await until(`acknowledgements, after ${last} was killed in round ${n}`, flows, PATIENCE);
      if (n === rounds) break;
      // Those that are most different come first.
      const victim = (['master', 'disk', 'slave'] as const)[n] ?? random.pick<Victim>(VICTIMS);
      await round(pair, victim, consumer, random);
      killed[victim]++;
      last = victim;
    }
    const figures = await settle({ pair, sender, consumer });
    if (fullRun) console.error(JSON.stringify({ ...flush, seed, rounds, killed, ...figures }));
  } finally {
    await sender.stop();
    await consumer.stop();
    consumer.close();
    await stopEverything();
  }
}

const SEED = Number(process.env['KILLS_SEED'] ?? '1');

test('asynchronous flush', () => killAll({}, Math.ceil(ROUNDS / (fullRun ? 2 : 1)), SEED));
if (fullRun) {
  test('synchronous flush on both', () =>
    killAll({ flushDiskType: 'SYNC_FLUSH' }, Math.floor(ROUNDS / 2), SEED + 1));
}

test.run();
