// A broker killed among the ends of transactions: none that was answered is lost, what was rolled back stays invisible,
// and whatever is still open is checked and ends as its producer says.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkProgress, maxOffset, OP_TOPIC } from '../interop/scenarios/transacting.ts';
import { COMMIT, type Half, ROLLBACK } from '../interop/support/raw-producer.ts';
import {
  AT_ONCE,
  MANY_CHECKS,
  type Mortal,
  open,
  sendHalves,
  settle,
  TOPIC,
  times,
} from '../support/mortal-broker.ts';

const COUNT = 200;

/** Ends all at once and kills the broker at the first answer; returns whose end was answered. */
async function killAmongEnds(broker: Mortal, halves: readonly Half[], state: number): Promise<boolean[]> {
  const { producer } = broker;
  const answered = halves.map(() => false);
  let killed: Promise<void> | undefined;
  const ends = halves.map(async (half, index) => {
    try {
      answered[index] = (await producer.end(half, state)).code === 0;
    } catch {
      return; // the broker is dead
    }
    killed ??= broker.kill();
  });
  await Promise.all(ends);
  await killed;
  assert.ok(answered.includes(true));
  return answered;
}

for (const mode of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  const flush = `flushDiskType=${mode}\n`;
  const conf = flush + AT_ONCE + MANY_CHECKS;
  const test = suite(`kill -9 among the ends of a transaction, ${mode}`);

  test('commits are asked and some answered: what was answered is there, the rest still ends', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      const answered = await killAmongEnds(broker, halves, COMMIT);
      await broker.start(conf);
      const survived = await times(broker.producer, TOPIC, halves);
      for (const [index, isAnswered] of answered.entries())
        if (isAnswered) assert.is(survived[index], 1, `commit ${index} was answered`);
      await settle(broker.producer, halves, true);
      for (const count of await times(broker.producer, TOPIC, halves)) assert.ok(count >= 1 && count <= 2);
    }));

  test('rollbacks are asked and some answered: none is ever seen, those answered are not checked', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      const answered = await killAmongEnds(broker, halves, ROLLBACK);
      await broker.start(conf);
      const { producer } = broker;
      await settle(producer, halves, false);
      for (const [index, half] of halves.entries())
        if (answered[index]) assert.is(producer.checksOf(half).length, 0, `rollback ${index} was answered`);
      assert.equal(new Set(await times(producer, TOPIC, halves)), new Set([0]));
      const read = await checkProgress(producer.connection, OP_TOPIC);
      assert.is(read, await maxOffset(producer.connection, OP_TOPIC), 'no end is needed any more');
    }));

  test.run();
}
