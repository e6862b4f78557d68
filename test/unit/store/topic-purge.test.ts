/** What a topic was purged of stays purged, and its queues go on counting, whatever happens to broker and files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { liteQueueOf } from '../../../src/lib/lite-names.ts';
import { APPENDED, DISPATCHED, HALT_THREAD_DIED, Positions } from '../../../src/ring/positions.ts';
import { QueueIds } from '../../../src/store/queue/queue-ids.ts';
import { TopicPurge, type TopicPurgeParts } from '../../../src/store/retention/topic-purge.ts';
import { SimCrash, type SimDisk } from '../../sim/sim-disk.ts';
import { headFor, LOG, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('topic purge');
const STARTS = `${ROOT}/ringmq.topics`;
const QUEUES = `${ROOT}/consumequeue`;
type Opened = ReturnType<typeof smallStore>;

/** In queue 0; the key is the topic's. */
function send({ store }: Opened, text: string, topic = 'orders'): number {
  return store.append(topic, headFor(0), Buffer.from(text), `KEYS\x01key\x02`).queueOffset;
}

function settle({ store }: Opened): void {
  store.flush();
  store.dispatch();
}

function sendAll(opened: Opened, name: string, count: number, topic = 'orders'): void {
  for (let i = 0; i < count; i++) send(opened, `${name}${i}`, topic);
  settle(opened);
}

function rangeOf({ store }: Opened, topic = 'orders'): [number, number] {
  const id = store.queue(topic, 0)?.id ?? 0;
  return [store.directory.minimum(id), store.directory.maximum(id)];
}

/** Bodies that can be read in the queue, asked for from 0 on. */
function bodiesOf({ store }: Opened, topic = 'orders'): string[] {
  const queue = store.queue(topic, 0);
  if (queue === undefined) return [];
  return store.reader.readQueue(queue, 0, 1000).map(({ physicalOffset }) => {
    const record = Buffer.from(store.reader.recordAt(physicalOffset) as Uint8Array);
    return /(?:old|new)\d+/.exec(record.toString('latin1'))?.[0] ?? '';
  });
}

const found = ({ store }: Opened) =>
  store.reader.query('orders', 'key', 64, 0, 1e15, 'K').records.map((record) => Buffer.from(record));

const savedStarts = (disk: SimDisk) => JSON.parse(Buffer.from(disk.bytesOf(STARTS)).toString());

