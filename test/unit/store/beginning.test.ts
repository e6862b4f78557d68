/** An empty log that is a copy begins where the other one begins. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, DISPATCHED, FLUSHED, LOG_START } from '../../../src/ring/positions.ts';
import { noteBeginning } from '../../../src/store/recovery/beginning.ts';
import { SimCrash, SimDisk } from '../../sim/sim-disk.ts';
import { headFor, LOG, ROOT, smallStore } from '../../support/messages.ts';

const test = suite('beginning of a copy');
const FILE = 68 * 1024;
const NOTE = `${ROOT}/ringmq.beginning`;

function note(disk: SimDisk, position: number): void {
  noteBeginning(disk, { ...smallStore().store.options }, position);
}

function logFiles(disk: SimDisk): string[] {
  return disk.list(LOG).filter((name) => /^\d{20}$/.test(name));
}

/** Opens the store, and appends to it. */
function check(disk: SimDisk, position: number, what: string): void {
  const { store } = smallStore({}, disk);
  for (const slot of [LOG_START, APPENDED, FLUSHED, DISPATCHED])
    assert.is(store.positions.get(slot), position, `${what}: ${slot}`);
  assert.is(disk.size(NOTE), -1, what);
  assert.is(store.append('T', headFor(0), Buffer.from('hello'), '').physicalOffset, position, what);
  store.flush();
  store.dispatch();
  disk.kill();
  const again = smallStore({}, disk);
  assert.is(again.store.positions.get(LOG_START), position, what);
  assert.ok(again.store.positions.get(APPENDED) > position, what);
}

test('a store that nobody has opened, one that was stopped and one that was killed begin there', async () => {
  for (const how of ['new', 'clean', 'kill'] as const) {
    const disk = new SimDisk();
    if (how !== 'new') {
      const { store } = smallStore({}, disk);
      if (how === 'clean') assert.is(await store.close(), true);
      else disk.kill();
    }
    disk.makeDirectory(ROOT);
    note(disk, 7 * FILE);
    check(disk, 7 * FILE, how);
    assert.equal(logFiles(disk), [String(7 * FILE).padStart(20, '0')], how);
  }
});

test('and begin elsewhere again, as long as they are empty', () => {
  const { disk } = smallStore();
  disk.kill();
  for (const file of [3, 9]) {
    note(disk, file * FILE);
    assert.is(smallStore({}, disk).store.positions.get(LOG_START), file * FILE);
    disk.kill();
  }
});

test('a kill in the middle of it changes nothing about that', () => {
  for (let calls = 0; ; calls++) {
    const { disk } = smallStore();
    disk.kill();
    note(disk, 5 * FILE);
    disk.callsUntilCrash = calls;
    let ended = false;
    try {
      smallStore({}, disk);
      ended = true;
    } catch (error) {
      assert.instance(error, SimCrash);
    }
    disk.kill();
    check(disk, 5 * FILE, `killed after ${calls} calls`);
    if (ended) break;
  }
});

test('a log that holds something, and a place where no file begins, stay as they are', () => {
  const first = smallStore();
  first.store.append('T', headFor(0), Buffer.from('hello'), '');
  first.store.flush();
  first.disk.kill();
  note(first.disk, 5 * FILE);
  assert.is(smallStore({}, first.disk).store.positions.get(LOG_START), 0);
  assert.is(first.disk.size(NOTE), -1);
  const second = smallStore();
  second.disk.kill();
  note(second.disk, 5 * FILE + 1);
  assert.is(smallStore({}, second.disk).store.positions.get(LOG_START), 0);
  assert.is(second.disk.size(NOTE), -1);
});

test.run();
