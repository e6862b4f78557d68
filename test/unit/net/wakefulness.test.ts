import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Wakefulness } from '../../../src/net/wakefulness.ts';
import { Patience } from '../../../src/ring/patience.ts';

/** Records what a loop is told, and lets `onLook` say what a look finds. */
function makeLoop(micros: number, onLook: (looks: number) => boolean = () => false) {
  const told: string[] = [];
  let looks = 0;
  let now = 0;
  const wakefulness: Wakefulness = new Wakefulness({
    patience: new Patience(micros),
    look: () => {
      if (onLook(++looks)) wakefulness.worked();
    },
    stayAwake: () => told.push('awake'),
    fallAsleep: () => told.push('asleep'),
    // Each look at the clock takes 0.1 ms, whatever else the machine does.
    now: () => (now += 0.1),
  });
  return { wakefulness, told, looks: () => looks };
}

/** Many turns of the event loop, in each of which an awake loop looks. */
async function turns(): Promise<void> {
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('after work the loop looks by itself, then falls asleep once', async () => {
  const { wakefulness, told, looks } = makeLoop(2000);
  wakefulness.worked();
  wakefulness.worked();
  assert.equal(told, ['awake']);
  await until(() => told.length > 1);
  assert.equal(told, ['awake', 'asleep']);
  assert.ok(looks() > 1);
  const after = looks();
  await turns();
  assert.is(looks(), after, 'looks on while asleep');
});

test('work found by a look keeps it awake', async () => {
  let found = 0;
  const { wakefulness, told } = makeLoop(500, () => found++ < 1000);
  wakefulness.worked();
  await until(() => told.length > 1);
  assert.ok(found > 1000, 'fell asleep although each look found something');
  assert.equal(told, ['awake', 'asleep']);
});

test('without patience nothing happens', async () => {
  const { wakefulness, told, looks } = makeLoop(0);
  wakefulness.worked();
  await turns();
  assert.equal(told, []);
  assert.is(looks(), 0);
});

test('once closed it neither looks nor touches the doorbell', async () => {
  const { wakefulness, told, looks } = makeLoop(1000);
  wakefulness.worked();
  wakefulness.close();
  await turns();
  assert.equal(told, ['awake']);
  assert.is(looks(), 0);
});

test.run();
