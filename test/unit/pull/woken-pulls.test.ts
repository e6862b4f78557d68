/** Pulls that have news: served in slices, each once, and not to who does not take answers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ParkedPull, PullHold } from '../../../src/broker/pull/pull-hold.ts';
import { WokenPulls } from '../../../src/broker/pull/woken-pulls.ts';
import { MAX_ALL_FETCHES, MAX_FETCHES } from '../../../src/lib/limits.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { fakeConnection } from '../../support/fake-connection.ts';
import { Random, seeds } from '../../support/random.ts';

const test = suite('woken pulls');

const SLICE_MS = 4;
const TOO_MUCH = 5 * 1024 * 1024;

function pullOf(slot: number, opaque = 0, generation = 1, queue = 1): ParkedPull {
  return {
    slot,
    generation,
    opaque,
    serializeType: 0,
    group: 'g',
    topic: 'T',
    queueId: 0,
    queue: { id: queue } as ParkedPull['queue'],
    offset: 0,
    scanFrom: 0,
    maxCount: 1,
    filter: undefined,
    homes: { brokerId: 0, whichBrokerWhenConsumeSlowly: 1 },
    ...{ call: 0, came: 0, waited: false },
    deadline: 1e9,
  };
}

/** Sets how much of its answers the connection has not taken. */
function unsent(connection: Connection, bytes: number): void {
  (connection.socket as unknown as { writableLength: number }).writableLength = bytes;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

class Rig {
  readonly hold = new PullHold();
  readonly connections = new Map<number, Connection>();
  readonly served: ParkedPull[] = [];
  turns = 0;
  now = 0;
  /** What serving one pull takes, ms. */
  cost = 0;
  /** Happens with each pull that is served. */
  onServe: (connection: Connection, pull: ParkedPull, fetched: boolean) => void = () => {};
  readonly woken = new WokenPulls({
    next: () => this.hold.next(),
    connectionOf: (slot, generation) => {
      const connection = this.connections.get(slot);
      return connection?.generation === generation ? connection : undefined;
    },
    serve: (connection, { pull, fetched }) => {
      this.now += this.cost;
      this.served.push(pull);
      this.onServe(connection, pull, fetched);
    },
    clock: () => this.now,
    endOfTurn: () => this.turns++,
  });

  connect(slot: number, generation = 1): Connection {
    const { connection } = fakeConnection(slot, generation);
    this.connections.set(slot, connection);
    return connection;
  }

  close(slot: number): void {
    const connection = this.connections.get(slot);
    if (connection === undefined) return;
    this.connections.delete(slot);
    this.hold.drop(slot, connection.generation);
    this.woken.drop(slot);
  }

  /** Turns of the event loop until nothing is served any more. */
  async settle(): Promise<void> {
    for (let before = -1; before !== this.served.length + this.turns; ) {
      before = this.served.length + this.turns;
      for (let i = 0; i < 3; i++) await nextTurn();
    }
  }
}

test('a mass wake-up is served in slices; who comes meanwhile does not make them longer', async () => {
  const rig = new Rig();
  rig.cost = 1;
  rig.connect(1);
  rig.connect(2);
  for (let i = 0; i < 40; i++) rig.hold.park(pullOf(1, i));
  rig.hold.park(pullOf(2, 99, 1, 2));
  rig.hold.wake(1);
  rig.woken.serve();
  assert.is(rig.served.length, SLICE_MS);
  // News of another queue, and of many: the turn that is to come goes on for them too.
  for (let i = 0; i < 1000; i++) {
    rig.hold.wake(2);
    rig.woken.serve();
  }
  assert.is(rig.served.length, SLICE_MS);
  for (let turn = 1; turn <= 3; turn++) {
    await nextTurn();
    assert.equal([rig.served.length, rig.turns], [SLICE_MS * (turn + 1), turn]);
  }
  await rig.settle();
  assert.is(rig.served.length, 41);
  assert.is(new Set(rig.served).size, 41);
});

test('a pull that came first waits for a connection that takes nothing; another connection does not', async () => {
  const rig = new Rig();
  const slow = rig.connect(1);
  rig.connect(2);
  unsent(slow, TOO_MUCH);
  for (let i = 0; i < 10; i++) rig.hold.park(pullOf(1 + (i % 2), i));
  rig.hold.wake(1);
  rig.woken.serve();
  assert.equal(
    rig.served.map((pull) => pull.slot),
    [2, 2, 2, 2, 2],
  );
  assert.equal([rig.woken.stalledOf(1), rig.woken.size, rig.hold.size], [5, 5, 0]);
  // It takes its answers; after two more it has enough again.
  unsent(slow, 0);
  rig.onServe = () => unsent(slow, rig.served.length % 2 === 1 ? TOO_MUCH : 0);
  rig.woken.drained(slow);
  await rig.settle();
  assert.is(rig.served.length, 7);
  assert.is(rig.woken.stalledOf(1), 3);
  unsent(slow, 0);
  rig.woken.drained(slow);
  rig.woken.drained(slow);
  await rig.settle();
  assert.is(rig.served.length, 9);
  unsent(slow, 0);
  rig.woken.drained(slow);
  await rig.settle();
  assert.equal([rig.served.length, rig.woken.size], [10, 0]);
  assert.equal(
    rig.served.filter((pull) => pull.slot === 1).map((pull) => pull.opaque),
    [0, 2, 4, 6, 8],
  );
});

test('taking answers now and then costs what is served, not what waits', async () => {
  const rig = new Rig();
  const slow = rig.connect(1);
  unsent(slow, TOO_MUCH);
  const count = 20_000;
  for (let i = 0; i < count; i++) rig.hold.park(pullOf(1, i));
  rig.hold.wake(1);
  rig.woken.serve();
  assert.is(rig.woken.stalledOf(1), count);
  let looks = 0;
  const { connectionOf } = { connectionOf: rig.connections.get.bind(rig.connections) };
  rig.connections.get = (slot) => {
    looks++;
    return connectionOf(slot);
  };
  rig.onServe = () => unsent(slow, TOO_MUCH);
  for (let i = 0; i < 100; i++) {
    unsent(slow, 0);
    rig.woken.drained(slow);
  }
  await rig.settle();
  assert.is(rig.served.length, 100);
  assert.ok(looks <= 200, `${looks} pulls were looked at`);
});

test('a connection with very many that go on does not hold up another, nor what is new', async () => {
  const rig = new Rig();
  const slow = [rig.connect(1), rig.connect(2)];
  rig.connect(3);
  for (const connection of slow) unsent(connection, TOO_MUCH);
  for (let i = 0; i < 2000; i++) rig.hold.park(pullOf(1 + (i % 2), i));
  rig.hold.wake(1);
  rig.woken.serve();
  rig.cost = 1;
  rig.hold.park(pullOf(3, 0, 1, 2));
  rig.hold.wake(2);
  for (const connection of slow) {
    unsent(connection, 0);
    rig.woken.drained(connection);
  }
  await nextTurn();
  assert.equal(new Set(rig.served.map((pull) => pull.slot)), new Set([1, 2, 3]));
  await rig.settle();
  assert.is(rig.served.length, 2001);
});

test('fetches: four at a time, limits for one connection and for all, nothing is read for who has gone', async () => {
  const rig = new Rig();
  const ends: (() => void)[] = [];
  let fetched = 0;
  const fetch = () =>
    new Promise<void>((resolve) => {
      fetched++;
      ends.push(resolve);
    });
  const last = Math.ceil(MAX_ALL_FETCHES / MAX_FETCHES);
  for (let slot = 0; slot <= last; slot++) rig.connect(slot);
  for (let i = 0; i < MAX_FETCHES; i++) assert.is(rig.woken.fetch(pullOf(0, i), fetch), undefined);
  assert.match(rig.woken.fetch(pullOf(0), fetch) ?? '', /limit MAX_FETCHES/);
  for (let i = MAX_FETCHES; i < MAX_ALL_FETCHES; i++) {
    assert.is(rig.woken.fetch(pullOf(Math.floor(i / MAX_FETCHES)), fetch), undefined);
  }
  assert.match(rig.woken.fetch(pullOf(last), fetch) ?? '', /limit MAX_ALL_FETCHES/);
  assert.is(fetched, 4);
  rig.close(0);
  for (let slot = 2; slot <= last; slot++) rig.close(slot);
  while (ends.length > 0) {
    for (const end of ends.splice(0)) end();
    await rig.settle();
  }
  // Four of the one that has gone had begun.
  assert.is(fetched, 4 + MAX_FETCHES);
  assert.equal([rig.served.length, rig.woken.size], [MAX_FETCHES, 0]);
  assert.is(rig.woken.fetch(pullOf(1), fetch), undefined, 'the counts have come down again');
});

test('a fetch that fails is served like one that did not', async () => {
  const rig = new Rig();
  rig.connect(1);
  let fetchedFlag = false;
  rig.onServe = (_, __, fetched) => {
    fetchedFlag = fetched;
  };
  rig.woken.fetch(pullOf(1, 7), () => Promise.reject(new Error('the disk')));
  await rig.settle();
  assert.equal([rig.served.map((pull) => pull.opaque), fetchedFlag], [[7], true]);
});

/** Random connections that take their answers or not, close and come again, while pulls park and wake. */
async function play(seed: number): Promise<void> {
  const random = new Random(seed);
  const rig = new Rig();
  rig.cost = 0.1;
  const open = new Set<ParkedPull>();
  const generations = [1, 1, 1, 1];
  for (let slot = 0; slot < 4; slot++) rig.connect(slot);
  rig.onServe = (connection, pull, fetched) => {
    assert.ok(open.has(pull), 'served once, and not after its connection has gone');
    assert.not.ok(connection.congested, 'it takes its answers');
    assert.is(connection.generation, pull.generation);
    if (!fetched && random.chance(0.1)) {
      rig.woken.fetch(pull, nextTurn as () => Promise<void>);
    } else if (random.chance(0.2)) {
      rig.hold.park(pull);
    } else {
      open.delete(pull);
      if (random.chance(0.2)) unsent(connection, TOO_MUCH);
    }
  };
  for (let n = 0; n < 500; n++) {
    const slot = random.int(0, 3);
    const connection = rig.connections.get(slot) as Connection;
    const choice = random.next();
    if (choice < 0.6) {
      const pull = pullOf(slot, n, generations[slot], random.int(1, 3));
      open.add(pull);
      rig.hold.park(pull);
    } else if (choice < 0.75) {
      rig.hold.wake(random.int(1, 3));
      rig.woken.serve();
    } else if (choice < 0.9) {
      unsent(connection, 0);
      rig.woken.drained(connection);
    } else if (choice < 0.93) {
      rig.close(slot);
      for (const pull of open) if (pull.slot === slot) open.delete(pull);
      generations[slot] = (generations[slot] as number) + 1;
      rig.connect(slot, generations[slot]);
    } else await nextTurn();
  }
  // Everybody takes everything in the end.
  const { onServe } = rig;
  rig.onServe = (connection, pull, fetched) => {
    onServe(connection, pull, fetched);
    unsent(connection, 0);
  };
  for (let round = 0; open.size > 0; round++) {
    assert.ok(round < 100, `${open.size} pulls are never served`);
    for (const connection of rig.connections.values()) {
      unsent(connection, 0);
      rig.woken.drained(connection);
    }
    rig.hold.wakeAll();
    rig.woken.serve();
    await rig.settle();
  }
  assert.equal([rig.hold.size, rig.woken.size], [0, 0]);
}

test('parking, waking, stalling, fetching and closing in any order: each pull is served once', async () => {
  for (const seed of seeds('WOKEN_SEED', 40)) {
    await play(seed).catch((error: Error) => {
      throw new Error(`WOKEN_SEED=${seed}: ${error.message}`, { cause: error });
    });
  }
});

test.run();
