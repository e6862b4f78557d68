/** A store whose clock is set: store times, searching by time and by key, delays and the checkpoint stand it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { indexFileBytes, indexFileName } from '../../../src/store/index/index-layout.ts';
import { IndexReader } from '../../../src/store/index/index-reader.ts';
import { KeyIndex } from '../../../src/store/index/key-index.ts';
import { emptyCheckpoint, readCheckpoint, writeCheckpoint } from '../../../src/store/log/checkpoint.ts';
import { STORE_TIME_LEAD_MS } from '../../../src/store/log/commit-log.ts';
import { storePaths } from '../../../src/store/paths.ts';
import { beliefsOf } from '../../../src/store/recovery/beliefs.ts';
import { dropUnsureIndex } from '../../../src/store/recovery/index-recovery.ts';
import { storeOptions } from '../../../src/store/store.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { headFor, ROOT, type SmallStore, StillClock, smallStore } from '../../support/messages.ts';

const test = suite('store and clock');

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const STEPS = [10 * MINUTE, -10 * MINUTE, YEAR, -YEAR];
const TICK = 1000;

/** One message a second: some, then some with the clock wrong by `step`, then some with the clock right again. */
async function history(step: number, restarts: boolean) {
  let opened: SmallStore = smallStore();
  const { clock, disk } = opened;
  /** When each message really came. */
  const came: number[] = [];
  const append = (count: number, wrongBy: number) => {
    for (let i = 0; i < count; i++) {
      clock.time += TICK;
      came.push(clock.time - wrongBy);
      const key = `KEYS\x01k${came.length - 1}\x02`;
      opened.store.append('T', headFor(0), Buffer.from('x'), key);
      opened.store.append('SCHEDULE_TOPIC_XXXX', headFor(2), Buffer.from('x'), 'DELAY\x013\x02');
    }
    opened.store.flush();
    opened.store.dispatch();
  };
  const reopen = async () => {
    assert.is(await opened.store.close(), true);
    opened = smallStore({}, disk, clock);
  };
  append(20, 0);
  clock.time += step;
  append(20, step);
  if (restarts) await reopen();
  clock.time -= step;
  append(20, 0);
  if (restarts) await reopen();
  append(20, 0);
  const queue = opened.store.queue('T', 0);
  if (queue === undefined) throw new Error('no queue');
  const stamps = came.map((_, offset) => opened.store.reader.storeTimeAt(queue, offset));
  return { ...opened, came, stamps, queue };
}

for (const step of STEPS) {
  for (const restarts of [false, true]) {
    const name = `clock wrong by ${step / MINUTE} minutes${restarts ? ', and restarts' : ''}`;

    test(`${name}: store times`, async () => {
      const { came, stamps } = await history(step, restarts);
      for (const [i, stamp] of stamps.entries()) {
        const clock = (came[i] as number) + (i >= 20 && i < 40 ? step : 0);
        assert.ok(stamp >= clock, `message ${i} is stamped ${clock - stamp} ms before the clock`);
        assert.ok(stamp - clock <= STORE_TIME_LEAD_MS, `message ${i} is ${stamp - clock} ms ahead`);
      }
      const back = stamps.filter((stamp, i) => stamp < (stamps[i - 1] ?? 0)).length;
      assert.is(back, Math.abs(step) > STORE_TIME_LEAD_MS ? 1 : 0, 'times that go back');
    });

    test(`${name}: searching by time finds the message or one before it`, async () => {
      const { store, came, queue } = await history(step, restarts);
      for (const [i, time] of came.entries()) {
        // Nobody can know when those in between came.
        if (i >= 20 && i < 40) continue;
        const found = store.reader.offsetByTime(queue, time, 'LOWER');
        assert.ok(found <= i, `message ${i}: ${found}`);
        if (i < 20) assert.is(found, i, 'before the step it is exact');
      }
    });

    test(`${name}: a key is found by when its message says it was stored`, async () => {
      const { store, stamps } = await history(step, restarts);
      for (const [i, stamp] of stamps.entries()) {
        assert.is(store.reader.query('T', `k${i}`, 10, stamp, stamp, 'K').records.length, 1, `key ${i}`);
        assert.is(store.reader.query('T', `k${i}`, 10, stamp + 1, stamp + 1, 'K').records.length, 0);
      }
    });

    test(`${name}: delays and checkpoint say what the clock says`, async () => {
      const { store, disk, clock } = await history(step, restarts);
      const delayed = store.queue('SCHEDULE_TOPIC_XXXX', 2);
      const newest = delayed && store.reader.readQueue(delayed, 79, 1)[0];
      const ahead = Number(newest?.tagsCode) - clock.time - 10_000;
      assert.ok(ahead >= 0 && ahead <= STORE_TIME_LEAD_MS, `due ${ahead} ms late by the clock`);
      assert.is(await store.close(), true);
      const { logTimestamp, queueTimestamp } = readCheckpoint(disk, `${ROOT}/checkpoint`);
      for (const time of [logTimestamp, queueTimestamp]) {
        assert.ok(time <= clock.time + STORE_TIME_LEAD_MS, `${time - clock.time} ms ahead`);
      }
    });
  }
}

