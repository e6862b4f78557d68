/** The CommitLog's files are allocated step by step, and nothing is written where that has not been done. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Mapping } from '../../../src/store/disk/disk.ts';
import { LogRoom } from '../../../src/store/log/log-room.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { headFor, smallStore } from '../../support/messages.ts';

const FILE = 1024 * 1024;
const STEP = 64 * 1024;

const test = suite('room in the log');

/** A file of the log, and the ranges of it that were asked for. */
function setUp(position = 0) {
  const disk = new SimDisk();
  const segments = new Segments(disk, '/log', FILE, STEP);
  const mapping = segments.at(position, true) as Mapping;
  const asked: [number, number][] = [];
  const reserve = mapping.reserve.bind(mapping);
  mapping.reserve = (from, length) => {
    asked.push([from, from + length]);
    return reserve(from, length);
  };
  return { disk, segments, mapping, asked, room: new LogRoom(segments) };
}

test('the first step, then as much again as there is, to the end of the file', () => {
  const { mapping, asked, room } = setUp();
  for (let position = 0; position < FILE; position += 4096) assert.ok(room.has(mapping, position, 4096));
  const ends = [1, 2, 4, 8, 16].map((steps) => steps * STEP);
  assert.equal(
    asked,
    ends.map((end, i) => [i === 0 ? 0 : (ends[i - 1] as number), end]),
  );
});

test('what is larger than a step has its room at once', () => {
  const { mapping, asked, room } = setUp();
  assert.ok(room.has(mapping, 100, 5 * STEP));
  assert.ok(room.has(mapping, 100 + 4 * STEP, STEP));
  assert.equal(asked, [[100, 100 + 5 * STEP]]);
});

test('near the end of a step the next one is allocated in the background', async () => {
  const { mapping, asked, room } = setUp();
  room.has(mapping, 0, 4096);
  room.ahead(mapping, STEP / 2 - 1);
  assert.is(asked.length, 1);
  room.ahead(mapping, STEP / 2);
  await Promise.resolve();
  assert.equal(asked[1], [STEP, 2 * STEP]);
  assert.ok(room.has(mapping, 2 * STEP - 4096, 4096));
  assert.is(asked.length, 2);
});

test('a full disk refuses until there is room again, and a try in the background makes no noise', async () => {
  const { disk, segments, mapping, asked, room } = setUp();
  room.has(mapping, 0, STEP);
  disk.full = true;
  room.ahead(mapping, STEP - 100);
  await Promise.resolve();
  assert.not(room.has(mapping, STEP - 100, 200));
  assert.is(segments.lastError, 28);
  assert.ok(room.has(mapping, STEP - 100, 100), 'what fits is still taken');
  disk.full = false;
  assert.ok(room.has(mapping, STEP - 100, 200));
  assert.equal(asked.at(-1), [STEP, 2 * STEP]);
});

test('messages on a full disk are refused whole, and the store goes on when there is room', () => {
  const disk = new SimDisk();
  const { store } = smallStore({ mappedFileSizeCommitLog: FILE, preallocateBytes: STEP }, disk);
  const append = () => store.append('T', headFor(0), Buffer.alloc(3000), '').physicalOffset;
  const first = append();
  disk.full = true;
  let taken = 0;
  assert.throws(() => {
    for (; taken < FILE / 3000; taken++) append();
  }, /cannot take/);
  assert.ok(taken > 10 && taken < STEP / 3000);
  assert.not(store.positions.halted);
  disk.full = false;
  const next = append();
  assert.is((next - first) % (taken + 1), 0, 'nothing of what was refused was written');
  assert.is(disk.unreservedWrites, 0);
});

test.run();
