/** What the directory counts of records: bytes, and how many of each size, of each queue alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QueueDirectory, RECORD_SIZE_BOUNDS } from '../../../src/store/queue/queue-directory.ts';

const test = suite('queue directory');

function countsOf(directory: QueueDirectory, ...queues: number[]): number[] {
  const counts = new Array<number>(RECORD_SIZE_BOUNDS.length + 1).fill(0);
  for (const queue of queues) directory.addCountsTo(counts, queue);
  return counts;
}

test('records are counted by size, a bound with what is below it', () => {
  const directory = QueueDirectory.plain(4);
  for (const bound of RECORD_SIZE_BOUNDS) directory.addRecord(1, bound);
  directory.addRecord(1, RECORD_SIZE_BOUNDS[0] as number);
  directory.addRecord(2, 4096 * 1024 + 1);
  assert.equal(countsOf(directory, 1), [2, 1, 1, 1, 1, 1, 0]);
  assert.equal(countsOf(directory, 2), [0, 0, 0, 0, 0, 0, 1]);
  assert.equal(countsOf(directory, 1, 2), [2, 1, 1, 1, 1, 1, 1]);
  assert.is(directory.bytes(2), 4096 * 1024 + 1);
});

test('no column of a queue reaches into another', () => {
  const directory = QueueDirectory.plain(4);
  for (const queue of [0, 3]) {
    directory.addRecord(queue, 5 * 1024 * 1024);
    directory.setNext(queue, 7);
    directory.setMaximum(queue, 8);
    directory.setMinimum(queue, 9);
    directory.addInterest(queue, 30);
  }
  for (const queue of [1, 2]) {
    const { next, maximum, minimum } = {
      next: directory.next(queue),
      maximum: directory.maximum(queue),
      minimum: directory.minimum(queue),
    };
    assert.equal(
      [next, maximum, minimum, directory.bytes(queue), directory.takeInterest(queue)],
      [0, 0, 0, 0, 0],
    );
    assert.equal(countsOf(directory, queue), [0, 0, 0, 0, 0, 0, 0]);
  }
  assert.equal([directory.takeInterest(3), directory.takeInterest(3)], [1 << 30, 0]);
});

test.run();
