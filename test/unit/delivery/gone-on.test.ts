/** An ordered group that has gone on at a slave while this broker was away: what was written down before is older. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KnownQueues } from '../../../src/delivery/known-queues.ts';
import { ORDER_JOURNAL_TOPIC } from '../../../src/delivery/pop/order-journal.ts';
import type { PopAsk } from '../../../src/delivery/pop/pop-link.ts';
import { Positions } from '../../../src/ring/positions.ts';
import { POP } from '../../../src/ring/question-records.ts';
import { PopRig } from '../../support/pop-rig.ts';
import { FakePut, FakeStore, message, setUp } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('ordered pops that have gone on elsewhere');
const [TOPIC, GROUP] = ['T', 'G'];
const JOURNALED = 3;
const TOLD = 6;

/** Where the group goes on in a queue of ten messages. */
async function startOf(goneOn: number[]): Promise<number | undefined> {
  const time = new FakeTime();
  const store = new FakeStore();
  for (let i = 0; i < 10; i++) store.append(message({ topic: TOPIC, queueId: 0 }), 1);
  const state = { t: TOPIC, g: GROUP, q: 0, off: JOURNALED, o: null };
  const body = Buffer.from(JSON.stringify(state));
  store.append(message({ topic: ORDER_JOURNAL_TOPIC, queueId: 0, body }), 1);
  const queues = new KnownQueues();
  for (const [id, topic] of [TOPIC, ORDER_JOURNAL_TOPIC].entries()) queues.add(topic, 0, id);
  const asks: PopAsk[] = [];
  const rig = new PopRig({
    ...{ clock: time, timers: time, reads: store, positions: new Positions(), put: new FakePut().begin },
    ...{ busy: () => false, queues, interest() {}, ask: (ask) => asks.push(ask), random: () => 0.5 },
    timer: { mark: () => ({ time: 0, elapsed: 0, queueEnd: 0 }), hasPassed: () => false },
    start: {
      ...{ reviveTopic: 'R', brokerName: 'b', scanned: -1, deletions: 0, journaled: 0 },
      ...{ revive: [-1], reviveQueueNum: 1, orders: [] },
    },
  });
  await time.advance(100);
  const question = {
    ...{ topic: TOPIC, group: GROUP, queueId: 0, queues: 1, order: true, pollTime: 0, bornTime: 0 },
    ...{ invisibleTime: 1_000, fromNewest: false, priority: false, maxCount: 1 },
  };
  rig.ask(POP, { slot: 1, generation: 1, opaque: 1 }, question);
  for (let i = 0; i < 3; i++) {
    rig.work();
    for (const ask of asks.splice(0))
      if (ask.what === 'offsets')
        rig.kind.hear({
          ...{ what: 'offsets', topic: ask.topic, group: ask.group, goneOn },
          offsets: ask.topic === TOPIC ? [[0, TOLD]] : [],
        });
    await time.advance(100);
  }
  return rig.answers()[0]?.popped?.parts[0]?.startOffset;
}

test('where no slave has acted the journal says where the group stands', async () => {
  for (const others of [[], [1]]) assert.is(await startOf(others), JOURNALED);
});

test('the group goes on where it has come to since', async () => {
  assert.is(await startOf([0]), TOLD);
});

test('of what is gone it is not known any more', () => {
  const { offsets } = setUp().context;
  offsets.hasGoneOn(GROUP, TOPIC, 2);
  assert.equal(offsets.goneOn(GROUP, TOPIC), [], 'nor where nothing was ever committed');
  offsets.commit(GROUP, TOPIC, 2, 5);
  offsets.hasGoneOn(GROUP, TOPIC, 2);
  assert.equal(offsets.goneOn(GROUP, TOPIC), [2]);
  offsets.removeGroup(GROUP);
  assert.equal(offsets.goneOn(GROUP, TOPIC), []);
});

test.run();
