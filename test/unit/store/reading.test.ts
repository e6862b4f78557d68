/** Reading: statuses, limits and next offsets of pulls, and searches by time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { APPENDED, LOG_START } from '../../../src/ring/positions.ts';
import { EIO } from '../../../src/store/disk/errors.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { PullReader, STATUS_NAMES, type TagFilter } from '../../../src/store/read/pull-reader.ts';
import type { EntryBlock, QueueFiles } from '../../../src/store/read/queue-files.ts';
import { bodyFor, headFor, LOG, type SmallStore, smallStore } from '../../support/messages.ts';

const test = suite('reading');
const FILE = 4 * 1024 * 1024;

function fill(count: number, size = 200, tag = (_i: number) => ''): SmallStore {
  const opened = smallStore({ mappedFileSizeCommitLog: FILE, mappedFileSizeConsumeQueue: 20 * 2000 });
  for (let i = 0; i < count; i++) {
    const properties = tag(i) === '' ? '' : `TAGS\x01${tag(i)}\x02`;
    opened.store.append('T', headFor(0), bodyFor(size, 'T', properties), properties);
  }
  opened.store.dispatch();
  return opened;
}

interface Outcome {
  status: string;
  next: number;
  count: number;
}

function read(
  { store }: SmallStore,
  offset: number,
  maxCount = 32,
  filter?: TagFilter,
  reader: PullReader = store.pull,
): Outcome {
  reader.read(store.queue('T', 0), offset, maxCount, filter);
  return { status: STATUS_NAMES[reader.status] ?? '', next: reader.nextBeginOffset, count: reader.count };
}

function tagged(...tags: string[]): TagFilter {
  const codes = new Set(tags.map(javaHashCode));
  return { matches: (hash) => codes.has(hash) };
}

test('statuses and next offsets before, at and behind the ends of a queue', () => {
  const opened = smallStore();
  opened.store.pull.read(undefined, 5, 32, undefined);
  assert.equal([opened.store.pull.status, opened.store.pull.nextBeginOffset], [7, 0], 'no queue');
  opened.store.append('T', headFor(0), Buffer.from('x'), '');
  assert.equal(read(opened, 0), { status: 'NO_MESSAGE_IN_QUEUE', next: 0, count: 0 });
  assert.equal(read(opened, 3), { status: 'NO_MESSAGE_IN_QUEUE', next: 0, count: 0 });
  const full = fill(5);
  full.store.directory.setMinimum(full.store.queue('T', 0)?.id ?? 0, 2);
  const cases: [offset: number, status: string, next: number, count: number][] = [
    [-1, 'OFFSET_TOO_SMALL', 2, 0],
    [1, 'OFFSET_TOO_SMALL', 2, 0],
    [2, 'FOUND', 5, 3],
    [4, 'FOUND', 5, 1],
    [5, 'OFFSET_OVERFLOW_ONE', 5, 0],
    [6, 'OFFSET_OVERFLOW_BADLY', 5, 0],
  ];
  for (const [offset, status, next, count] of cases) {
    assert.equal(read(full, offset), { status, next, count }, `offset ${offset}`);
  }
});

test('what may be acknowledged can be seen by its position, whether a queue has it or not', () => {
  const append = ({ store }: SmallStore) =>
    store.append('T', headFor(0), Buffer.from('x'), '').physicalOffset;
  const async = smallStore();
  const first = append(async);
  assert.is(async.store.reader.recordAt(first)?.length, async.store.reader.recordSize(first));
  assert.is(async.store.reader.recordAt(first + async.store.reader.recordSize(first)), undefined, 'the end');
  assert.is(read(async, 0).count, 0);
  const sync = smallStore({ flushDiskType: 'SYNC_FLUSH' });
  const second = append(sync);
  assert.is(sync.store.reader.recordAt(second), undefined);
  sync.store.flush();
  assert.ok(sync.store.reader.recordAt(second));
});

test('what is found are the records, byte for byte', () => {
  const opened = fill(3, 300);
  read(opened, 1);
  const { pull, reader } = opened.store;
  const bytes = new Uint8Array(pull.totalBytes + 2);
  assert.is(pull.copyTo(bytes, 1), true);
  const expected = [300, 600].map((position) => Buffer.from(reader.recordAt(position) ?? []));
  assert.ok(Buffer.concat(expected).equals(bytes.subarray(1, 601)));
  assert.equal([pull.totalBytes, bytes[0], bytes[601]], [600, 0, 0]);
});

test('records that are neighbours, that are none, and that stand in different files', () => {
  const fileSize = 68 * 1024;
  const opened = smallStore({ mappedFileSizeCommitLog: fileSize, mappedFileSizeConsumeQueue: 20 * 400 });
  for (let n = 0; n < 400; n++) {
    opened.store.append('T', headFor(0), Buffer.alloc(500 + n, n % 251), '');
    if (n % 3 === 2) opened.store.append('T', headFor(1), Buffer.alloc(100, 200 + (n % 50)), '');
  }
  opened.store.dispatch();
  const { pull, reader } = opened.store;
  for (let offset = 0; offset < 400; offset += pull.count) {
    read(opened, offset, 20);
    const bytes = new Uint8Array(pull.totalBytes);
    assert.is(pull.copyTo(bytes, 0), true);
    const expected = Array.from({ length: pull.count }, (_, i) =>
      Buffer.from(reader.recordAt(pull.physicalOffsets[i] as number) ?? []),
    );
    assert.ok(Buffer.concat(expected).equals(bytes), `from ${offset}`);
  }
  assert.ok((pull.physicalOffsets[pull.count - 1] as number) > 4 * fileSize, 'all in one file');
});

test('no more than asked for, no more than 32, no more than 256 KiB, but at least one', () => {
  const small = fill(50);
  assert.equal(read(small, 0, 3), { status: 'FOUND', next: 3, count: 3 });
  assert.equal(read(small, 0, 100), { status: 'FOUND', next: 32, count: 32 });
  assert.equal(read(small, 40, 32), { status: 'FOUND', next: 50, count: 10 });
  const large = fill(6, 100 * 1024);
  assert.equal(read(large, 0), { status: 'FOUND', next: 2, count: 2 });
  const exact = fill(3, 128 * 1024);
  assert.equal(read(exact, 0), { status: 'FOUND', next: 2, count: 2 });
  const huge = fill(2, 300 * 1024);
  assert.equal(read(huge, 0), { status: 'FOUND', next: 1, count: 1 });
});

test('behind the part of the log that is taken to be in memory: 8 messages or 64 KiB', () => {
  const opened = fill(40);
  const { store, disk } = opened;
  const cold = (window: number) =>
    new PullReader(new Segments(disk, LOG, FILE), store.positions, store.directory, window);
  assert.equal(read(opened, 0, 32, undefined, cold(0)), { status: 'FOUND', next: 8, count: 8 });
  // The last 20 records lie within the window: the batch that begins before it may grow into it.
  assert.is(read(opened, 15, 32, undefined, cold(20 * 200)).count, 25);
  assert.is(read(opened, 10, 32, undefined, cold(20 * 200)).count, 8);
  // Where a read has ended says whether it is far behind, and one that finds nothing is not.
  const reader = cold(20 * 200);
  const isFarBehind = (offset: number, filter?: TagFilter) => {
    read(opened, offset, 32, filter, reader);
    return reader.isFarBehind;
  };
  assert.equal([isFarBehind(10), isFarBehind(15), isFarBehind(40)], [true, false, false]);
  assert.is(isFarBehind(0, tagged('nobody')), false);
  const large = fill(5, 40 * 1024);
  const ofLarge = new PullReader(
    new Segments(large.disk, LOG, FILE),
    large.store.positions,
    large.store.directory,
    0,
  );
  assert.is(read(large, 0, 32, undefined, ofLarge).count, 1);
});

test('what is brought into memory is what was asked for, or with what follows it', async () => {
  const { store, disk } = fill(40);
  const segments = new Segments(disk, LOG, FILE);
  const mapping = segments.at(0);
  assert.ok(mapping);
  const asked: [from: number, length: number][] = [];
  mapping.populate = async (...range) => asked.push(range) - asked.length;
  const reader = new PullReader(segments, store.positions, store.directory, 0);
  await reader.warm(400, 200, false);
  await reader.warm(400, 200, true);
  assert.equal(asked, [
    [400, 200],
    [400, 2 * 1024 * 1024],
  ]);
});

test('a filter passes over what it does not want, at most 800 entries at a time', () => {
  const opened = fill(2000, 120, (i) => (i % 100 === 99 ? 'A' : 'B'));
  assert.equal(read(opened, 0, 4, tagged('A')), { status: 'FOUND', next: 400, count: 4 });
  assert.equal(read(opened, 0, 32, tagged('A')), { status: 'FOUND', next: 800, count: 8 });
  assert.equal(read(opened, 0, 32, tagged('C')), { status: 'NO_MATCHED_MESSAGE', next: 800, count: 0 });
  assert.equal(read(opened, 1900, 32, tagged('C')), { status: 'NO_MATCHED_MESSAGE', next: 2000, count: 0 });
  assert.equal(read(opened, 0, 5, tagged('A', 'B')), { status: 'FOUND', next: 5, count: 5 });
});

test('entries whose messages are expired are passed over', () => {
  const opened = fill(10);
  opened.store.positions.set(LOG_START, 800);
  assert.equal(read(opened, 0), { status: 'FOUND', next: 10, count: 6 });
  assert.is(opened.store.pull.physicalOffsets[0], 800);
  opened.store.positions.set(LOG_START, 2000);
  assert.equal(read(opened, 0), { status: 'MESSAGE_WAS_REMOVING', next: 10, count: 0 });
});

test('entries that cannot be read behind some that can are no error of what was found', () => {
  const { store } = fill(20);
  const queue = store.queue('T', 0);
  assert.ok(queue);
  let reads = 0;
  const files = {
    errno: 0,
    read(offset: number, _count: number, block: EntryBlock) {
      files.errno = reads++ % 2 === 0 ? 0 : EIO;
      block.count = 0;
      return files.errno === 0 ? queue.files.read(offset, 2, block) : 0;
    },
  } as unknown as QueueFiles & { errno: number };
  store.pull.read({ id: queue.id, files }, 3, 32, undefined);
  assert.equal([STATUS_NAMES[store.pull.status], store.pull.count, store.pull.errno], ['FOUND', 2, 0]);
  assert.is(store.pull.nextBeginOffset, 5);
  reads = 1;
  store.pull.read({ id: queue.id, files }, 5, 32, undefined);
  const { status, count, errno, unreadableOffset } = store.pull;
  assert.equal([STATUS_NAMES[status], count, errno, unreadableOffset], ['UNREADABLE', 0, EIO, 5]);
});

test('a queue over many files is read across their borders', () => {
  const opened = smallStore();
  for (let i = 0; i < 30; i++) opened.store.append('T', headFor(0), bodyFor(120, 'T'), '');
  opened.store.dispatch();
  assert.equal(read(opened, 3, 20), { status: 'FOUND', next: 23, count: 20 });
  opened.disk.remove('/store/consumequeue/T/0/00000000000000000160');
  const reopened = new PullReader(
    new Segments(opened.disk, LOG, 68 * 1024),
    opened.store.positions,
    opened.store.directory,
    1e9,
  );
  opened.store.queue('T', 0)?.files.close();
  assert.equal(read(opened, 3, 20, undefined, reopened), { status: 'FOUND', next: 8, count: 5 });
  assert.is(read(opened, 8, 20, undefined, reopened).status, 'OFFSET_FOUND_NULL');
});

test('a record that may not be seen yet is not there', () => {
  const { store } = smallStore({ flushDiskType: 'SYNC_FLUSH' });
  store.append('T', headFor(0), Buffer.from('x'), 'UNIQ_KEY\x01K\x02');
  store.dispatch();
  assert.is(store.reader.recordAt(0), undefined);
  assert.is(store.reader.query('T', 'K', 10, 0, 9e15, 'K').records.length, 0);
  store.flush();
  store.dispatch();
  assert.ok(store.reader.recordAt(0) !== undefined);
  assert.is(store.reader.recordAt(1), undefined, 'in the middle of a record');
  assert.is(store.reader.recordAt(store.positions.get(APPENDED)), undefined);
});

test('search by time: first at or after, last at or before', () => {
  const opened = smallStore();
  const { store, clock } = opened;
  const start = clock.time;
  for (const after of [10, 20, 20, 20, 30]) {
    clock.time = start + after;
    store.append('T', headFor(0), Buffer.from('x'), '');
  }
  const queue = store.queue('T', 0);
  assert.ok(queue !== undefined);
  assert.is(store.reader.offsetByTime(queue, start, 'LOWER'), 0, 'nothing dispatched yet');
  store.dispatch();
  const cases: [after: number, lower: number, upper: number][] = [
    [0, 0, 0],
    [10, 0, 0],
    [11, 1, 0],
    [20, 1, 3],
    [21, 4, 3],
    [30, 4, 4],
    [31, 5, 4],
  ];
  for (const [after, lower, upper] of cases) {
    const found = (boundary: 'LOWER' | 'UPPER') => store.reader.offsetByTime(queue, start + after, boundary);
    assert.equal([found('LOWER'), found('UPPER')], [lower, upper], `${after} ms`);
  }
  assert.equal(
    [0, 4, 5, -1].map((offset) => store.reader.storeTimeAt(queue, offset)),
    [start + 10, start + 30, -1, -1],
  );
});

test.run();
