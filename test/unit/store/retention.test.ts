/** Retention: one round at a time, a start of the log that only ascends, and deletions that are cut short. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LOG_START } from '../../../src/ring/positions.ts';
import { fileNameOf, listSegments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { Retention, type RetentionParts } from '../../../src/store/retention/retention.ts';
import { openStore, type Store, storeOptions } from '../../../src/store/store.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { bodyFor, headFor, LOG, ROOT, StillClock } from '../../support/messages.ts';

const FILE = 256 * 1024;
const OPTIONS = {
  maxMessageSize: 128 * 1024,
  mappedFileSizeCommitLog: FILE,
  mappedFileSizeConsumeQueue: 2000,
  maxHashSlotNum: 16,
  maxIndexNum: 640,
  fileReservedTime: 0,
};

/** Nothing survives a power cut that was not synced. */
const NO_LUCK = {
  int: () => 0,
  chance: () => false,
  pick: ([first]: [unknown]) => first,
  next: () => 0,
} as never;

class FullDisk extends Retention {
  ratio = 0.1;

  override diskRatio(): number {
    return this.ratio;
  }
}

function reopen(disk: SimDisk): Store {
  return openStore({ directory: ROOT, disk, options: OPTIONS, queueDirectory: QueueDirectory.plain(8) });
}

/** A store of `files` CommitLog files, two messages in each, and its retention. */
async function rig(files: number, changes: Partial<RetentionParts> = {}) {
  const disk = new SimDisk();
  const store = reopen(disk);
  for (let i = 0; i < files * 2; i++) store.append('t', headFor(0), bodyFor(100_000, 't'), '');
  store.flush();
  store.dispatch();
  await store.checkpoint();
  const warnings: string[] = [];
  const retention = new FullDisk({
    disk,
    options: store.options,
    positions: store.positions,
    clock: new StillClock(),
    log: { info: () => {}, warn: (_, text) => void warnings.push(text), error: () => {} },
    mayGo: async () => true,
    removeFile: async (path) => disk.remove(path),
    followLog: async () => {},
    announce: () => {},
    ...changes,
  });
  const starts = () => listSegments(disk, LOG, FILE);
  return { disk, store, retention, starts, warnings };
}

