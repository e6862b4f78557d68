/** News of messages: whoever is to hear of a queue hears of it, or is woken to look at everything. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainRing, RingProducer } from '../../../src/ring/spsc-ring.ts';
import { ArrivalNews } from '../../../src/store/dispatch/arrivals.ts';

const CAPACITY = 4096;

/** Two listeners; `heard` is what a listener does when it is woken: empty its ring, then look at its word. */
function rig() {
  const rings = [plainRing(CAPACITY), plainRing(CAPACITY)];
  const lost = new SharedArrayBuffer(8);
  const words = new Int32Array(lost);
  const wakes = [0, 0];
  const news = new ArrivalNews(
    rings.map(({ producer }) => producer),
    lost,
    wakes.map((_, i) => () => {
      wakes[i] = (wakes[i] as number) + 1;
    }),
  );
  const heard = (i: number) => {
    const { consumer } = rings[i] as (typeof rings)[0];
    const queues: number[] = [];
    while (consumer.next()) queues.push(consumer.view.getInt32(consumer.offset, true));
    consumer.release();
    return { queues, all: Atomics.exchange(words, i, 0) === 1 };
  };
  return { rings, news, wakes, heard };
}

test('only those hear who asked', () => {
  const { news, heard } = rig();
  news.tell(7, 0b01);
  news.tell(8, 0b11);
  news.publish();
  assert.equal(heard(0), { queues: [7, 8], all: false });
  assert.equal(heard(1), { queues: [8], all: false });
});

test('a listener whose ring is full is woken and told to look at everything', () => {
  const { news, wakes, heard } = rig();
  for (let queue = 0; queue < CAPACITY; queue++) news.tell(queue, 0b01);
  assert.ok((wakes[0] as number) > 0);
  const { queues, all } = heard(0);
  assert.ok(queues.length > 0 && queues.length < CAPACITY);
  assert.is(all, true);
  assert.equal([heard(1).all, wakes[1]], [false, 0], 'the other has nothing to do with it');
});

test('one that has just emptied its ring and gone to sleep is woken for what was lost', () => {
  const { rings, news, wakes, heard } = rig();
  const { producer } = rings[0] as (typeof rings)[0];
  while (producer.used < CAPACITY) news.tell(1, 0b01);
  news.publish();
  // The listener's turn falls between "full" and the word.
  const claim = producer.claim.bind(producer);
  producer.claim = (type, length) => {
    const claimed = claim(type, length);
    assert.is(heard(0).all, false);
    wakes[0] = 0;
    return claimed;
  };
  news.tell(2, 0b01);
  assert.is(wakes[0], 1);
  assert.is(heard(0).all, true);
  assert.instance(producer, RingProducer);
});

test.run();
