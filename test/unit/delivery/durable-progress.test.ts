import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DurableProgress } from '../../../src/delivery/durable-progress.ts';
import { APPENDED, FLUSHED, Positions } from '../../../src/ring/positions.ts';

const test = suite('durable progress');

test('progress is told when all is durable that the log held when it was noted', () => {
  const positions = new Positions();
  let news: number | undefined = 1;
  const progress = new DurableProgress(() => news, positions);
  positions.set(APPENDED, 100);
  assert.is(progress.take(), undefined, 'noted');
  news = 2;
  positions.set(APPENDED, 200);
  positions.set(FLUSHED, 99);
  assert.is(progress.take(), undefined, 'not durable');
  positions.set(FLUSHED, 100);
  assert.is(progress.take(), 1, 'and the next one is noted');
  news = undefined;
  assert.is(progress.take(), undefined);
  positions.set(FLUSHED, 200);
  assert.equal([progress.take(), progress.take()], [2, undefined]);
});

test.run();
