/** Descriptors, memory and room run out and come back: nothing is lost, entered twice or shown too early. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unreachable } from '../../../src/lib/assert.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import { plainBulk } from '../../../src/ring/bulk.ts';
import {
  APPENDED,
  APPENDED_TIME,
  DISPATCHED,
  FLUSHED,
  HALT_ERRNO,
  HALT_LOG_UNREADABLE,
  HALTED,
  Positions,
} from '../../../src/ring/positions.ts';
import { Watermark } from '../../../src/ring/watermark.ts';
import type { Mapping } from '../../../src/store/disk/disk.ts';
import { Dispatcher } from '../../../src/store/dispatch/dispatcher.ts';
import { IndexReader } from '../../../src/store/index/index-reader.ts';
import { KeyIndex, listIndexFiles } from '../../../src/store/index/key-index.ts';
import { CommitLog } from '../../../src/store/log/commit-log.ts';
import { Flusher } from '../../../src/store/log/flusher.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { QueueDirectory } from '../../../src/store/queue/queue-directory.ts';
import { QueueTable } from '../../../src/store/queue/queue-table.ts';
import { EntryBlock, QueueFiles } from '../../../src/store/read/queue-files.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { headFor, LOG, StillClock, smallStore } from '../../support/messages.ts';

const test = suite('shortages');
const EMFILE = 24;
const ENOMEM = 12;
const EACCES = 13;
const FILE = 4096;
const GEOMETRY = { slots: 16, entries: 8 };
const KEYS_PER_RECORD = 4;

/**
 * A log of `count` records with four keys each, and what follows it: in the writer's memory those of the last file
 * whose number `remembers` accepts.
 */
function rig(count: number, retries = true, remembers: (n: number) => boolean = () => false) {
  const disk = new FailingDisk();
  const positions = new Positions();
  const directory = QueueDirectory.plain(8);
  const log = new CommitLog(new Segments(disk, LOG, FILE), positions, directory, {
    position: 0,
    storeTimestamp: 1_000_000,
  });
  disk.makeDirectory(LOG);
  const topic = Buffer.from('T');
  const append = () => {
    const n = places.length;
    const properties = Buffer.from(`KEYS\x01a${n} b${n} c${n} d${n}\x02`);
    const record = encodeRecord(headFor(0), topic, Buffer.from('x'), properties);
    const bulk = plainBulk(1024);
    bulk.bytes.set(record);
    assert.is(log.append(bulk, 0, record.length, 1), 0);
    places.push(log.physicalOffset);
  };
  const places: number[] = [];
  for (let i = 0; i < count; i++) append();
  log.publish();
  disk.makeDirectory('/cq');
  disk.makeDirectory('/index');
  const table = new QueueTable(disk, '/cq', 20 * 8, directory);
  table.add('T', 0, 1);
  const index = new KeyIndex(disk, '/index', GEOMETRY, new StillClock());
  const shortages: number[] = [];
  const dispatcher = new Dispatcher({
    segments: new Segments(disk, LOG, FILE),
    recent: {
      memory: log.recent.memory,
      find: (position) => (remembers(places.indexOf(position)) ? log.recent.find(position) : -1),
    },
    positions,
    queues: table,
    directory,
    index,
    bound: new Watermark(positions, [APPENDED]),
    delayMillis: [],
    onArrival: () => {},
    onUnknownQueue: () => undefined,
    onGap: () => unreachable('a gap'),
    ...(retries ? { onShortage: (errno: number) => void shortages.push(errno) } : {}),
  });
  const dispatchAll = () => {
    while (dispatcher.doWork() > 0);
  };
  /** All entries are there once, and each key is found once. */
  const checkComplete = () => {
    assert.is(positions.get(DISPATCHED), positions.get(APPENDED));
    assert.is(directory.maximum(1), count);
    const files = new QueueFiles(disk, '/cq', 20 * 8, 'T', 0);
    const block = new EntryBlock(1);
    for (let i = 0; i < count; i++) {
      assert.is(files.read(i, 1, block), 1);
      assert.is(block.physicalOffset(0), places[i]);
    }
    const reader = new IndexReader(disk, '/index', GEOMETRY);
    for (const [n, place] of places.entries()) {
      for (const letter of 'abcd') {
        const hash = javaHashCode(`T#${letter}${n}`);
        const found = reader.find(hash, 0, 9e15, 64, () => true).physicalOffsets;
        assert.equal(
          found.filter((position) => position === place),
          [place],
          `${letter}${n}`,
        );
      }
    }
  };
  return {
    disk,
    positions,
    directory,
    dispatcher,
    dispatchAll,
    shortages,
    checkComplete,
    index,
    log,
    places,
  };
}

