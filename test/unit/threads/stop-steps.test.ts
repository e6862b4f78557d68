/** A stop that takes its time says what it waits for. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StopSteps } from '../../../src/threads/control/stop-steps.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { FakeTime } from '../metadata/support.ts';

function rig() {
  const { log, lines } = recordingLog();
  const time = new FakeTime();
  return { lines, time, steps: new StopSteps(log, time, time) };
}

test('a step that is done within a second is not told', async () => {
  const { lines, time, steps } = rig();
  assert.is(await steps.wait('nothing', Promise.resolve(7)), 7);
  await time.advance(60_000);
  assert.equal(lines, []);
  assert.is(time.waiting, 0);
});

test('a longer one is told after a second, and then every ten', async () => {
  const { lines, time, steps } = rig();
  let end = () => {};
  const done = steps.wait('the disk', new Promise<void>((resolve) => (end = resolve)));
  await time.advance(999);
  assert.is(lines.length, 0);
  await time.advance(1);
  await time.advance(20_000);
  end();
  await done;
  await time.advance(60_000);
  assert.equal(
    lines.map(({ message, fields }) => [message, fields['ms']]),
    [1_000, 11_000, 21_000].map((ms) => ['the stop waits for the disk', ms]),
  );
});

test('a step that fails is told no longer', async () => {
  const { lines, time, steps } = rig();
  const failed = steps.wait('the disk', Promise.reject(new Error('refused')));
  assert.is(await failed.catch((error: Error) => error.message), 'refused');
  await time.advance(60_000);
  assert.equal(lines, []);
});

test.run();
