/** Queues and index are derived from the log: what is missing or damaged is built again, and never renumbered. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOG_START } from '../../../src/ring/positions.ts';
import { followLogStart } from '../../../src/store/retention/follow-log.ts';
import { PAGE } from '../../sim/sim-file.ts';
import { bodyFor, headFor, LOG, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('derived files');
const QUEUES = `${ROOT}/consumequeue`;
const INDEX = `${ROOT}/index`;
const OPTIONS = { maxIndexNum: 8 } as const;
type Opened = ReturnType<typeof smallStore>;

const COUNTS = { a: 30, b: 3 } as const;

/** Topics a and b with so many messages, a key each, so that there are several files of everything. */
async function filled(): Promise<Opened> {
  const opened = smallStore(OPTIONS);
  const { store, clock } = opened;
  for (let i = 0; i < 30; i++) {
    for (const topic of i < 3 ? ['a', 'b'] : ['a']) {
      clock.time += 1000;
      store.append(topic, headFor(0), Buffer.from('b'), `KEYS\x01${topic}${i}\x02`);
    }
  }
  store.flush();
  store.dispatch();
  assert.is(await store.checkpoint(), true);
  return opened;
}

function check({ store }: Opened, what: string): void {
  for (const [topic, count] of Object.entries(COUNTS)) {
    const queue = store.queue(topic, 0);
    assert.ok(queue !== undefined, `${what}: ${topic} is there`);
    const entries = store.reader.readQueue(queue, 0, 100);
    assert.equal(
      entries.map(({ queueOffset }) => queueOffset),
      Array.from({ length: count }, (_, i) => i),
      `${what}: ${topic}`,
    );
    for (let i = 0; i < count; i++) {
      const found = store.reader.query(topic, `${topic}${i}`, 64, 0, 1e15, 'K');
      assert.is(found.records.length, 1, `${what}: key ${topic}${i}`);
    }
    assert.is(store.append(topic, headFor(0), Buffer.from('b'), '').queueOffset, count, `${what}: ${topic}`);
  }
}

const inFolder = ({ disk }: Opened, folder: string) => disk.paths().filter((path) => path.startsWith(folder));

test('every file of queues and index may be missing, emptied or cut, every folder gone, after any stop', async () => {
  const sample = await filled();
  const files = [...inFolder(sample, QUEUES), ...inFolder(sample, INDEX)];
  assert.ok(inFolder(sample, INDEX).length > 2 && inFolder(sample, QUEUES).length > 4);
  const folders = [QUEUES, INDEX, `${QUEUES}/a`, `${QUEUES}/a/0`, `${QUEUES}/b`];
  for (const path of [...files, ...folders]) {
    for (const damage of ['remove', 'empty', 'cut'] as const) {
      if (damage !== 'remove' && folders.includes(path)) continue;
      for (const stop of ['clean', 'kill'] as const) {
        const first = await filled();
        if (stop === 'clean') assert.is(await first.store.close(), true);
        else first.disk.kill();
        if (damage === 'remove') first.disk.remove(path);
        else first.disk.truncate(path, damage === 'empty' ? 0 : 55);
        const what = `${damage} ${path} after ${stop}`;
        const second = smallStore(OPTIONS, first.disk, first.clock);
        check(second, what);
        assert.ok(second.warnings.length > 0, `${what}: somebody is told`);
        await second.store.close();
        assert.equal(smallStore(OPTIONS, first.disk, first.clock).warnings, [], `${what}: mended for good`);
      }
    }
  }
});

test('an index of another size altogether is one of another configuration: it is refused and stays', async () => {
  const first = await filled();
  assert.is(await first.store.close(), true);
  const files = inFolder(first, INDEX).map((path) => [path, first.disk.size(path)]);
  assert.throws(
    () => smallStore({ ...OPTIONS, maxHashSlotNum: 7 }, first.disk, first.clock),
    /All index files in \S+ have \d+ bytes, not \d+: set maxHashSlotNum and maxIndexNum/,
  );
  assert.equal(
    inFolder(first, INDEX).map((path) => [path, first.disk.size(path)]),
    files,
  );
  first.disk.truncate(files[0]?.[0] as string, 44);
  check(smallStore(OPTIONS, first.disk, first.clock), 'a single file of another size is damaged');
});