for (const failing of ['commitlog', 'cq', 'index']) {
  test(`the dispatcher waits while no file of ${failing} can be opened, and goes on where it was`, () => {
    for (const errno of [EMFILE, ENOMEM]) {
      const count = 60;
      const { disk, positions, directory, dispatcher, dispatchAll, shortages, checkComplete } = rig(count);
      // At every place where a file is opened at least once.
      disk.failing = failing;
      for (let i = 0; i < 3 * count && positions.get(DISPATCHED) < positions.get(APPENDED); i++) {
        const oneMore = Math.min(positions.get(APPENDED), dispatcher.position + 1);
        disk.openError = errno;
        dispatcher.doWork(oneMore);
        assert.is(positions.halted, false);
        assert.ok(dispatcher.behind || positions.get(DISPATCHED) === positions.get(APPENDED));
        assert.ok(directory.maximum(1) <= count);
        disk.openError = 0;
        dispatcher.doWork(oneMore);
      }
      dispatchAll();
      assert.ok(shortages.length >= 2 && shortages.every((met) => met === errno), String(shortages));
      checkComplete();
      assert.not(dispatcher.behind);
    }
  });
}

test('nothing is shown that is not written', () => {
  const { disk, positions, directory, dispatchAll, checkComplete } = rig(5);
  disk.failing = 'cq';
  disk.openError = EMFILE;
  dispatchAll();
  dispatchAll();
  assert.equal([directory.maximum(1), positions.get(DISPATCHED)], [0, 0]);
  disk.openError = 0;
  dispatchAll();
  checkComplete();
});

test('what is no shortage halts the store, and so does a shortage that nobody waits out', () => {
  for (const failing of ['cq', 'index']) {
    const broken = rig(5);
    Object.assign(broken.disk, { failing, openError: EACCES });
    broken.dispatchAll();
    assert.equal([broken.positions.halted, broken.positions.get(HALT_ERRNO)], [true, EACCES], failing);
  }
  const recovery = rig(5, false);
  Object.assign(recovery.disk, { failing: 'cq', openError: EMFILE });
  recovery.dispatchAll();
  assert.equal([recovery.positions.halted, recovery.positions.get(HALT_ERRNO)], [true, EMFILE]);
});

test('a lost page halts when it was read, wherever the records beside it were read', () => {
  const count = 60;
  const inLastFile = rig(count).places.findIndex((place) => place >= FILE);
  assert.ok(inLastFile > 0 && inLastFile < count - 8, `record ${inLastFile} begins the last file`);
  const lost = inLastFile + 4;
  for (const [halts, remembers] of [
    [true, () => false],
    [false, () => true],
    [false, (n: number) => n <= lost],
    [false, (n: number) => n >= lost],
    [true, (n: number) => n % 2 !== lost % 2],
    [true, (n: number) => n > lost],
    [true, (n: number) => n < lost],
  ] as const) {
    const { disk, positions, directory, dispatchAll, checkComplete, places } = rig(count, true, remembers);
    const place = places[lost] as number;
    disk.bad = [[place + 20, place + 21]];
    dispatchAll();
    assert.is(positions.halted, halts, `${remembers}`);
    if (halts) assert.equal([positions.get(HALTED), directory.maximum(1)], [HALT_LOG_UNREADABLE, 0]);
    else checkComplete();
  }
});

test('a lost page halts also when the index cannot take all keys of its record yet', () => {
  const { disk, positions, directory, dispatcher, dispatchAll, places } = rig(4);
  const place = places[1] as number;
  dispatcher.doWork(place);
  assert.is(directory.maximum(1), 1);
  // Some of its keys go into the file that there is, the others need a new one.
  Object.assign(disk, { failing: 'index', openError: EMFILE });
  disk.bad = [[place + 20, place + 21]];
  dispatchAll();
  assert.equal([positions.get(HALTED), directory.maximum(1)], [HALT_LOG_UNREADABLE, 1]);
});

test('a page of the newest log that is lost halts before anything of the round is written', () => {
  const { disk, positions, directory, dispatchAll } = rig(30);
  disk.bad = [[2000, 2001]];
  dispatchAll();
  assert.equal([positions.get(HALTED), positions.get(HALT_ERRNO)], [HALT_LOG_UNREADABLE, 5]);
  assert.is(directory.maximum(1), 0);
});

test('pages that are lost elsewhere in the same file are nothing to the dispatcher', () => {
  const { disk, positions, dispatcher, dispatchAll, checkComplete } = rig(20);
  dispatcher.doWork(1000);
  const done = positions.get(DISPATCHED);
  assert.ok(done >= 1000 && done < positions.get(APPENDED));
  disk.bad = [[0, 500]];
  dispatchAll();
  assert.is(positions.halted, false);
  checkComplete();
});

test('a new index file that cannot be mapped leaves no empty one behind', () => {
  const { disk, index } = rig(0);
  const before = listIndexFiles(disk, '/index').length;
  const map = disk.map.bind(disk);
  disk.map = () => -EMFILE;
  for (let i = 0; i < 3; i++) assert.is(index.put(1, 100, 5), -EMFILE);
  assert.is(listIndexFiles(disk, '/index').length, before);
  disk.map = map;
  assert.is(index.put(1, 100, 5), 0);
  assert.is(listIndexFiles(disk, '/index').length, before + 1);
});

