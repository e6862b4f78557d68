import { EventEmitter } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { firstSignal } from '../../../src/cli/stop-signals.ts';

const test = suite('stop signals');

function setUp() {
  const source = new EventEmitter();
  const seen: string[] = [];
  const time = { ms: 5000 };
  const first = firstSignal(
    source,
    () => time.ms,
    (signal) => void seen.push(signal),
  );
  return { source, seen, time, first };
}

test('signals that come together are one', async () => {
  const { source, seen, time, first } = setUp();
  source.emit('SIGINT', 'SIGINT');
  source.emit('SIGINT', 'SIGINT');
  time.ms += 999;
  source.emit('SIGTERM', 'SIGTERM');
  assert.is(await first, 'SIGINT');
  assert.equal(seen, []);
});

test('each that comes a second later is told of', async () => {
  const { source, seen, time, first } = setUp();
  source.emit('SIGTERM', 'SIGTERM');
  time.ms += 1000;
  source.emit('SIGINT', 'SIGINT');
  time.ms += 1;
  source.emit('SIGTERM', 'SIGTERM');
  assert.is(await first, 'SIGTERM');
  assert.equal(seen, ['SIGINT', 'SIGTERM']);
});

test('the end of a terminal asks for a stop', async () => {
  const { source, first } = setUp();
  source.emit('SIGHUP', 'SIGHUP');
  assert.is(await first, 'SIGHUP');
});

test('so does the end of a parent to which there is a channel', async () => {
  const { source, first } = setUp();
  source.emit('disconnect');
  assert.is(await first, 'the end of its parent');
});

test.run();