const names = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`);

test('a purged queue begins at its end, and the next message has the next number', () => {
  const opened = smallStore();
  sendAll(opened, 'old', 100);
  sendAll(opened, 'old', 5, 'other');
  opened.store.purgeTopic('orders');
  assert.equal(rangeOf(opened), [100, 100]);
  assert.equal(bodiesOf(opened), []);
  assert.equal(found(opened), []);
  assert.is(send(opened, 'new0'), 100);
  settle(opened);
  assert.equal(rangeOf(opened), [100, 101]);
  assert.equal(bodiesOf(opened), ['new0']);
  assert.is(found(opened).length, 1);
  const queue = opened.store.queue('orders', 0);
  assert.ok(queue !== undefined);
  assert.is(opened.store.reader.offsetByTime(queue, 0, 'LOWER'), 100);
  opened.store.pull.read(queue, 3, 32, undefined);
  assert.equal([opened.store.pull.nextBeginOffset, opened.store.pull.minOffset], [100, 100]);
  assert.equal(rangeOf(opened, 'other'), [0, 5]);
});

test('it stays purged after a kill, a power cut, a clean stop, and without queues and index', async () => {
  for (const [old, fresh] of [
    [20, 3],
    [1, 1],
    [9, 0],
  ] as const) {
    for (const ends of [
      'kill',
      'powerCut',
      'lost queues',
      'lost all',
      'checkpoint',
      'stop',
      'stop, lost',
    ] as const) {
      const what = `${old} old, ${fresh} new, ${ends}`;
      const first = smallStore();
      sendAll(first, 'old', old);
      if (ends === 'checkpoint') assert.is(await first.store.checkpoint(), true);
      first.store.purgeTopic('orders');
      sendAll(first, 'new', fresh);
      if (ends.startsWith('stop')) assert.is(await first.store.close(), true);
      if (ends === 'powerCut') first.disk.powerCut(new Random(1), 0);
      else first.disk.kill();
      if (ends.includes('lost')) first.disk.remove(QUEUES);
      if (ends === 'lost all') first.disk.remove(`${ROOT}/index`);
      const second = smallStore({}, first.disk);
      assert.equal(rangeOf(second), [old, old + fresh], what);
      assert.equal(bodiesOf(second), names('new', fresh), what);
      assert.is(found(second).length, fresh, what);
      assert.is(send(second, `new${fresh}`), old + fresh, what);
    }
  }
});

test('a purge that a kill cuts short anywhere takes effect as a whole or not at all', () => {
  for (let calls = 0; ; calls++) {
    const first = smallStore({ mappedFileSizeConsumeQueue: 20 });
    sendAll(first, 'old', 4);
    first.disk.callsUntilCrash = calls;
    let ended = false;
    try {
      first.store.purgeTopic('orders');
      ended = true;
    } catch (error) {
      assert.instance(error, SimCrash);
    }
    first.disk.kill();
    const second = smallStore({ mappedFileSizeConsumeQueue: 20 }, first.disk);
    const left = bodiesOf(second);
    assert.ok(left.length === 0 || (!ended && left.length === 4), `${left} after ${calls} calls`);
    assert.equal(rangeOf(second), [left.length === 0 ? 4 : 0, 4]);
    assert.is(send(second, 'new0'), 4);
    if (ended) break;
  }
});

test('messages that come where a power cut has taken the log are not purged', () => {
  const first = smallStore();
  sendAll(first, 'old', 5);
  for (let i = 5; i < 9; i++) send(first, `old${i}`);
  first.store.purgeTopic('orders');
  first.disk.powerCut(new Random(1), 0);
  const second = smallStore({}, first.disk);
  assert.equal(rangeOf(second), [5, 5]);
  sendAll(second, 'new', 3);
  assert.equal(bodiesOf(second), names('new', 3));
  second.disk.kill();
  const third = smallStore({}, second.disk);
  assert.equal(bodiesOf(third), names('new', 3), 'also for the next start');
  assert.equal(rangeOf(third), [5, 8]);
});

test('a half-written file beside the note does nothing; a damaged note is told of, and hides nothing', () => {
  const first = smallStore();
  sendAll(first, 'old', 5);
  first.store.purgeTopic('orders');
  const whole = Buffer.from(first.disk.bytesOf(STARTS));
  first.disk.kill();
  first.disk.writeWhole(`${STARTS}.tmp`, whole.subarray(0, 7));
  const second = smallStore({}, first.disk);
  assert.equal([rangeOf(second), second.warnings], [[5, 5], []]);
  second.disk.kill();
  second.disk.writeWhole(STARTS, whole.subarray(0, 7));
  const third = smallStore({}, second.disk);
  assert.ok(third.warnings.some((line) => line.includes('ringmq.topics is damaged')));
  assert.equal(rangeOf(third), [0, 5]);
});

test('a note whose fields are no positions hides nothing', () => {
  for (const row of ['x', -1, 1.5, null, [], { purgedTo: '9' }, { bornAt: {}, purgedTo: -3 }]) {
    const first = smallStore();
    sendAll(first, 'old', 5);
    first.disk.kill();
    first.disk.writeWhole(STARTS, Buffer.from(JSON.stringify({ orders: row })));
    assert.equal(rangeOf(smallStore({}, first.disk)), [0, 5], JSON.stringify(row));
  }
});

test('one entry a topic: a later purge and a deletion take the place of the one before', () => {
  const opened = smallStore();
  for (let i = 0; i < 3; i++) {
    sendAll(opened, 'old', 2);
    opened.store.purgeTopic('orders');
  }
  const before = savedStarts(opened.disk);
  assert.equal(Object.keys(before), ['orders']);
  opened.store.purgeTopic('orders');
  assert.equal(savedStarts(opened.disk), before, 'nothing came since');
  opened.store.deleteTopic('orders');
  assert.type(savedStarts(opened.disk).orders, 'number', 'a birth, and no purge');
  sendAll(opened, 'new', 2);
  assert.equal([rangeOf(opened), bodiesOf(opened)], [[0, 2], names('new', 2)]);
  opened.store.purgeTopic('orders');
  opened.disk.kill();
  const second = smallStore({}, opened.disk);
  assert.equal(rangeOf(second), [2, 2], 'numbers of the new topic');
});

test('queue files stay while the log has the messages, and the entry goes with the log', async () => {
  const first = smallStore();
  sendAll(first, 'old', 20);
  first.store.purgeTopic('orders');
  const files = () => first.disk.list(`${QUEUES}/orders/0`).sort();
  assert.is(files()[0], '00000000000000000000');
  // The log moves on to its second file, and the first one expires.
  for (let i = 0; i < 80; i++) first.store.append('other', headFor(0), new Uint8Array(1000), '');
  settle(first);
  assert.is(await first.store.checkpoint(), true);
  assert.is(await first.store.close(), true);
  first.disk.remove(`${LOG}/00000000000000000000`);
  const second = smallStore({}, first.disk);
  assert.equal(rangeOf(second), [20, 20]);
  // Its job deletes what points before the log only, also of queues that were purged.
  second.store.purgeTopic('orders');
  assert.equal(files(), ['00000000000000000320'], 'the newest stays: the numbers go on from it');
  sendAll(second, 'new', 1, 'last');
  second.store.purgeTopic('last');
  assert.equal(Object.keys(savedStarts(second.disk)).includes('orders'), true);
  assert.is(await second.store.close(), true);
  const third = smallStore({}, second.disk);
  assert.equal(rangeOf(third), [20, 20]);
  assert.is(send(third, 'new0'), 20);
});

test('an entry that the log has passed goes with the next one that is noted', async () => {
  const first = smallStore();
  sendAll(first, 'old', 2);
  first.store.purgeTopic('orders');
  for (let i = 0; i < 80; i++) first.store.append('other', headFor(0), new Uint8Array(1000), '');
  settle(first);
  assert.is(await first.store.checkpoint(), true);
  assert.is(await first.store.close(), true);
  first.disk.remove(`${LOG}/00000000000000000000`);
  const second = smallStore({}, first.disk);
  second.store.purgeTopic('other');
  assert.equal(Object.keys(savedStarts(second.disk)), ['other']);
  assert.equal(rangeOf(second), [2, 2]);
});

test('a purge of the parent is one of its lite topics, also after a kill', () => {
  const first = smallStore();
  const [lite, foreign] = [liteQueueOf('orders', 'a'), liteQueueOf('others', 'a')];
  const sendLite = (opened: Opened, parent: string, queue: string) =>
    opened.store.appendTwice(parent, headFor(0), Buffer.from('old0'), new Map(), queue).secondOffset;
  for (let i = 0; i < 3; i++) {
    sendLite(first, 'orders', lite);
    sendLite(first, 'others', foreign);
  }
  settle(first);
  first.store.purgeTopic('orders');
  assert.equal(
    [rangeOf(first, lite), rangeOf(first, foreign)],
    [
      [3, 3],
      [0, 3],
    ],
  );
  first.disk.kill();
  first.disk.remove(QUEUES);
  const second = smallStore({}, first.disk);
  assert.equal(
    [rangeOf(second), rangeOf(second, lite), rangeOf(second, foreign)],
    [
      [3, 3],
      [3, 3],
      [0, 3],
    ],
  );
  assert.is(sendLite(second, 'orders', lite), 3);
});

/** A purge whose parts are told in the order in which they are used. */
function rig(changes: Partial<TopicPurgeParts> = {}) {
  const told: string[] = [];
  const positions = new Positions();
  const ids = new QueueIds();
  for (const [topic, queueId] of [
    ['orders', 0],
    ['orders', 1],
    [liteQueueOf('orders', 'a'), 0],
    ['ordersx', 0],
  ] as const)
    ids.idOf(topic, queueId);
  const purge = new TopicPurge({
    store: { purgeTopic: (topic, position) => void told.push(`${topic} ${position}`) },
    positions,
    ids,
    timers: {
      after: (_, run) => {
        queueMicrotask(run);
        return () => {};
      },
    },
    follow: async (queues) =>
      void told.push(queues.map(({ topic, queueId }) => `${topic}/${queueId}`).join()),
    ...changes,
  });
  return { purge, positions, told };
}

test('the note comes when the queues have what is purged, and the minima of these queues follow', async () => {
  const { purge, positions, told } = rig();
  positions.set(APPENDED, 100);
  positions.set(DISPATCHED, 60);
  const purged = purge.run('orders');
  assert.equal(told, []);
  positions.set(APPENDED, 200);
  positions.set(DISPATCHED, 100);
  await purged;
  assert.equal(told, ['orders 100', `orders/0,orders/1,${liteQueueOf('orders', 'a')}/0`]);
});

test('of many purges at once each is noted in a turn of its own', async () => {
  const turns: (() => void)[] = [];
  const { purge, told, positions } = rig({
    timers: {
      after: (_, run) => {
        turns.push(run);
        return () => {};
      },
    },
  });
  const purges = ['orders', 'ordersx', 'orders'].map((topic) => purge.run(topic));
  const notes = () => told.filter((line) => line.endsWith(' 0')).length;
  for (const noted of [0, 1]) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal([turns.length, notes()], [1, noted]);
    turns.shift()?.();
  }
  await Promise.all(purges.slice(0, 2));
  // The broker stops before the third one has its turn.
  positions.halt(HALT_THREAD_DIED, 0);
  turns.shift()?.();
  await rejects(purges[2] as Promise<void>, /the broker stops: nothing is purged/);
  assert.is(notes(), 2);
});

test('nothing is purged while the queues lag behind, nor by a broker that ends, nor when the disk refuses', async () => {
  const lagging = rig();
  lagging.positions.set(APPENDED, 100);
  await rejects(lagging.purge.run('orders'), /orders is not purged: its queues lack the last 100 bytes/);
  const dead = rig();
  dead.positions.set(APPENDED, 100);
  dead.positions.halt(HALT_THREAD_DIED, 0);
  await rejects(dead.purge.run('orders'), /the broker stops: nothing is purged/);
  const full = rig({
    store: {
      purgeTopic: () => {
        throw new Error('ENOSPC');
      },
    },
  });
  await rejects(full.purge.run('orders'), /ENOSPC/);
  assert.equal([lagging.told, dead.told, full.told], [[], [], []]);
});

test('a job that fails is told of as what it is: the note stays', async () => {
  let fails = true;
  const followed: number[] = [];
  const { purge, told } = rig({
    follow: async (queues) => {
      if (fails) throw new Error('the broker is stopping');
      followed.push(queues.length);
    },
  });
  await rejects(purge.run('orders'), /orders is noted as purged, .* the broker is stopping/);
  fails = false;
  await purge.run('orders');
  assert.equal([told, followed], [['orders 0', 'orders 0'], [3]]);
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const message = await promise.then(
    () => 'nothing was refused',
    (error: Error) => error.message,
  );
  assert.match(message, pattern);
}

test.run();