test('full index files that a kill found unsynced are synced before a checkpoint names a later one', async () => {
  const options = { maxIndexNum: 500 };
  const first = smallStore(options);
  let made = 0;
  const append = ({ store, clock }: Opened, count: number) => {
    for (let i = 0; i < count; i++) {
      clock.time += 1000;
      store.append('a', headFor(0), Buffer.from('b'), `KEYS\x01a${made++}\x02`);
    }
    store.flush();
    store.dispatch();
  };
  append(first, 2);
  assert.is(await first.store.checkpoint(), true);
  append(first, 1100);
  assert.is(inFolder(first, INDEX).length, 3);
  // Of each file the kernel happened to write the page that says how many entries there are.
  for (const path of inFolder(first, INDEX)) first.disk.syncBytes(path, 0, PAGE);
  first.disk.kill();
  // As a store of RocketMQ is, whose files all are what they seem while the page cache is.
  first.disk.remove(`${ROOT}/ringmq.queues`);
  const second = smallStore(options, first.disk, first.clock);
  append(second, 500);
  assert.is(await second.store.checkpoint(), true);
  second.disk.powerCut(new Random(1), 0);
  const third = smallStore(options, second.disk, first.clock);
  for (let i = 0; i < made; i++) {
    assert.is(third.store.reader.query('a', `a${i}`, 64, 0, 1e15, 'K').records.length, 1, `key a${i}`);
  }
});

test('a queue whose files are gone is known even when the rest of the log has nothing for it', async () => {
  const first = await filled();
  assert.is(await first.store.close(), true);
  first.disk.remove(`${QUEUES}/b`);
  const second = smallStore(OPTIONS, first.disk, first.clock);
  assert.equal(second.warnings, ['building 1 queues again from the log: b/0 has no files']);
  check(second, 'b');
});

test('a queue all of whose messages have expired goes on where it was, with its files or without', async () => {
  for (const lose of [false, true]) {
    const first = smallStore();
    for (let i = 0; i < 5; i++) first.store.append('old', headFor(0), Buffer.from('b'), '');
    for (let i = 0; i < 40; i++) first.store.append('T', headFor(0), bodyFor(4096, 'T'), '');
    first.store.flush();
    first.store.dispatch();
    await first.store.checkpoint();
    const logStart = 68 * 1024;
    first.store.positions.set(LOG_START, logStart);
    const queues = ['old', 'T'].map((topic) => ({
      topic,
      queueId: 0,
      id: first.store.queue(topic, 0)?.id ?? 0,
    }));
    followLogStart(first.disk, first.store.options, first.store.directory, queues, logStart);
    first.disk.remove(`${LOG}/00000000000000000000`);
    assert.is(await first.store.close(), true);
    if (lose) first.disk.remove(QUEUES);
    const { store } = smallStore({}, first.disk);
    const id = store.queue('old', 0)?.id ?? 0;
    assert.equal([store.directory.minimum(id), store.directory.maximum(id)], [5, 5]);
    assert.is(store.append('old', headFor(0), Buffer.from('b'), '').queueOffset, 5);
    const big = store.queue('T', 0)?.id ?? 0;
    assert.equal([store.directory.minimum(big), store.directory.maximum(big)], [16, 40], `lost: ${lose}`);
  }
});

