/** What a crash leaves behind the last whole record is cut and zeroed, and never comes back to life. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, FLUSHED } from '../../../src/ring/positions.ts';
import type { SimDisk } from '../../sim/sim-disk.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { bodyFor, headFor, LOG, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('torn tail');
const FIRST = `${LOG}/00000000000000000000`;
const PAGE = 4096;

function isZeroFrom(disk: SimDisk, from: number): boolean {
  return disk
    .bytesOf(FIRST)
    .subarray(from)
    .every((byte) => byte === 0);
}

/** Positions of the messages of a queue. */
function positionsOf(store: ReturnType<typeof smallStore>['store'], topic = 'T'): number[] {
  const queue = store.queue(topic, 0);
  return queue === undefined
    ? []
    : store.reader.readQueue(queue, 0, 1000).map((entry) => entry.physicalOffset);
}

test('a log cut off at any byte of its last record keeps the records before, and nothing else', () => {
  const body = Buffer.from('hello');
  const properties = 'TAGS\x01TagA\x02';
  for (let cut = 0; ; cut++) {
    const first = smallStore();
    const appended = [1, 2, 3].map(
      () => first.store.append('T', headFor(0), body, properties).physicalOffset,
    );
    first.store.flush();
    first.store.dispatch();
    const [, , last = 0] = appended;
    const end = first.store.positions.get(APPENDED);
    if (cut >= end - last) {
      assert.is(end - last, 107, 'every byte of the record was tried');
      break;
    }
    first.disk.bytesOf(FIRST).fill(0, last + cut);
    first.disk.kill();
    const { store, disk } = smallStore({}, first.disk);
    // The last byte of all is the end mark of the properties: without it the text holds a NUL.
    assert.is(store.positions.get(APPENDED), last, `cut at byte ${cut}`);
    assert.is(store.positions.get(FLUSHED), last);
    assert.equal(positionsOf(store), appended.slice(0, 2), `cut at byte ${cut}`);
    assert.ok(isZeroFrom(disk, last), `zeros behind the end, cut at byte ${cut}`);
    assert.is(store.append('T', headFor(0), body, properties).queueOffset, 2);
  }
});

test('a byte changed in the last record is noticed, as far as the format has a check for it', () => {
  // RocketMQ's records have none for flag, times, hosts, counters and the text itself; ids are left out here too.
  const checked = [
    [0, 12], // size, magic, checksum
    [28, 36], // its own position
    [84, 94], // body and its length, length of the topic
    [95, 97], // length of the properties
  ];
  for (const [from = 0, to = 0] of checked) {
    for (let at = from; at < to; at++) {
      const first = smallStore();
      for (let i = 0; i < 2; i++)
        first.store.append('T', headFor(0), Buffer.from('hello'), 'TAGS\x01TagA\x02');
      const last = 107;
      const bytes = first.disk.bytesOf(FIRST);
      bytes[last + at] = (bytes[last + at] as number) ^ 0x40;
      first.disk.kill();
      const { store } = smallStore({}, first.disk);
      assert.is(store.positions.get(APPENDED), last, `byte ${at}`);
      assert.ok(isZeroFrom(first.disk, last), `byte ${at}`);
    }
  }
});

test('a damaged queue id makes a queue of that number and does no other harm', () => {
  const first = smallStore();
  first.store.append('T', headFor(0), Buffer.from('hello'), '');
  new DataView(first.disk.bytesOf(FIRST).buffer).setInt32(12, 1_000_000_000);
  first.disk.kill();
  const { store } = smallStore({}, first.disk);
  assert.ok(store.queue('T', 1_000_000_000) !== undefined);
  assert.is(store.append('T', headFor(0), Buffer.from('hello'), '').queueOffset, 0);
});

