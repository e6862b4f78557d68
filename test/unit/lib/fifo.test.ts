/** The queue against an array, and its memory after a burst. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fifo } from '../../../src/lib/fifo.ts';
import { Random } from '../../support/random.ts';

const test = suite('fifo');

test('gives back what an array would, in whatever order it is used', () => {
  const random = new Random(7);
  const fifo = new Fifo<number>();
  const model: number[] = [];
  for (let step = 0; step < 50_000; step++) {
    // Grows to hundreds, shrinks to nothing, again and again.
    const growing = Math.floor(step / 1000) % 2 === 0;
    if (random.chance(growing ? 0.7 : 0.3)) {
      fifo.push(step);
      model.push(step);
    } else {
      assert.is(fifo.shift(), model.shift());
    }
    assert.is(fifo.size, model.length);
    assert.is(fifo.peek(), model[0]);
    assert.is(fifo.last(), model.at(-1));
    if (step % 1000 === 0) assert.equal([...fifo], model);
  }
});

test('taken entries are not held on to', () => {
  const fifo = new Fifo<object>();
  for (let i = 0; i < 1000; i++) fifo.push({ i });
  while (fifo.shift() !== undefined);
  assert.is(fifo.size, 0);
  assert.is(fifo.peek(), undefined);
  assert.is(fifo.last(), undefined);
  fifo.push({});
  fifo.clear();
  assert.equal([...fifo], []);
});

test.run();