test('a damaged number in a record makes no queue jump, whether it is the first of its queue or not', () => {
  for (const at of [0, 3, 9]) {
    for (const number of [2n ** 40n, 50n, 1n]) {
      const first = smallStore();
      const positions = Array.from(
        { length: 10 },
        () => first.store.append('T', headFor(0), Buffer.from('b'), '').physicalOffset,
      );
      first.store.flush();
      first.store.dispatch();
      const view = new DataView(first.disk.bytesOf(`${LOG}/00000000000000000000`).buffer);
      view.setBigInt64((positions[at] as number) + 20, number);
      first.disk.kill();
      const { store, warnings } = smallStore({}, first.disk);
      const queue = store.queue('T', 0);
      assert.ok(queue !== undefined);
      assert.equal(
        store.reader.readQueue(queue, 0, 100).map(({ physicalOffset }) => physicalOffset),
        positions,
        `number ${number} at ${at}`,
      );
      assert.match(warnings.join('\n'), /do not have the number that follows/);
      assert.is(store.append('T', headFor(0), Buffer.from('b'), '').queueOffset, 10);
    }
  }
});

test('a record that names what no directory can be called stays out of the queues, and harms none', () => {
  const first = smallStore();
  for (const topic of ['T', 'a/b', '..', 'N\0L', 'T']) {
    first.store.append('xxx'.slice(0, topic.length), headFor(0), Buffer.from('b'), '');
  }
  const bytes = Buffer.from(first.disk.bytesOf(`${LOG}/00000000000000000000`).buffer);
  let at = 0;
  for (const topic of ['T', 'a/b', '..', 'N\0L', 'T']) {
    bytes.write(topic, at + 90, 'latin1');
    at += bytes.readInt32BE(at);
  }
  first.disk.kill();
  first.disk.remove(QUEUES);
  const { store, disk } = smallStore({}, first.disk);
  assert.equal(disk.list(QUEUES), ['T']);
  const queue = store.queue('T', 0);
  assert.is(queue && store.reader.readQueue(queue, 0, 10).length, 2);
});

test('queue files that all have another size are a wrong configuration, and refused', async () => {
  const first = await filled();
  assert.is(await first.store.close(), true);
  assert.throws(
    () => smallStore({ ...OPTIONS, mappedFileSizeConsumeQueue: 400 }, first.disk, first.clock),
    /have 160 bytes, but mappedFileSizeConsumeQueue says 400: start with the size/,
  );
});

test('a store that RocketMQ wrote has no ledger: missing queues are built from the log, once there are none at all', async () => {
  const first = await filled();
  first.disk.kill();
  first.disk.remove(`${ROOT}/ringmq.queues`);
  first.disk.remove(QUEUES);
  const second = smallStore(OPTIONS, first.disk, first.clock);
  assert.match(second.warnings.join('\n'), /there are no queues: building them again from the log/);
  check(second, 'without ledger');
});

test('an index that could not take the keys of one message shows none of a later one', () => {
  const first = smallStore();
  for (const key of ['one', 'two', 'three']) {
    first.store.append('T', headFor(0), Buffer.from('b'), `KEYS\x01${key}\x02`);
  }
  first.store.flush();
  first.disk.fail('allocate');
  assert.throws(() => first.store.dispatch());
  first.disk.kill();
  const second = smallStore({}, first.disk);
  for (const key of ['one', 'two', 'three']) {
    assert.is(second.store.reader.query('T', key, 64, 0, 1e15, 'K').records.length, 1, key);
  }
});

test('queues that are being built again when the process ends are built once more', async () => {
  for (let calls = 0; calls < 60; calls += 3) {
    const first = await filled();
    assert.is(await first.store.close(), true);
    first.disk.remove(`${QUEUES}/a/0/00000000000000000160`);
    first.disk.callsUntilCrash = calls;
    try {
      smallStore(OPTIONS, first.disk, first.clock);
    } catch {
      // The simulated process died on the way.
    }
    // The queues' new files are not durable yet; whatever of them a power cut leaves is not believed.
    if (calls % 2 === 0) first.disk.kill();
    else first.disk.powerCut(new Random(calls), 0.5);
    check(smallStore(OPTIONS, first.disk, first.clock), `after ${calls} calls`);
  }
});

test.run();