test('the index begins a new file when times go back far, and a reader looks into all of them', () => {
  const disk = new SimDisk();
  const geometry = { slots: 4, entries: 100 };
  const clock = new StillClock();
  const index = new KeyIndex(disk, '/index', geometry, clock);
  const start = clock.time;
  const times = [start, start + 1000, start + YEAR, start + 2000, start + 1500, start - YEAR, start + 3000];
  for (const [i, time] of times.entries()) index.put(7, i * 100, time);
  index.commit();
  assert.is(disk.list('/index').length, 3);
  const reader = new IndexReader(disk, '/index', geometry);
  const find = (begin: number, end: number) =>
    reader.find(7, begin, end, 10, (position) => {
      const time = times[position / 100] as number;
      return time >= begin && time <= end;
    }).physicalOffsets;
  for (const [i, time] of times.entries()) assert.equal(find(time, time), [i * 100], `entry ${i}`);
  assert.equal(find(start, start + 3000), [600, 400, 300, 100, 0]);
});

test('after a power cut index files count up to the one that the checkpoint names, whatever their times', () => {
  const options = storeOptions(ROOT, { maxHashSlotNum: 1, maxIndexNum: 4 });
  const bytes = indexFileBytes({ slots: 1, entries: 4 });
  const directory = `${ROOT}/index`;
  const checkpointPath = storePaths.checkpoint(ROOT);
  const start = 1_700_000_000_000;
  /** The files of an index, by the time and position of their last records. */
  const make = (files: readonly [time: number, position: number][]) => {
    const disk = new SimDisk();
    for (const [i, [time, position]] of files.entries()) {
      const header = Buffer.alloc(bytes);
      header.writeBigInt64BE(BigInt(time), 8);
      header.writeBigInt64BE(BigInt(position), 24);
      header.writeInt32BE(2, 36);
      disk.writeWhole(`${directory}/${indexFileName(start + i)}`, header);
    }
    return disk;
  };
  const drop = (disk: SimDisk, indexTimestamp: number) => {
    const checkpoint = { ...emptyCheckpoint(), queuePhysicalOffset: 9000, indexTimestamp };
    writeCheckpoint(disk, checkpointPath, checkpoint);
    const lastRun = { clean: false, sameBoot: false, otherBoot: true, failedSync: undefined };
    return dropUnsureIndex(
      { disk, options, ledger: undefined, warn: () => {} },
      beliefsOf(lastRun, checkpoint, 0),
      0,
      10_000,
    );
  };
  const cases: [name: string, times: number[], named: number, kept: number][] = [
    ['all of one clock', [10, 20, 30], 20, 2],
    ['the first from a clock that was ahead', [YEAR, 20, 30], YEAR, 1],
    ['one in the middle from a clock that was ahead', [10, YEAR, 30], 30, 3],
    ['the last from a clock that was behind', [20, 30, 10], 30, 2],
    ['two with the same time', [10, 20, 20], 20, 2],
    ['none complete yet', [10, 20, 30], 0, 0],
    ['none of that time', [10, 20, 30], 25, 0],
  ];
  for (const [name, times, named, kept] of cases) {
    const disk = make(times.map((time, i) => [start + time, (i + 1) * 1000]));
    const from = drop(disk, named === 0 ? 0 : start + named);
    assert.equal([disk.list(directory).length, from], [kept, kept * 1000], name);
    // What is made again may get the times of what was removed: it must not count as synced by them.
    const last = times[kept - 1];
    const { indexTimestamp } = readCheckpoint(disk, checkpointPath);
    assert.is(indexTimestamp, last === undefined ? 0 : start + last, name);
  }
  const beyond = make([
    [start, 1000],
    [start + 1, 20_000],
  ]);
  assert.is(drop(beyond, start + 1), 1000, 'positions that the log lost');
});

test.run();
