// A store in which messages wait for their time goes from one broker to the other, after a clean stop and kill -9: the
// second one reads wheel, timer log and checkpoint of the first as they are. With INTEROP_TARGET=rocketmq both are real
// ones, which checks the test itself.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { dispatched } from './scenarios/transacting.ts';
import { temporaryFolder } from './support/paths.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection, send } from './support/raw.ts';
import { newUniqueKey } from './support/raw-producer.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { encodeProperties, readQueue, type StoredRecord } from './support/records.ts';
import { startRingBroker } from './support/ringmq.ts';
import type { Broker } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const test = interopSuite('hand-over of timers');
const TOPIC = 'handed-over-timers';
const TIMER_TOPIC = 'rmq_sys_wheel_timer';
const RECALL_MESSAGE = 370;
const SECOND = 1_000;
/** Seconds that messages wait. Real brokers are away for 5 to 20 s, so some are due before, some then, some later. */
const TIMES = [1, 2, 4, 6, 9, 14, 19, 24, 30, 36, 42];
const SPANS = [3, 12, 28, 40];
const RECALLED = [9, 30, 42];
const LEVEL = 2;
const LEVEL_SECONDS = 33;
const STOP_AFTER = 5 * SECOND;
const TIMEOUT = 90 * SECOND;
/** Messages of more than this are rolled, the longest ones more than once. */
const WINDOW_SECONDS = 11;
const conf = {
  recallMessageEnable: true,
  timerRollWindowSlot: WINDOW_SECONDS,
  messageDelayLevel: `1s ${LEVEL_SECONDS}s`,
};

type Start = typeof startRealBroker;

interface Departure {
  readonly name: string;
  readonly flushDiskType: string;
  /** What was delivered in so many seconds before the last put may come again: no checkpoint knew of it. */
  readonly repeats: number;
  leave(broker: Broker): Promise<void>;
}

const DEPARTURES: readonly Departure[] = [
  {
    name: 'a clean stop',
    flushDiskType: 'ASYNC_FLUSH',
    repeats: 1,
    leave: (broker) => broker.stop(),
  },
  { name: 'kill -9', flushDiskType: 'SYNC_FLUSH', repeats: 4, leave: (broker) => broker.kill() },
];

interface Sent {
  readonly key: string;
  readonly handle: string | undefined;
}

class Waiting {
  /** When each may come, by unique key. */
  readonly due = new Map<string, number>();
  readonly recalled = new Set<string>();
  readonly #connection: RawConnection;

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  async send(properties: Readonly<Record<string, string | number>>, due: number): Promise<Sent> {
    const key = newUniqueKey();
    const all = encodeProperties({ UNIQ_KEY: key, KEYS: key, ...properties });
    const { code, remark, extFields } = await this.#connection.request(send(TOPIC, { properties: all }));
    assert.is(code, 0, remark);
    this.due.set(key, due);
    return { key, handle: extFields?.['recallHandle'] };
  }

  async recall({ key, handle }: Sent): Promise<void> {
    const ext = { producerGroup: 'recaller', topic: TOPIC, recallHandle: String(handle) };
    const { code, remark } = await this.#connection.request({ code: RECALL_MESSAGE, ext });
    assert.is(code, 0, remark);
    this.due.delete(key);
    this.recalled.add(key);
  }
}

async function fill(connection: RawConnection): Promise<Waiting> {
  const waiting = new Waiting(connection);
  const start = Date.now();
  for (const seconds of [...TIMES, ...RECALLED]) {
    const due = start + seconds * SECOND;
    await waiting.send({ TIMER_DELIVER_MS: due }, due);
  }
  for (const seconds of SPANS)
    await waiting.send({ TIMER_DELAY_MS: seconds * SECOND }, Date.now() + seconds * SECOND);
  await waiting.send({ DELAY: LEVEL }, Date.now() + LEVEL_SECONDS * SECOND);
  for (const seconds of RECALLED) {
    const due = start + seconds * SECOND;
    await waiting.recall(await waiting.send({ TIMER_DELIVER_MS: due }, due));
  }
  await dispatched(connection);
  await sleep(Math.max(0, start + STOP_AFTER - Date.now()));
  return waiting;
}

function keyOf({ properties }: StoredRecord): string {
  return String(properties['UNIQ_KEY']);
}

interface Taken {
  readonly waiting: Waiting;
  readonly taken: number;
  readonly repeats: number;
}

