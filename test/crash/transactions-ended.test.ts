// A broker killed when the ends of transactions had been answered, before and after its log says that they have ended.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMIT, type Half, type RawProducer } from '../interop/support/raw-producer.ts';
import {
  AT_ONCE,
  LATER,
  MANY_CHECKS,
  open,
  sendHalves,
  settle,
  TOPIC,
  times,
} from '../support/mortal-broker.ts';

const COUNT = 200;

async function commit(producer: RawProducer, halves: readonly Half[]): Promise<void> {
  for (const { code } of await Promise.all(halves.map((half) => producer.end(half, COMMIT))))
    assert.is(code, 0);
}

for (const mode of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  const flush = `flushDiskType=${mode}\n`;
  const conf = flush + AT_ONCE + MANY_CHECKS;
  const test = suite(`kill -9 after the ends of transactions, ${mode}`);

  test('commits are answered, and nothing says so yet: at least once', () =>
    open(flush + LATER + MANY_CHECKS, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      await commit(broker.producer, halves);
      await broker.again(conf);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]));
      await settle(broker.producer, halves, true);
      for (const count of await times(broker.producer, TOPIC, halves)) assert.ok(count >= 1 && count <= 2);
    }));

  test('commits are answered and written down: once, and none is checked', () =>
    open(conf, async (broker) => {
      const halves = await sendHalves(broker.producer, COUNT);
      await commit(broker.producer, halves);
      await settle(broker.producer, halves, true);
      await broker.again(conf);
      await settle(broker.producer, halves, true);
      assert.is(broker.producer.checks.length, 0);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]));
      // The log says that they have ended, not how: nothing is done, and that is no success.
      for (const half of halves.slice(0, 3)) assert.is((await broker.producer.end(half, COMMIT)).code, 604);
      assert.equal(new Set(await times(broker.producer, TOPIC, halves)), new Set([1]), 'said again');
    }));

  test.run();
}
