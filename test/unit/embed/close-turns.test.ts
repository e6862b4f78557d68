import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CloseTurns, endsTogether } from '../../../src/embed/close-turns.ts';

const test = suite('turns of brokers that close');

interface End {
  readonly promise: Promise<void>;
  come(): void;
}

function end(): End {
  let come = () => {};
  const promise = new Promise<void>((resolve) => {
    come = resolve;
  });
  return { promise, come: () => come() };
}

test('the next is told when the one before has ended, the first at once', async () => {
  const turns = new CloseTurns();
  const told: number[] = [];
  const ends = [end(), end(), end()];
  for (const [i, { promise }] of ends.entries()) turns.take(() => told.push(i), promise);
  assert.equal(told, [0]);
  await turn();
  assert.equal(told, [0]);
  ends[2]?.come();
  await turn();
  assert.equal(told, [0], 'one that has ended by itself does not end the turn of another');
  ends[0]?.come();
  await turn();
  assert.equal(told, [0, 1]);
  ends[1]?.come();
  await turn();
  assert.equal(told, [0, 1, 2]);
  turns.take(() => told.push(3), Promise.resolve());
  assert.equal(told, [0, 1, 2, 3], 'at once again');
});

test('one that never ends gives its turn away', async () => {
  const turns = new CloseTurns(0);
  const never = end();
  turns.take(() => {}, never.promise);
  const timer = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => turns.take(resolve, never.promise));
  clearInterval(timer);
});

test('only Node before 22 needs turns', () => {
  assert.equal(['20.20.2', '21.0.0', '22.0.0', '26.1.0'].map(endsTogether), [false, false, true, true]);
});

test.run();
