/** ConsumeQueue files, checkpoint and options to the byte. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { emptyCheckpoint, readCheckpoint, writeCheckpoint } from '../../../src/store/log/checkpoint.ts';
import { checkStoreOptions } from '../../../src/store/options.ts';
import { ConsumeQueue } from '../../../src/store/queue/consume-queue.ts';
import { EntryStages } from '../../../src/store/queue/entry-stages.ts';
import { storeOptions } from '../../../src/store/store.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { headFor, smallStore } from '../../support/messages.ts';

const test = suite('queues');
const PER_FILE = 8;

function newQueue(next = 0) {
  const disk = new SimDisk();
  const name = { topic: 'T', queueId: 3, id: 1 };
  const queue = new ConsumeQueue(
    disk,
    '/cq/T/3',
    PER_FILE * 20,
    name,
    { next, lastPhysicalEnd: -1 },
    new EntryStages(),
  );
  return { disk, queue };
}

function fileOf(disk: SimDisk, start: number): Buffer {
  return Buffer.from(disk.bytesOf(`/cq/T/3/${String(start).padStart(20, '0')}`));
}

test('an entry: position, size, tags code', () => {
  const { store, disk } = smallStore();
  store.append('T', headFor(3), Buffer.from('hello'), 'TAGS\x01TagA\x02');
  store.append('T', headFor(3), Buffer.from('hello'), 'TAGS\x01order-created\x02');
  store.append('T', headFor(3), Buffer.from('hello'), '');
  store.dispatch();
  const bytes = Buffer.from(disk.bytesOf('/store/consumequeue/T/3/00000000000000000000'));
  assert.is(bytes.length, 160);
  assert.is(bytes.toString('hex', 0, 20), '00000000000000000000006b000000000027a807');
  // -392709271, sign-extended to 64 bits
  assert.is(bytes.readBigInt64BE(32), -392709271n);
  assert.equal([bytes.readBigInt64BE(40), bytes.readBigInt64BE(52)], [223n, 0n]);
  assert.ok(bytes.subarray(60).every((byte) => byte === 0));
});

test('entries of SCHEDULE_TOPIC_XXXX hold the delivery time; levels are capped, unknown ones count a second', () => {
  const { store, clock } = smallStore();
  for (const level of [1, 18, 99, 0, 'x', '-1', '9'.repeat(400)]) {
    store.append('SCHEDULE_TOPIC_XXXX', headFor(0), Buffer.from('x'), `DELAY\x01${level}\x02TAGS\x01A\x02`);
  }
  store.append('T', headFor(0), Buffer.from('x'), 'DELAY\x013\x02');
  store.dispatch();
  const tagsOf = (topic: string) => {
    const queue = store.queue(topic, 0);
    return queue === undefined
      ? []
      : store.reader.readQueue(queue, 0, 9).map((entry) => Number(entry.tagsCode));
  };
  const now = clock.time;
  const delays = [1000, 7_200_000, 7_200_000, 1000, 1000, 1000, 7_200_000];
  assert.equal(
    tagsOf('SCHEDULE_TOPIC_XXXX'),
    delays.map((delay) => now + delay),
  );
  assert.equal(tagsOf('T'), [0]);
});

test('files are named by the position of their first byte and made by their first entry', () => {
  const { disk, queue } = newQueue();
  for (let i = 0; i < 2 * PER_FILE; i++) queue.stage(i * 100, 100, 0, i);
  assert.equal(disk.paths(), []);
  assert.is(queue.write(), 0);
  assert.equal(disk.list('/cq/T/3').sort(), ['00000000000000000000', '00000000000000000160']);
  assert.equal([queue.next, queue.lastPhysicalEnd], [16, 1600]);
  for (let i = 0; i < 2 * PER_FILE; i++) {
    const entry = fileOf(disk, i < PER_FILE ? 0 : 160).subarray((i % PER_FILE) * 20);
    assert.equal(
      [Number(entry.readBigInt64BE(0)), entry.readInt32BE(8), entry.readInt32BE(16)],
      [i * 100, 100, i],
    );
  }
});

test('a queue that does not begin at 0 is filled from the start of its file', () => {
  const { disk, queue } = newQueue();
  queue.fillTo(2 * PER_FILE + 3);
  queue.stage(7000, 120, 0, 1);
  assert.is(queue.write(), 0);
  assert.equal(disk.list('/cq/T/3'), ['00000000000000000320']);
  const bytes = fileOf(disk, 320);
  for (let i = 0; i < 3; i++) {
    assert.is(bytes.toString('hex', i * 20, i * 20 + 20), '00000000000000007fffffff0000000000000000');
  }
  assert.is(Number(bytes.readBigInt64BE(60)), 7000);
  assert.is(queue.next, 2 * PER_FILE + 4);
});

test('filling a whole file of the usual size', () => {
  const disk = new SimDisk();
  const name = { topic: 'T', queueId: 0, id: 1 };
  const queue = new ConsumeQueue(
    disk,
    '/cq',
    6_000_000,
    name,
    { next: 0, lastPhysicalEnd: -1 },
    new EntryStages(),
  );
  queue.fillTo(299_999);
  queue.stage(1, 100, 0, 0);
  assert.is(queue.write(), 0);
  const bytes = Buffer.from(disk.bytesOf('/cq/00000000000000000000'));
  let fillers = 0;
  while (bytes.readInt32BE(fillers * 20 + 8) === 0x7fffffff) fillers++;
  assert.equal([fillers, bytes.readInt32BE(299_999 * 20 + 8)], [299_999, 100]);
});

test('what the disk refuses stays staged, and is written in its place later', () => {
  const { disk, queue } = newQueue();
  const open = disk.open.bind(disk);
  for (let i = 0; i < PER_FILE + 2; i++) queue.stage(i * 100, 100, 0, i);
  disk.open = (path, size) => (path.endsWith('160') ? -28 : open(path, size));
  assert.is(queue.write(), -28);
  disk.open = open;
  queue.stage(1000, 100, 0, 10);
  assert.is(queue.write(), 0);
  const tags = [0, 1, 2].map((i) => fileOf(disk, 160).readInt32BE(i * 20 + 16));
  assert.equal([fileOf(disk, 0).readInt32BE(7 * 20 + 16), ...tags], [7, 8, 9, 10]);
});

test('the checkpoint: six numbers in 4096 bytes', () => {
  const disk = new SimDisk();
  const checkpoint = {
    logTimestamp: 1_700_000_000_001,
    queueTimestamp: 2,
    indexTimestamp: 3,
    masterFlushedOffset: 4,
    confirmOffset: 5,
    queuePhysicalOffset: 2 ** 40,
  };
  writeCheckpoint(disk, '/checkpoint', checkpoint);
  const bytes = Buffer.from(disk.bytesOf('/checkpoint'));
  assert.is(bytes.length, 4096);
  assert.equal(
    Array.from({ length: 6 }, (_, i) => Number(bytes.readBigInt64BE(i * 8))),
    [1_700_000_000_001, 2, 3, 4, 5, 2 ** 40],
  );
  assert.ok(bytes.subarray(48).every((byte) => byte === 0));
  assert.equal(readCheckpoint(disk, '/checkpoint'), checkpoint);
  disk.writeWhole('/checkpoint', bytes.subarray(0, 47));
  assert.equal(readCheckpoint(disk, '/checkpoint'), emptyCheckpoint());
  assert.equal(readCheckpoint(disk, '/none'), emptyCheckpoint());
});

test('options that cannot work together are refused by name', () => {
  const check = (given: Parameters<typeof storeOptions>[1]) => () =>
    checkStoreOptions(storeOptions('/s', given));
  assert.not.throws(check({}));
  assert.throws(check({ mappedFileSizeCommitLog: 4 * 1024 * 1024 }), /cannot hold the largest message/);
  assert.throws(check({ mappedFileSizeCommitLog: 16 * 1024 * 1024 + 1 }), /multiple of 4096/);
  assert.throws(check({ mappedFileSizeCommitLog: 2 ** 31 }), /below 2 GiB/);
  assert.throws(check({ mappedFileSizeConsumeQueue: 6_000_001 }), /multiple of 20/);
});

test('a store is open once at a time', async () => {
  const first = smallStore();
  assert.throws(() => smallStore({}, first.disk), /in use by another broker/);
  assert.is(await first.store.close(), true);
  assert.not.throws(() => smallStore({}, first.disk));
});

test.run();
