/** Checkpoints: what they cover, and that one that fails costs nothing but time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { systemClock } from '../../../src/lib/clock.ts';
import { APPENDED, DISPATCHED, DISPATCHED_RECORD, FLUSHED, Positions } from '../../../src/ring/positions.ts';
import { readCheckpoint } from '../../../src/store/log/checkpoint.ts';
import { OpenStore } from '../../../src/store/opening.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { openStore, storeOptions } from '../../../src/store/store.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { bodyFor, headFor, ROOT } from '../../support/messages.ts';

const ENOSPC = 28;
const SMALL = {
  maxMessageSize: 64 * 1024,
  mappedFileSizeCommitLog: 256 * 1024,
  mappedFileSizeConsumeQueue: 2000,
  maxHashSlotNum: 16,
  maxIndexNum: 64,
};

/** Refuses to write the checkpoint, or to sync queue files, when told so. */
class TiredDisk extends SimDisk {
  refusesCheckpoint = false;
  refusesSync = false;
  syncs = 0;

  override writeWhole(path: string, content: Uint8Array): void {
    if (this.refusesCheckpoint && path.endsWith('checkpoint')) {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    }
    super.writeWhole(path, content);
  }

  override async syncRangeFiles(): Promise<number> {
    this.syncs++;
    return this.refusesSync ? -ENOSPC : super.syncRangeFiles();
  }
}

function open(disk = new TiredDisk()) {
  const positions = new Positions();
  const store = OpenStore.open({
    disk,
    options: storeOptions(ROOT, SMALL),
    positions,
    directory: QueueDirectory.plain(8),
    clock: systemClock,
    delayMillis: [],
    idOf: () => 1,
    queues: () => [],
    progress: () => {},
    warn: () => {},
  });
  /** As if records had been appended, the last one from `record` to `end`. */
  const append = (record: number, end: number, flushed: number) => {
    positions.set(APPENDED, end);
    positions.set(FLUSHED, flushed);
    positions.set(DISPATCHED_RECORD, record);
    positions.set(DISPATCHED, end);
  };
  const written = () => readCheckpoint(disk, storePaths.checkpoint(ROOT)).queuePhysicalOffset;
  return { disk, positions, store, append, written };
}

for (const refuses of ['refusesCheckpoint', 'refusesSync'] as const) {
  test(`a disk that ${refuses} leaves the old checkpoint, says why, and the next one is right`, async () => {
    const { disk, store, append, written } = open();
    append(100, 200, 200);
    assert.is(await store.checkpoint(), true);
    assert.is(store.problem, undefined);
    append(200, 300, 300);
    disk[refuses] = true;
    assert.is(await store.checkpoint(), false);
    assert.match(store.problem ?? '', refuses === 'refusesSync' ? /errno 28/ : /checkpoint.*no space left/);
    assert.is(written(), 100);
    assert.ok(store.covers(200) && !store.covers(300));
    disk[refuses] = false;
    assert.is(await store.checkpoint(), true);
    assert.is(store.problem, undefined);
    assert.is(written(), 200);
    assert.ok(store.covers(300) && !store.covers(301));
  });

  test(`a stop over a disk that ${refuses} ends, is not clean, and lets go of the store`, async () => {
    const { disk, store, append } = open();
    append(100, 200, 200);
    disk[refuses] = true;
    assert.is(await store.close(), false);
    assert.ok(store.problem !== undefined);
    assert.is.not(disk.size(storePaths.abort(ROOT)), -1, 'the next start checks the store');
    assert.ok(disk.lock(storePaths.lock(ROOT)) >= 0, 'the lock is free');
  });
}

test('the number that an operator has given a slave is in the next checkpoint, and there after a start', async () => {
  const { disk, store } = open();
  assert.is(store.masterFlushedOffset, 0);
  store.masterFlushedOffset = 4711;
  await store.checkpoint();
  assert.is(readCheckpoint(disk, storePaths.checkpoint(ROOT)).masterFlushedOffset, 4711);
  await store.close();
  const again = open(disk);
  assert.is(again.store.masterFlushedOffset, 4711);
  again.store.masterFlushedOffset = 0;
  await again.store.close();
  assert.is(open(disk).store.masterFlushedOffset, 0);
});

test('under load a checkpoint names a record that is durable, however often one is asked for', async () => {
  const { store, append, written } = open();
  append(100, 200, 100);
  await store.checkpoint();
  append(200, 300, 150);
  await store.checkpoint();
  assert.not(store.covers(200), 'the log is not durable behind that record');
  append(300, 400, 250);
  await store.checkpoint();
  assert.is(written(), 100, 'the first sample has waited until it was of use');
  assert.ok(store.covers(200) && !store.covers(201));
});

test('after a clean stop everything is covered before anything is dispatched, and after a kill it is not', async () => {
  for (const clean of [true, false]) {
    const disk = new TiredDisk();
    const options = { directory: ROOT, disk, options: SMALL };
    const store = openStore({ ...options, queueDirectory: QueueDirectory.plain(8) });
    for (let i = 0; i < 3; i++) store.append('t', headFor(0), bodyFor(200, 't'), '');
    store.flush();
    store.dispatch();
    if (clean) assert.is(await store.close(), true);
    else disk.kill();
    const next = open(disk);
    const end = next.positions.get(DISPATCHED);
    assert.is(end, 600);
    assert.is(next.store.covers(end), clean);
    assert.is(await next.store.checkpoint(), true);
    assert.is(next.store.covers(end), true);
    assert.is(next.written(), 400);
  }
});

test("an end that belongs to an older record than the one seen with it is not taken for that record's", async () => {
  const { store, append, written, positions } = open();
  append(100, 200, 1000);
  await store.checkpoint();
  // The dispatcher is between publishing the record and its end.
  positions.set(DISPATCHED_RECORD, 200);
  await store.checkpoint();
  assert.is(written(), 100);
  assert.not(store.covers(201));
  positions.set(DISPATCHED, 300);
  await store.checkpoint();
  assert.is(written(), 200);
  assert.ok(store.covers(300));
});

test('a checkpoint that says nothing new is not written, and syncs nothing twice', async () => {
  const { disk, store, append } = open();
  append(100, 200, 200);
  await store.checkpoint();
  const { syncs } = disk;
  await store.checkpoint();
  assert.is(disk.syncs, syncs);
});

test('after a failed checkpoint a store still closes cleanly once the disk is well again', async () => {
  const disk = new TiredDisk();
  const store = openStore({ directory: ROOT, disk, options: SMALL, queueDirectory: QueueDirectory.plain(8) });
  store.append('t', headFor(0), bodyFor(200, 't'), '');
  store.flush();
  store.dispatch();
  disk.refusesCheckpoint = true;
  assert.is(await store.checkpoint(), false);
  disk.refusesCheckpoint = false;
  assert.is(await store.close(), true);
});

test.run();