/** A promise that is resolved from outside. */
function gate(): { passed: Promise<void>; open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

test('how full the disk is decides what goes, and when sends are refused', async () => {
  for (const [hour, ratio, fileReservedTime, deleted] of [
    [3, 0.75, 0, 0],
    [4, 0.1, 0, 3],
    [3, 0.76, 0, 3],
    [4, 0.85, 72, 0],
    [3, 0.86, 72, 3],
  ] as const) {
    const clock = new StillClock();
    clock.time = new Date(2026, 0, 2, hour, 30).getTime();
    // None of these files is older than a moment.
    const { retention, starts } = await rig(4, {
      clock,
      options: { ...storeOptions(ROOT, OPTIONS), deleteWhen: '04', fileReservedTime },
    });
    retention.ratio = ratio;
    const what = `${ratio} full at ${hour}:30, kept for ${fileReservedTime} hours`;
    assert.is(await retention.run(), deleted, what);
    assert.equal(
      starts(),
      [0, 1, 2, 3].slice(deleted).map((n) => n * FILE),
      what,
    );
  }
  const { retention } = await rig(1);
  assert.equal([retention.refusesWrites(0.9), retention.refusesWrites(0.91)], [false, true]);
});

test('files that hold what is not due yet go with a warning each', async () => {
  const told: object[] = [];
  const needed = [
    { topic: 'timers', position: FILE + 1 },
    { topic: 'halves', position: 2 * FILE },
  ];
  const { retention, starts } = await rig(4, {
    log: { info: () => {}, warn: (fields) => void told.push(fields), error: () => {} },
    needed: () => needed,
  });
  assert.is(await retention.run(true), 3);
  assert.equal(starts(), [3 * FILE], 'they are not kept: the disk would fill up');
  const line = (file: number, { topic, position }: { topic: string; position: number }) => ({
    ...{ file: join(LOG, fileNameOf(file * FILE)), topic, position },
    fileReservedTime: OPTIONS.fileReservedTime,
  });
  const [timers, halves] = needed as [(typeof needed)[0], (typeof needed)[0]];
  assert.equal(told, [line(1, timers), line(2, timers), line(2, halves)]);
});

test('files without anything that waits go without a warning', async () => {
  const { retention, warnings } = await rig(4, { needed: () => [{ topic: 'timers', position: 3 * FILE }] });
  assert.is(await retention.run(true), 3);
  assert.equal(warnings, []);
});

test('files go although nobody can tell what they hold', async () => {
  const { retention, warnings } = await rig(4, {
    needed: () => {
      throw Object.assign(new Error('EIO'), { errno: -5 });
    },
  });
  assert.is(await retention.run(true), 3);
  assert.equal(warnings.length, 1);
});

test('other levels of the disk', async () => {
  const levels = {
    diskMaxUsedSpaceRatio: 50,
    diskSpaceCleanForciblyRatio: 70,
    diskSpaceWarningLevelRatio: 60,
    deleteWhen: '04',
  };
  for (const [ratio, fileReservedTime, cleanFileForciblyEnable, deleted] of [
    [0.5, 0, true, 0],
    [0.51, 0, true, 3],
    [0.6, 72, true, 0],
    // RocketMQ deletes by force above either of the two higher levels.
    [0.61, 72, true, 3],
    [0.99, 72, false, 0],
    [0.99, 0, false, 3],
  ] as const) {
    const clock = new StillClock();
    clock.time = new Date(2026, 0, 2, 3, 30).getTime();
    const { retention } = await rig(4, {
      clock,
      options: { ...storeOptions(ROOT, OPTIONS), ...levels, fileReservedTime, cleanFileForciblyEnable },
    });
    retention.ratio = ratio;
    assert.is(await retention.run(), deleted, `${ratio}, ${fileReservedTime} h, ${cleanFileForciblyEnable}`);
    assert.equal([retention.refusesWrites(0.6), retention.refusesWrites(0.61)], [false, true]);
  }
});

test('rounds come one after the other; one by the timer is left out meanwhile', async () => {
  const { passed, open } = gate();
  let rounds = 0;
  let inside = 0;
  const { retention, store } = await rig(14, {
    mayGo: async () => {
      assert.is(++inside, 1, 'one round at a time');
      rounds++;
      await passed;
      inside--;
      return true;
    },
  });
  retention.ratio = 0.8;
  const first = retention.run();
  await new Promise((resolve) => setImmediate(resolve));
  const byTimer = retention.run();
  const asked = retention.run(true);
  assert.is(await byTimer, 0);
  open();
  assert.is(await first, 10);
  assert.is(await asked, 3, 'it saw what the first round had left');
  assert.is(rounds, 2);
  assert.is(store.positions.get(LOG_START), 13 * FILE);
});

test('queues that could not follow the log do so with the next round, also when no file expires any more', async () => {
  let fails = true;
  let followed = 0;
  const { retention } = await rig(3, {
    followLog: async () => {
      if (fails) throw new Error('no thread to be had');
      followed++;
    },
  });
  await retention.run(true).then(
    () => assert.unreachable('it failed'),
    () => {},
  );
  fails = false;
  assert.is(await retention.run(), 0);
  assert.is(await retention.run(), 0);
  assert.is(followed, 1);
});

test('a round that fails does not end those to come', async () => {
  let fails = true;
  const { retention, disk } = await rig(3, {
    removeFile: async (path) => {
      if (fails) throw new Error('not now');
      disk.remove(path);
    },
  });
  await retention.run(true).then(
    () => assert.unreachable('it failed'),
    (error: Error) => assert.match(error.message, 'not now'),
  );
  fails = false;
  assert.is(await retention.run(true), 2);
});

test('the start of the log never steps back, not even for files that an earlier round could not unlink', async () => {
  const seen: number[] = [];
  const { retention, store, disk } = await rig(6, {
    announce: () => void seen.push(store.positions.get(LOG_START)),
    removeFile: async (path) => {
      if (seen.length === 1) throw new Error('not now');
      disk.remove(path);
    },
  });
  await retention.run(true).catch(() => {});
  store.positions.set(LOG_START, 6 * FILE);
  await retention.run(true);
  assert.equal(seen, [5 * FILE, 6 * FILE]);
});

test('expired files stay until they may go, which is said once', async () => {
  const asked: [number, boolean][] = [];
  let may = false;
  const { retention, starts, warnings } = await rig(3, {
    mayGo: async (position, forced) => {
      asked.push([position, forced]);
      return may;
    },
  });
  retention.ratio = 0.8;
  assert.is(await retention.run(), 0);
  retention.ratio = 0.9;
  assert.is(await retention.run(), 0);
  assert.equal(asked, [
    [2 * FILE, false],
    [2 * FILE, true],
  ]);
  assert.is(warnings.length, 1);
  assert.is(starts().length, 3);
  may = true;
  assert.is(await retention.run(), 2);
  assert.equal(starts(), [2 * FILE]);
});

for (const ends of ['kill', 'powerCut'] as const) {
  test(`files that went without a checkpoint take no queue's numbering with them (${ends})`, async () => {
    const { disk, store, retention } = await rig(1, {
      mayGo: async (_, forced) => forced && (await disk.syncRangeFiles()) === 0,
    });
    // Behind the checkpoint, and before what is left of the log: messages of a queue that gets no more of them.
    for (let i = 0; i < 3; i++) store.append('quiet', headFor(0), bodyFor(200, 'quiet'), '');
    for (let i = 0; i < 6; i++) store.append('t', headFor(0), bodyFor(100_000, 't'), '');
    store.flush();
    store.dispatch();
    retention.ratio = 0.9;
    assert.is(await retention.run(), 3);
    disk.syncDirectory(LOG);
    if (ends === 'kill') disk.kill();
    else disk.powerCut(NO_LUCK, 0);
    const next = reopen(disk);
    assert.is(next.positions.get(LOG_START), 3 * FILE);
    assert.is(next.append('quiet', headFor(0), bodyFor(200, 'quiet'), '').queueOffset, 3);
    assert.is(next.append('t', headFor(0), bodyFor(200, 't'), '').queueOffset, 8);
  });
}

for (let unlinked = 0; unlinked <= 4; unlinked++) {
  test(`a kill after ${unlinked} of 4 files were unlinked leaves a store that opens and goes on`, async () => {
    let left = unlinked;
    const { retention, starts, disk, store } = await rig(5, {
      removeFile: async (path) => {
        if (left-- === 0) throw new Error('killed');
        disk.remove(path);
      },
    });
    await retention.run(true).catch(() => {});
    assert.is(starts().length, 5 - unlinked);
    disk.kill();
    const next = reopen(disk);
    assert.is(next.positions.get(LOG_START), unlinked * FILE);
    const queue = next.queue('t', 0);
    assert.is(next.directory.maximum(queue?.id ?? 0), 10, 'the numbering goes on');
    assert.is(next.append('t', headFor(0), bodyFor(200, 't'), '').queueOffset, 10);
    assert.ok(store.positions.get(LOG_START) >= next.positions.get(LOG_START));
  });
}

test.run();