test('a full index file is durable with the next sync of range files, not before, and never by the dispatcher', async () => {
  const { disk, index, dispatchAll } = rig(8);
  let mappedSyncs = 0;
  const map = disk.map.bind(disk);
  disk.map = (path, size, create) => {
    const mapping = map(path, size, create);
    if (typeof mapping !== 'number') {
      mapping.sync = () => {
        mappedSyncs++;
        return 0;
      };
    }
    return mapping;
  };
  dispatchAll();
  assert.ok(index.completedTimestamp > 0);
  assert.is(mappedSyncs, 0);
  const full = listIndexFiles(disk, '/index').slice(0, -1);
  assert.ok(full.length >= (8 * KEYS_PER_RECORD) / GEOMETRY.entries);
  const content = full.map((name) => Buffer.from(disk.readWhole(`/index/${name}`) ?? []));
  await disk.syncRangeFiles();
  disk.powerCut(
    { int: () => 0, chance: () => false, pick: (a: readonly unknown[]) => a[0], next: () => 0 } as never,
    0,
  );
  for (const [i, name] of full.entries()) {
    assert.ok(content[i]?.equals(Buffer.from(disk.readWhole(`/index/${name}`) ?? [])), name);
  }
});

test('the flusher waits for a descriptor and syncs then; without one to wait it halts', () => {
  const { disk, positions } = rig(60);
  const errnos: number[] = [];
  const flusher = new Flusher(new Segments(disk, LOG, FILE), positions, (errno) => void errnos.push(errno));
  Object.assign(disk, { failing: 'commitlog', openError: EMFILE });
  assert.is(flusher.doWork(), 0);
  assert.is(flusher.doWork(), 0);
  assert.equal([errnos, positions.halted, positions.get(FLUSHED)], [[EMFILE, EMFILE], false, 0]);
  disk.openError = 0;
  assert.is(flusher.doWork(), positions.get(APPENDED));
  assert.ok(positions.get(APPENDED) > FILE && positions.get(APPENDED_TIME) > 0);
  positions.set(FLUSHED, 0);
  disk.openError = EMFILE;
  new Flusher(new Segments(disk, LOG, FILE), positions).doWork();
  assert.is(positions.get(HALT_ERRNO), EMFILE);
});

test('the flusher halts for a lost page in what it syncs, and for no other', () => {
  const { disk, positions } = rig(10);
  positions.set(FLUSHED, 1000);
  disk.bad = [[0, 900]];
  const flusher = new Flusher(new Segments(disk, LOG, FILE), positions);
  assert.ok(flusher.doWork() > 0);
  positions.set(FLUSHED, 0);
  flusher.doWork();
  assert.is(positions.halted, true);
});

test('a store that was closed is opened again on a full disk, and says that it is in use', async () => {
  const first = smallStore();
  first.store.append('T', headFor(0), Buffer.from('b'), '');
  assert.is(await first.store.close(), true);
  const { disk } = first;
  assert.is(disk.size('/store/abort'), -1);
  disk.full = true;
  const { store } = smallStore({}, disk);
  assert.is(disk.size('/store/abort'), 0);
  const queue = store.queue('T', 0);
  assert.is(queue && store.reader.readQueue(queue, 0, 10).length, 1);
});

test('behind the log a hole is zeros, though a full disk had no room to look at it', () => {
  const PAGE = 4096;
  /** Who looks at a hole through a mapping meets a fault, until the file is mapped anew. */
  class FullTmpfs extends SimDisk {
    meets = false;
    override map(path: string, size: number, create?: number): Mapping | number {
      const mapping = super.map(path, size, create);
      if (typeof mapping === 'number' || !path.startsWith(LOG)) return mapping;
      const close = mapping.close.bind(mapping);
      let met = false;
      // The record is looked at first, then what lies behind it.
      let looks = 0;
      mapping.error = (from = 0, length = size) => {
        const meets = this.meets && from + length > PAGE && looks++ > 0;
        met ||= meets;
        return meets ? 5 : 0;
      };
      mapping.close = () => {
        if (met) this.meets = false;
        close();
      };
      return mapping;
    }
  }
  for (const damaged of [false, true]) {
    const disk = new FullTmpfs();
    const first = smallStore({}, disk);
    first.store.append('T', headFor(0), Buffer.from('b'), '');
    first.store.flush();
    disk.kill();
    disk.meets = true;
    // Something stands behind the page: then nobody knows what the fault took away.
    if (damaged) disk.bytesOf(`${LOG}/00000000000000000000`)[3 * PAGE] = 1;
    if (damaged) assert.throws(() => smallStore({}, disk), /cannot be read near/);
    if (damaged) continue;
    assert.is(smallStore({}, disk).store.positions.get(APPENDED), first.store.positions.get(APPENDED));
  }
});

test.run();
