/** Index files to the byte, chains, and keys whose hashes collide. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { indexFileName, storedHash } from '../../../src/store/index/index-layout.ts';
import { IndexReader } from '../../../src/store/index/index-reader.ts';
import { KeyIndex } from '../../../src/store/index/key-index.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { headFor, StillClock, smallStore } from '../../support/messages.ts';

const test = suite('index');
const GEOMETRY = { slots: 4, entries: 6 };
const DIRECTORY = '/index';
const EVER = Number.MAX_SAFE_INTEGER;

function newIndex(disk = new SimDisk(), clock = new StillClock()) {
  return { disk, clock, index: new KeyIndex(disk, DIRECTORY, GEOMETRY, clock) };
}

function fileBytes(disk: SimDisk, nth = 0): Buffer {
  return Buffer.from(disk.bytesOf(`${DIRECTORY}/${disk.list(DIRECTORY).sort()[nth]}`));
}

function find(disk: SimDisk, hash: number, begin = 0, end = EVER, max = 64): number[] {
  return new IndexReader(disk, DIRECTORY, GEOMETRY).find(hash, begin, end, max, () => true).physicalOffsets;
}

test('header, slots and chained entries', () => {
  const { disk, index } = newIndex();
  index.put(5, 1000, 1_700_000_000_000);
  index.put(-9, 1200, 1_700_000_001_999); // same slot as 5: 9 % 4 = 1
  index.put(2, 1400, 1_700_000_003_000);
  index.commit();
  const bytes = fileBytes(disk);
  assert.is(bytes.length, 40 + 4 * 4 + 6 * 20);
  assert.equal(
    [0, 8, 16, 24].map((at) => Number(bytes.readBigInt64BE(at))),
    [1_700_000_000_000, 1_700_000_003_000, 1000, 1400],
  );
  assert.equal([bytes.readInt32BE(32), bytes.readInt32BE(36)], [2, 4], 'slots in use, next entry');
  assert.equal(
    [0, 1, 2, 3].map((slot) => bytes.readInt32BE(40 + slot * 4)),
    [0, 2, 3, 0],
  );
  const entry = (n: number) => {
    const at = 56 + n * 20;
    return [
      bytes.readInt32BE(at),
      Number(bytes.readBigInt64BE(at + 4)),
      bytes.readInt32BE(at + 12),
      bytes.readInt32BE(at + 16),
    ];
  };
  assert.equal([1, 2, 3].map(entry), [
    [5, 1000, 0, 0],
    [9, 1200, 1, 1],
    [2, 1400, 3, 0],
  ]);
  assert.ok(
    bytes.subarray(56, 76).every((byte) => byte === 0),
    'entry 0 is never used',
  );
});

test('hashes are kept by magnitude; the one without magnitude is 0', () => {
  assert.equal([5, -5, -2147483648, 2147483647].map(storedHash), [5, 5, 0, 2147483647]);
});

test('files are named by local time, ascend whatever the clock does, and roll when full', () => {
  const { disk, clock, index } = newIndex();
  const name = indexFileName(clock.time);
  for (let i = 0; i < 12; i++) {
    index.put(i, i * 100, clock.time);
    clock.time -= 1000;
  }
  index.commit();
  const names = disk.list(DIRECTORY).sort();
  assert.equal([names.length, names[0]], [3, name]);
  assert.match(name, /^20231[0-9]{12}$/);
  assert.equal(
    [0, 1, 2].map((nth) => fileBytes(disk, nth).readInt32BE(36)),
    [6, 6, 3],
  );
  assert.equal(find(disk, 0), [0]);
  assert.equal(find(disk, 11), [1100]);
});

test('newest first, within the time asked for, no more than asked for', () => {
  const { disk, index } = newIndex();
  for (let i = 0; i < 8; i++) index.put(7, i * 100, 1_700_000_000_000 + i * 1000);
  index.commit();
  assert.equal(find(disk, 7), [700, 600, 500, 400, 300, 200, 100, 0]);
  assert.equal(find(disk, 7, 0, EVER, 3), [700, 600, 500]);
  // 500 is the first of its file: what is older might stand there too.
  assert.equal(find(disk, 7, 1_700_000_002_000, 1_700_000_004_000), [500, 400, 300, 200]);
  assert.equal(find(disk, 3), [], 'same slot, other hash');
});

test('a reader sees the keys before those that are being put', () => {
  const { disk, index } = newIndex();
  index.put(5, 1000, 1);
  index.commit();
  index.put(9, 1100, 1);
  index.put(5, 1200, 1);
  assert.equal(find(disk, 5), [1000]);
  index.commit();
  assert.equal(find(disk, 5), [1200, 1000]);
});

test('entries that a killed process never committed are put again and hide nothing', () => {
  const first = newIndex();
  first.index.put(5, 1000, 1);
  first.index.put(6, 1100, 1);
  first.index.commit();
  first.index.put(9, 1200, 1);
  first.index.put(5, 1300, 1);
  const { index, disk } = newIndex(first.disk, first.clock);
  assert.is(index.endPhysical, 1100);
  index.put(9, 1200, 1);
  index.put(5, 1300, 1);
  index.commit();
  assert.equal(find(disk, 5), [1300, 1000]);
  assert.equal(find(disk, 9), [1200]);
  assert.equal(find(disk, 6), [1100]);
  assert.is(fileBytes(disk).readInt32BE(32), 2, 'slots in use');
});

test('the last record of a full file is entered again when its file is the newest', () => {
  const first = newIndex();
  for (let i = 0; i < 5; i++) first.index.put(i, 100 + i, 1);
  first.index.commit();
  assert.is(newIndex(first.disk, first.clock).index.endPhysical, 103);
  first.index.put(5, 105, 1); // rolls; not committed
  assert.is(newIndex(first.disk, first.clock).index.endPhysical, 103);
});

test('the header of a full file that is opened again stays as it is', () => {
  const { disk, clock, index } = newIndex();
  for (let i = 0; i < 5; i++) index.put(i, 100 + i, 1);
  index.commit();
  const before = fileBytes(disk).subarray(0, 40);
  assert.is(newIndex(disk, clock).index.commit(), 0);
  assert.equal(fileBytes(disk).subarray(0, 40), before);
});

test('unique key, every key and the tag find the message; the topic tells apart', () => {
  const { store } = smallStore();
  const put = (topic: string, properties: string) =>
    store.append(topic, headFor(0), Buffer.from('x'), properties).physicalOffset;
  const first = put('T', 'UNIQ_KEY\x01U1\x02KEYS\x01a b  c\x02TAGS\x01Tag\x02');
  const second = put('T', 'UNIQ_KEY\x01U2\x02KEYS\x01b\x02');
  put('other', 'UNIQ_KEY\x01U1\x02KEYS\x01a b\x02TAGS\x01Tag\x02');
  store.dispatch();
  const found = (key: string, type = 'K') =>
    store.reader
      .query('T', key, 64, 0, EVER, type)
      .records.map((record) => Number(Buffer.from(record).readBigInt64BE(28)));
  assert.equal(
    ['U1', 'U2', 'a', 'b', 'c', '', 'Tag', 'none'].map((key) => found(key)),
    [[first], [second], [first], [first, second], [first], [], [], []],
  );
  assert.equal([found('Tag', 'T'), found('a', 'T')], [[first], []]);
});

test('a query looks at so many entries and no more, the newest ones', () => {
  const disk = new SimDisk();
  const geometry = { slots: 4, entries: 40_000 };
  const index = new KeyIndex(disk, DIRECTORY, geometry, new StillClock());
  for (let i = 0; i < 100_000; i++) index.put(5, i, 1_700_000_000_000 + i);
  index.commit();
  const seen: number[] = [];
  new IndexReader(disk, DIRECTORY, geometry).find(5, 0, EVER, 64, (position) => {
    seen.push(position);
    return false;
  });
  assert.is(seen.length, 65_536);
  assert.equal([seen[0], seen.at(-1)], [99_999, 100_000 - 65_536]);
});

test('a query answers with the newest messages that fit', () => {
  const { store } = smallStore({ mappedFileSizeCommitLog: 32 << 20, maxMessageSize: 4 << 20 });
  const positions = Array.from(
    { length: 6 },
    () => store.append('T', headFor(0), Buffer.alloc(2 << 20, 1), 'KEYS\x01k\x02').physicalOffset,
  );
  store.dispatch();
  const { records } = store.reader.query('T', 'k', 64, 0, EVER, 'K');
  assert.equal(
    records.map((record) => Number(Buffer.from(record).readBigInt64BE(28))),
    positions.slice(3),
  );
});

test('keys with one hash are told apart', () => {
  // "Aa" and "BB" have the same Java hash, behind any topic.
  assert.is(javaHashCode('T#Aa'), javaHashCode('T#BB'));
  const { store } = smallStore();
  for (const key of ['Aa', 'BB', 'Aa', 'BB', 'BB']) {
    store.append('T', headFor(0), Buffer.from(key), `KEYS\x01${key}\x02`);
  }
  store.dispatch();
  const bodies = (key: string, max: number) =>
    store.reader
      .query('T', key, max, 0, EVER, 'K')
      .records.map((record) => Buffer.from(record).toString('latin1', 88, 90));
  assert.equal(bodies('Aa', 64), ['Aa', 'Aa']);
  assert.equal(bodies('BB', 64), ['BB', 'BB', 'BB']);
  assert.equal(bodies('Aa', 1), ['Aa'], 'what collides does not use up the number asked for');
});

test('a query looks at so many bytes of messages whose keys have the same hash, and no more', () => {
  const found = (collidingMib: number) => {
    const { store } = smallStore({ mappedFileSizeCommitLog: 128 << 20, maxMessageSize: 4 << 20 });
    store.append('T', headFor(0), Buffer.from('x'), 'KEYS\x01Aa\x02');
    for (let i = 0; i < collidingMib / 4; i++)
      store.append('T', headFor(0), Buffer.alloc((4 << 20) - 1000), 'KEYS\x01BB\x02');
    store.dispatch();
    return store.reader.query('T', 'Aa', 64, 0, EVER, 'K').records.length;
  };
  assert.equal([found(60), found(72)], [1, 0]);
});

test('a query is held to its time by the record itself, not by the whole seconds of the index', () => {
  const { store, clock } = smallStore();
  const start = clock.time;
  for (const after of [0, 400, 999, 1000]) {
    clock.time = start + after;
    store.append('T', headFor(0), Buffer.from('x'), 'KEYS\x01k\x02');
  }
  store.dispatch();
  const count = (begin: number, end: number) =>
    store.reader.query('T', 'k', 64, start + begin, start + end, 'K').records.length;
  assert.equal(
    [count(0, 0), count(0, 399), count(400, 999), count(999, 1000), count(1001, 5000)],
    [1, 1, 2, 2, 0],
  );
});

test('rollbacks are not indexed, half messages are', () => {
  const { store } = smallStore();
  for (const sysFlag of [0x4, 0x8, 0xc]) {
    store.append('T', headFor(0, { sysFlag }), Buffer.from('x'), 'KEYS\x01k\x02');
  }
  store.dispatch();
  assert.is(store.reader.query('T', 'k', 64, 0, EVER, 'K').records.length, 2);
});

test.run();
