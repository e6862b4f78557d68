/** After a failed sync nothing is believed that only a later sync would vouch for. */
import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, FLUSHED, HALT_DISPATCH_FAILED } from '../../../src/ring/positions.ts';
import { emptyCheckpoint } from '../../../src/store/log/checkpoint.ts';
import { beliefsOf } from '../../../src/store/recovery/beliefs.ts';
import { PAGE } from '../../sim/sim-file.ts';
import { bodyFor, headFor, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('failed sync');
const MARK = `${ROOT}/ringmq.failed-sync`;
const SYNC_FLUSH = { flushDiskType: 'SYNC_FLUSH' } as const;
type Opened = ReturnType<typeof smallStore>;

function append({ store }: Opened, count: number, queueId = 0): void {
  for (let i = 0; i < count; i++) store.append('T', headFor(queueId), bodyFor(PAGE, 'T'), '');
}

function countOf({ store }: Opened, queueId = 0): number {
  const queue = store.queue('T', queueId);
  return queue === undefined ? 0 : store.reader.readQueue(queue, 0, 1000).length;
}

/** A store whose sync of the log has just failed; `marked` = the broker had the time to say so. */
async function failing(marked: boolean): Promise<Opened> {
  const opened = smallStore(SYNC_FLUSH);
  append(opened, 3);
  opened.store.flush();
  opened.store.dispatch();
  await opened.store.checkpoint();
  append(opened, 2);
  opened.disk.fail('sync');
  assert.throws(() => opened.store.flush());
  if (marked) opened.store.abandon();
  opened.disk.kill();
  return opened;
}

test('what is acknowledged after a failed sync and a restart survives a power cut, with the mark or without', async () => {
  for (const marked of [true, false]) {
    const first = await failing(marked);
    const second = smallStore(SYNC_FLUSH, first.disk);
    append(second, 8);
    second.store.flush();
    second.store.dispatch();
    const durable = second.store.positions.get(FLUSHED);
    second.disk.powerCut(new Random(1), 0);
    const third = smallStore(SYNC_FLUSH, second.disk);
    assert.is(third.store.positions.get(APPENDED), durable);
    assert.is(countOf(third), 13);
  }
});

test('the mark is obeyed, told, and goes with the first checkpoint', async () => {
  const first = await failing(true);
  assert.ok(first.disk.size(MARK) > 0, 'the failure leaves a mark');
  const second = smallStore(SYNC_FLUSH, first.disk);
  assert.match(second.warnings.join('\n'), /a sync of the disk failed in the last run/);
  assert.ok(second.disk.size(MARK) > 0, 'it stays while nothing of the queues is durable');
  assert.is(await second.store.checkpoint(), true);
  assert.is(second.disk.size(MARK), -1);
  await second.store.close();
  assert.equal(smallStore(SYNC_FLUSH, second.disk).warnings, []);
});

test('pages that the kernel has let go after the failure end the log where it was durable', async () => {
  const first = await failing(true);
  first.disk.evict();
  const second = smallStore(SYNC_FLUSH, first.disk);
  assert.is(second.store.positions.get(APPENDED), 3 * PAGE);
  append(second, 1);
  second.store.flush();
  second.store.dispatch();
  assert.is(countOf(second), 4);
});

test('queue entries whose sync has failed are entered again, although a later checkpoint went well', async () => {
  for (const stops of ['cleanly', 'by a power cut'] as const) {
    const first = smallStore(SYNC_FLUSH);
    append(first, 3);
    first.store.flush();
    first.store.dispatch();
    assert.is(await first.store.checkpoint(), true);
    append(first, 3);
    first.store.flush();
    first.store.dispatch();
    first.disk.fail('syncRangeFiles');
    assert.is(await first.store.checkpoint(), false);
    assert.is(JSON.parse(Buffer.from(first.disk.bytesOf(MARK)).toString()).queuesTrustedUntil, 2 * PAGE);
    // Of another queue, whose entries are synced well.
    append(first, 3, 1);
    first.store.flush();
    first.store.dispatch();
    assert.is(await first.store.checkpoint(), true, 'the next one goes well');
    assert.ok(first.disk.size(MARK) > 0, 'but does not make durable what the first one lost');
    if (stops === 'cleanly') assert.is(await first.store.close(), true);
    first.disk.powerCut(new Random(1), 0);
    const second = smallStore(SYNC_FLUSH, first.disk);
    assert.equal([countOf(second), countOf(second, 1)], [6, 3], `stopped ${stops}`);
    assert.is(second.store.append('T', headFor(0), Buffer.from('b'), '').queueOffset, 6);
  }
});

test('while the mark cannot be written no checkpoint is taken', async () => {
  const first = smallStore(SYNC_FLUSH);
  append(first, 3);
  first.store.flush();
  first.store.dispatch();
  first.disk.fail('syncRangeFiles');
  first.disk.full = true;
  assert.is(await first.store.checkpoint(), false);
  assert.is(await first.store.checkpoint(), false);
  assert.is(first.disk.size(MARK), -1);
  first.disk.full = false;
  assert.is(await first.store.checkpoint(), true);
  assert.ok(first.disk.size(MARK) > 0);
});

test('a sync that fails for want of descriptors or memory leaves no mark, one for want of room does', async () => {
  const { EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT, EIO } = constants.errno;
  for (const [errno, marks] of [
    [EMFILE, false],
    [ENFILE, false],
    [ENOMEM, false],
    [ENOSPC, true],
    [EDQUOT, true],
    [EIO, true],
  ] as const) {
    const { store, disk } = smallStore();
    store.append('T', headFor(0), Buffer.from('b'), '');
    store.flush();
    store.dispatch();
    disk.fail('syncRangeFiles', 0, errno);
    assert.is(await store.checkpoint(), false);
    assert.is(disk.size(MARK) > 0, marks, `errno ${errno}`);
    const halted = smallStore();
    halted.store.positions.halt(HALT_DISPATCH_FAILED, errno);
    halted.store.abandon();
    assert.is(halted.disk.size(MARK) > 0, marks, `halted by errno ${errno}`);
  }
});

test('queue entries for what the log has lost at its start count, mark or not: they were durable before it went', () => {
  const lastRun = { clean: false, sameBoot: true, otherBoot: false };
  const checkpoint = { ...emptyCheckpoint(), queuePhysicalOffset: 100 };
  const trusted = (logStart: number, queuesTrustedUntil?: number) => {
    const failedSync = queuesTrustedUntil === undefined ? undefined : { queuesTrustedUntil };
    return beliefsOf({ ...lastRun, failedSync }, checkpoint, logStart).queuesTrustedUntil;
  };
  assert.equal([trusted(0), trusted(0, 50), trusted(0, 200)], [100, 50, 100]);
  assert.equal([trusted(1000), trusted(1000, 50), trusted(1000, 2000)], [1000, 1000, 1000]);
});

test('a mark that cannot be read is a mark all the same', async () => {
  const first = smallStore(SYNC_FLUSH);
  append(first, 3);
  first.store.flush();
  first.store.dispatch();
  assert.is(await first.store.close(), true);
  first.disk.writeWhole(MARK, Buffer.from('{'));
  const second = smallStore(SYNC_FLUSH, first.disk);
  assert.is(second.warnings.length, 2);
  assert.is(countOf(second), 3);
});

test.run();
