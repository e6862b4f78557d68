/** Blocks are asked for once and believed for a while; what is not wholly there is asked for itself. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Mapping } from '../../../src/store/disk/disk.ts';
import { Segments } from '../../../src/store/log/segments.ts';
import { ResidentBlocks } from '../../../src/store/read/resident-blocks.ts';
import { SimDisk } from '../../sim/sim-disk.ts';

const test = suite('resident blocks');
const BLOCK = 256 * 1024;
/** No multiple of a block: the last one of each file is shorter. */
const FILE = 2 * BLOCK + 1000;

class PartlyResident extends SimDisk {
  /** [path, from, length] of every question. */
  readonly asked: string[] = [];
  /** Bytes of each file that are in memory, from its start. */
  upTo = 0;

  override map(path: string, size: number, create?: number): Mapping | number {
    const mapping = super.map(path, size, create);
    if (typeof mapping !== 'number') {
      mapping.resident = (from, length) => {
        this.asked.push(`${Number(path.slice(-20))}+${from}:${length}`);
        return from + length <= this.upTo;
      };
    }
    return mapping;
  }
}

function setUp() {
  const disk = new PartlyResident();
  const segments = new Segments(disk, '/log', FILE);
  for (const start of [0, FILE]) segments.at(start, true);
  const clock = { now: 0 };
  return { disk, clock, blocks: new ResidentBlocks(segments, () => clock.now) };
}

test('a block that is there is asked for once in a while', () => {
  const { disk, clock, blocks } = setUp();
  disk.upTo = FILE;
  for (let at = 0; at < BLOCK; at += 1000) assert.ok(blocks.has(at, 100));
  assert.equal(disk.asked, [`0+0:${BLOCK}`]);
  clock.now = 1000;
  assert.ok(blocks.has(5, 10), 'within the same read');
  assert.is(disk.asked.length, 1);
  blocks.beginRead();
  assert.ok(blocks.has(5, 10));
  assert.is(disk.asked.length, 2);
});

test('a record over two blocks needs both; the last block ends with its file', () => {
  const { disk, blocks } = setUp();
  disk.upTo = FILE;
  assert.ok(blocks.has(BLOCK - 10, 20));
  assert.ok(blocks.has(FILE + 2 * BLOCK + 10, 20));
  assert.equal(disk.asked, [`0+0:${BLOCK}`, `0+${BLOCK}:${BLOCK}`, `${FILE}+${2 * BLOCK}:1000`]);
});

test('a block that is partly there is asked for record by record, and not believed', () => {
  const { disk, blocks } = setUp();
  disk.upTo = BLOCK / 2;
  assert.ok(blocks.has(100, 50));
  assert.not(blocks.has(BLOCK / 2, 50));
  disk.upTo = FILE;
  assert.ok(blocks.has(BLOCK / 2, 50), 'fetched meanwhile');
});

test.run();
