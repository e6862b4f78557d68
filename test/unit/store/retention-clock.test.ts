/** What is deleted by age while the clock is wrong: nothing that would not go with the right one. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, LOG_START, Positions } from '../../../src/ring/positions.ts';
import { fileNameOf } from '../../../src/store/log/segments.ts';
import { Retention } from '../../../src/store/retention/retention.ts';
import { storeOptions } from '../../../src/store/store.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { FakeTime, silentLog } from '../metadata/support.ts';

const test = suite('retention and clock');

const FILE = 64 * 1024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const RESERVED_HOURS = 72;
const STEPS = [10 * MINUTE, -10 * MINUTE, YEAR, -YEAR];
const LOG = '/store/commitlog';

/** How full the disk is would be asked of the real file system. */
class RoomyRetention extends Retention {
  override diskRatio(): number {
    return 0.1;
  }
}

class DatedDisk extends SimDisk {
  readonly times = new Map<string, number>();

  override modified(path = ''): number {
    return this.times.get(path) ?? 0;
  }
}

/** Files that were finished so many hours ago, oldest first, and the one in use. */
function setUp(hoursAgo: readonly number[]) {
  const time = new FakeTime();
  const disk = new DatedDisk();
  const positions = new Positions();
  for (const [i, hours] of [...hoursAgo, 0].entries()) {
    const path = join(LOG, fileNameOf(i * FILE));
    disk.map(path, FILE, FILE);
    disk.times.set(path, time.now() - hours * HOUR);
  }
  positions.set(APPENDED, hoursAgo.length * FILE + 100);
  const options = {
    ...storeOptions('/store', { commitLogDirectory: LOG, mappedFileSizeCommitLog: FILE }),
    fileReservedTime: RESERVED_HOURS,
  };
  const start = () =>
    new RoomyRetention({
      disk,
      options,
      positions,
      clock: time,
      log: silentLog,
      mayGo: async () => true,
      removeFile: async (path) => disk.remove(path),
      followLog: async () => {},
      announce: () => {},
    });
  return { time, disk, positions, start, left: () => disk.list(LOG).length };
}

/** Rounds every ten minutes. */
async function rounds(retention: Retention, time: FakeTime, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10 * MINUTE) {
    await retention.run(true);
    await time.advance(10 * MINUTE);
  }
  await retention.run(true);
}

for (const step of STEPS) {
  test(`a step of ${step / MINUTE} minutes that is taken back deletes nothing`, async () => {
    const { time, start, left } = setUp([71, 50, 1]);
    const retention = start();
    time.jump(step);
    await rounds(retention, time, 30 * MINUTE);
    time.jump(-step);
    await rounds(retention, time, 10 * MINUTE);
    assert.is(left(), 4);
    await rounds(retention, time, 30 * MINUTE);
    assert.is(left(), 3, 'the one that is 72 hours old by now');
  });

  test(`a start with a clock that is wrong by ${step / MINUTE} minutes deletes nothing`, async () => {
    const { time, start, left } = setUp([71.8, 50, 1]);
    time.jump(step);
    await rounds(start(), time, 10 * MINUTE - 1);
    assert.is(left(), 4);
  });
}

test('a step that lasts is believed in the end', async () => {
  const { time, start, left, positions } = setUp([71, 50, 1]);
  const retention = start();
  time.jump(YEAR);
  await rounds(retention, time, 2 * HOUR);
  assert.is(left(), 1);
  assert.is(positions.get(LOG_START), 3 * FILE);
});

test('a file from a clock that was ahead is as old as the next one, and holds up nobody for a year', async () => {
  const { start, left } = setUp([100, -365 * 24, -365 * 24, 80, 1]);
  await start().run(true);
  assert.is(left(), 2, 'all that were finished 80 hours ago or before');
});

test('a file from a clock that was behind does not make younger of the older ones, nor older', async () => {
  const { start, left } = setUp([80, 50, 365 * 24, 40]);
  await start().run(true);
  assert.is(left(), 4);
});

test('files of which nobody knows stay', async () => {
  const { start, left, disk } = setUp([-365 * 24, -365 * 24]);
  for (const path of disk.times.keys()) disk.times.set(path, Number.MAX_SAFE_INTEGER);
  await start().run(true);
  assert.is(left(), 3);
});

test.run();
