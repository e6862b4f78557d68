/** What the writer's memory still has of the log's end: what is found there is what its file has. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plainBulk } from '../../../src/ring/bulk.ts';
import type { Mapping } from '../../../src/store/disk/disk.ts';
import { AppendStage } from '../../../src/store/log/append-stage.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { SimDisk } from '../../sim/sim-disk.ts';

const test = suite('append stage');
const FILE = 4 * 1024 * 1024;
const WINDOW = 512 * 1024;

interface Put {
  size: number;
  /** Whether a round ends behind it. */
  ends: boolean;
}

class Rig {
  readonly disk = new SimDisk();
  readonly segments = new Segments(this.disk, '/log', FILE);
  readonly stage = new AppendStage(this.segments);
  readonly records: { position: number; size: number }[] = [];
  position: number;
  #next = 1;

  constructor(position: number) {
    this.position = position;
  }

  put(size: number): void {
    const left = FILE - this.segments.offsetOf(this.position);
    if (left < size) {
      this.stage.write();
      this.position += left;
    }
    const source = plainBulk(size);
    for (let i = 0; i < size; i += 64) source.bytes[i] = this.#next++;
    const mapping = this.segments.at(this.position, true) as Mapping;
    this.stage.copyIn(this.stage.reserve(mapping, this.position, size), source, 0, size, 0, 0);
    this.records.push({ position: this.position, size });
    this.position += size;
  }

  /** How many of the records written are found; those have the bytes of their file. */
  found(): number {
    let found = 0;
    for (const { position, size } of this.records) {
      const at = this.stage.find(position);
      if (at < 0) continue;
      found++;
      const file = this.segments.at(position) as Mapping;
      const from = this.segments.offsetOf(position);
      const there = Buffer.from(this.stage.memory.bytes.subarray(at, at + size));
      assert.ok(there.equals(file.bytes.subarray(from, from + size)), `${position} is what its file has`);
    }
    return found;
  }
}

test('whatever is appended, all that is found is right, and the last half of the window is found', () => {
  const size = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 100, max: 60_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 700_000 }) },
  );
  const puts = fc.array(fc.record<Put>({ size, ends: fc.boolean() }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(puts, fc.constantFrom(0, 300, FILE - 200_000, FILE + 5), (all, position) => {
      const rig = new Rig(position);
      for (const { size, ends } of all) {
        rig.put(size);
        if (!ends) continue;
        assert.ok(rig.stage.write());
        rig.found();
      }
      assert.ok(rig.stage.write());
      rig.found();
      const { position: last, size: lastSize } = rig.records.at(-1) as (typeof rig.records)[number];
      assert.ok(rig.stage.find(last) >= 0, 'the last record is there');
      const fileStart = rig.segments.startOf(last);
      const large = rig.records.some(({ size }) => size > WINDOW / 2);
      if (!large) {
        for (const { position, size } of rig.records) {
          if (position < fileStart || rig.position - position > WINDOW / 2) continue;
          assert.ok(
            rig.stage.find(position) >= 0,
            `${size} bytes at ${position}, before ${last}+${lastSize}`,
          );
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('a lap goes over the one before, from its front on', () => {
  const rig = new Rig(0);
  const size = WINDOW / 8;
  for (let n = 0; n < 8; n++) rig.put(size);
  rig.stage.write();
  assert.is(rig.found(), 8);
  for (let n = 0; n < 3; n++) rig.put(size);
  rig.stage.write();
  assert.equal(
    rig.records.map(({ position }) => rig.stage.find(position)),
    [-1, -1, -1, 3 * size, 4 * size, 5 * size, 6 * size, 7 * size, 0, size, 2 * size],
  );
  assert.is(rig.found(), 8);
});

test('nothing is found before anything was appended, or behind what was', () => {
  const rig = new Rig(9000);
  for (const position of [0, 100, 8192, 9000, FILE]) assert.is(rig.stage.find(position), -1);
  rig.put(900);
  for (const position of [0, 8999, 9900, FILE]) assert.is(rig.stage.find(position), -1);
  assert.is(rig.stage.find(9000), 0);
});

test('nothing of another file is found, and nothing before a log that was opened', () => {
  const rig = new Rig(FILE - 1000);
  rig.put(900);
  rig.stage.write();
  assert.equal([rig.stage.find(FILE - 1000), rig.stage.find(FILE - 2000), rig.stage.find(0)], [0, -1, -1]);
  rig.put(900);
  rig.stage.write();
  assert.equal([rig.stage.find(FILE), rig.stage.find(FILE - 1000), rig.stage.find(0)], [0, -1, -1]);
});

test.run();
