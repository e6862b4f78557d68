/** The least of several positions, and which of them is missing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, DISPATCHED, FLUSHED, Positions } from '../../../src/ring/positions.ts';
import { Watermark } from '../../../src/ring/watermark.ts';
import { confirmedBy } from '../../../src/store/options.ts';

const test = suite('watermark');

test('is the least of its positions, in whatever order they move', () => {
  const positions = new Positions();
  const both = new Watermark(positions, [FLUSHED, DISPATCHED]);
  const moves: [slot: number, to: number, least: number][] = [
    [FLUSHED, 100, 0],
    [DISPATCHED, 40, 40],
    [DISPATCHED, 2 ** 40, 100],
    [FLUSHED, 2 ** 41, 2 ** 40],
  ];
  for (const [slot, to, least] of moves) {
    positions.set(slot, to);
    assert.is(both.position, least);
    assert.is(both.differs(least), false);
    assert.is(both.differs(least + 1), true);
  }
  assert.is(both.missing(2 ** 40), undefined);
  assert.is(both.missing(2 ** 40 + 1), DISPATCHED);
  assert.is(both.missing(2 ** 41 + 1), FLUSHED);
});

test('what confirms a message is what the flush mode says', () => {
  const positions = new Positions();
  positions.set(APPENDED, 10);
  positions.set(FLUSHED, 5);
  const at = (flushDiskType: 'ASYNC_FLUSH' | 'SYNC_FLUSH') =>
    new Watermark(positions, confirmedBy({ flushDiskType })).position;
  assert.equal([at('ASYNC_FLUSH'), at('SYNC_FLUSH')], [10, 5]);
});

test.run();