async function rolledIn(broker: Broker): Promise<StoredRecord[]> {
  const connection = await RawConnection.open(broker.address);
  try {
    const records = await readQueue(connection, TIMER_TOPIC);
    return records.filter(({ properties }) => properties['TIMER_ROLL_TIMES'] !== undefined);
  } finally {
    connection.destroy();
  }
}

async function readAll(broker: Broker, { due, recalled }: Waiting): Promise<StoredRecord[]> {
  const connection = await RawConnection.open(broker.address);
  const keysOf = (records: readonly StoredRecord[]) => new Set(records.map(keyOf));
  try {
    for (const end = Date.now() + TIMEOUT; ; await sleep(SECOND)) {
      const records = await readQueue(connection, TOPIC);
      const keys = keysOf(records);
      const missing = [...due].filter(([key]) => !keys.has(key));
      if (missing.length === 0) break;
      const left = missing.map(([, time]) => `${(time - Date.now()) / SECOND} s`).join(', ');
      if (Date.now() > end) throw new Error(`${missing.length} of ${due.size} have not come, due in ${left}`);
    }
    // What comes twice, or was recalled, has come when something that was sent later has.
    const later = new Waiting(connection);
    await later.send({ TIMER_DELAY_MS: 3 * SECOND }, 0);
    const [fence] = later.due.keys();
    for (const end = Date.now() + TIMEOUT; ; await sleep(SECOND)) {
      const records = await readQueue(connection, TOPIC);
      const keys = keysOf(records);
      if (keys.has(String(fence))) {
        assert.equal(
          [...recalled].filter((key) => keys.has(key)),
          [],
          'what was recalled stays away',
        );
        return records.filter((record) => keyOf(record) !== fence);
      }
      if (Date.now() > end) throw new Error('what was sent after the hand-over has not come');
    }
  } finally {
    connection.destroy();
  }
}

/**
 * `taken`: when the second broker was started. What the first one put last, delivered or rolled, it may not have told:
 * only that may be put again.
 */
function check(delivered: readonly StoredRecord[], rolled: readonly StoredRecord[], end: Taken): void {
  const puts = [...delivered, ...rolled].filter(({ storeTime }) => storeTime < end.taken);
  const secondOf = ({ storeTime }: StoredRecord) => Math.floor(storeTime / SECOND);
  const last = Math.max(...puts.map(secondOf));
  const seen = new Set<string>();
  for (const record of delivered) {
    const key = keyOf(record);
    const early = (end.waiting.due.get(key) ?? Number.NaN) - record.storeTime;
    assert.ok(early <= 0, `a message was written ${early} ms before it was due`);
    const repeated = seen.has(key);
    seen.add(key);
    if (!repeated) continue;
    const before = Math.max(...puts.filter((put) => keyOf(put) === key).map(secondOf));
    assert.ok(
      last - before <= end.repeats,
      `${key} came twice: the first broker put it last ${last - before} s before it went`,
    );
  }
}

/** Lines about files of timers that one of the brokers had to mend or could not use. */
function complaints(broker: Broker): string[] {
  return broker.log().filter((line) => /\b(warn|error)\b/i.test(line) && /timer|timing|wheel/i.test(line));
}

async function handOver(from: Start, to: Start, departure: Departure): Promise<void> {
  const nameServer = await startRealNameServer();
  const store = temporaryFolder('timer-handover');
  const settings = { ...conf, flushDiskType: departure.flushDiskType };
  const first = await from(nameServer.address, { store, conf: settings });
  const connection = await RawConnection.open(first.address);
  const waiting = await fill(connection);
  connection.destroy();
  await departure.leave(first);
  const taken = Date.now();
  const second = await to(nameServer.address, { store, port: first.port, conf: settings });
  const delivered = await readAll(second, waiting);
  const rolled = await rolledIn(second);
  assert.ok(rolled.length > 0, 'some messages waited for longer than the window');
  check(delivered, rolled, { waiting, taken, repeats: departure.repeats });
  assert.equal(complaints(second), []);
  await second.kill();
  await stopEverything();
}

for (const departure of DEPARTURES) {
  if (target === 'rocketmq') {
    test(`real to real, ${departure.name}`, () => handOver(startRealBroker, startRealBroker, departure));
    continue;
  }
  test(`from a real broker to RingMQ, ${departure.name}`, () =>
    handOver(startRealBroker, startRingBroker, departure));
  // A minute each: one way is enough for every run.
  if (!fullRun) continue;
  test(`from RingMQ to a real broker, ${departure.name}`, () =>
    handOver(startRingBroker, startRealBroker, departure));
}

test.run();
