/** Tables of calls: each thread's own, added up, with the bounds as they are. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CALL_BOUNDS_MS,
  CallSums,
  CallTable,
  callsIn,
  countCall,
  createCallTables,
} from '../../../src/ring/call-table.ts';

const test = suite('call table');
const ROWS = 5;

test('each thread counts for itself, and the reader adds up', () => {
  const buffer = createCallTables(3, ROWS);
  const tables = [0, 1, 2].map((thread) => new CallTable(buffer, thread, ROWS));
  tables[0]?.count(0, 0.5);
  tables[2]?.count(0, 50);
  tables[1]?.count(ROWS - 1, 7_000);
  const counted = [...new CallSums(buffer, ROWS).counted()].map(([row, cells]) => [row, [...cells]]);
  assert.equal(counted, [
    [0, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 50.5]],
    [ROWS - 1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7_000]],
  ]);
});

test('a bound belongs to the bucket below it', () => {
  for (const [bucket, bound] of CALL_BOUNDS_MS.entries()) {
    const cells = new Float64Array(CALL_BOUNDS_MS.length + 2);
    countCall(cells, 0, bound);
    countCall(cells, 0, bound + 0.001);
    assert.equal([cells[bucket], cells[bucket + 1], callsIn(cells)], [1, 1, 2], `${bound} ms`);
  }
});

test.run();