test('records that outlived a power cut behind a long gap stay dead', () => {
  const options = { mappedFileSizeCommitLog: 256 * 1024 };
  const first = smallStore(options);
  const body = bodyFor(PAGE, 'T');
  for (let i = 0; i < 40; i++) first.store.append('T', headFor(0), body, '');
  // The kernel happened to write the last ten records only.
  first.disk.syncBytes(FIRST, 30 * PAGE, 40 * PAGE);
  first.disk.powerCut(new Random(1), 0);
  const second = smallStore(options, first.disk);
  assert.is(second.store.positions.get(APPENDED), 0);
  assert.ok(isZeroFrom(second.disk, 0), 'nothing is left behind the end');
  for (let i = 0; i < 30; i++) second.store.append('T', headFor(0), body, '');
  second.disk.kill();
  const third = smallStore(options, second.disk);
  assert.is(third.store.positions.get(APPENDED), 30 * PAGE);
  assert.is(positionsOf(third.store).length, 30);
});

test('a file that cannot be opened is no end of the log: the start is refused and nothing is moved', async () => {
  const EMFILE = 24;
  for (const clean of [true, false]) {
    const first = smallStore();
    const body = bodyFor(PAGE, 'T');
    while (first.store.positions.get(APPENDED) < 2 * 68 * 1024) first.store.append('T', headFor(0), body, '');
    first.store.flush();
    first.store.dispatch();
    const end = first.store.positions.get(APPENDED);
    const positions = positionsOf(first.store);
    if (clean) assert.is(await first.store.close(), true);
    else first.disk.kill();
    const { disk } = first;
    const files = disk.list(LOG).sort();
    for (const name of files) {
      const map = disk.map.bind(disk);
      disk.map = (path, size, create) => (path.endsWith(name) ? -EMFILE : map(path, size, create));
      assert.throws(() => smallStore({}, disk), new RegExp(`${name} cannot be opened \\(EMFILE\\)`));
      disk.map = map;
      assert.equal(disk.list(LOG).sort(), files);
    }
    const { store } = smallStore({}, disk);
    assert.is(store.positions.get(APPENDED), end);
    assert.equal(positionsOf(store), positions);
  }
});

test('a cut that a kill interrupts is not taken back by a power cut after the next one', () => {
  const options = { mappedFileSizeCommitLog: 256 * 1024 };
  for (let calls = 0; calls < 30; calls++) {
    const first = smallStore(options);
    const body = bodyFor(PAGE, 'T');
    for (let i = 0; i < 40; i++) first.store.append('T', headFor(0), body, '');
    // The last ten records are on the disk, and those before them are not.
    first.disk.syncBytes(FIRST, 30 * PAGE, 40 * PAGE);
    first.disk.powerCut(new Random(1), 0);
    first.disk.callsUntilCrash = calls;
    try {
      smallStore(options, first.disk);
    } catch {
      // The simulated process died on the way.
    }
    first.disk.kill();
    const second = smallStore(options, first.disk);
    for (let i = 0; i < 30; i++) second.store.append('T', headFor(0), body, '');
    second.store.flush();
    second.disk.powerCut(new Random(1), 0);
    const third = smallStore(options, second.disk);
    assert.is(third.store.positions.get(APPENDED), 30 * PAGE, `killed after ${calls} calls`);
  }
});

test('a file that was made ahead and never written to is not read through at the start', async () => {
  const file = 32 * 1024 * 1024;
  const next = `${LOG}/${String(file).padStart(20, '0')}`;
  for (const written of [false, true]) {
    const disk = new FailingDisk();
    const first = smallStore({ mappedFileSizeCommitLog: file }, disk);
    first.store.append('T', headFor(0), Buffer.from('hello'), '');
    first.store.flush();
    first.store.dispatch();
    assert.is(await disk.prepare(next, file, file), 0);
    if (written) disk.bytesOf(next)[file / 4] = 1;
    disk.kill();
    // Whoever reads that far fails.
    disk.bad = [[file + file / 2, 2 * file]];
    if (written) {
      assert.throws(() => smallStore({ mappedFileSizeCommitLog: file }, disk), /cannot be read/);
    } else {
      assert.equal(positionsOf(smallStore({ mappedFileSizeCommitLog: file }, disk).store), [0]);
      assert.equal(
        disk.list(LOG).filter((name) => name === next.slice(LOG.length + 1)),
        [],
      );
    }
  }
});

test.run();
