// What the owner of pops holds of topics and groups that come and go, and what control makes of its reports.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KnownQueues } from '../../../src/delivery/known-queues.ts';
import type { Checkpoint } from '../../../src/delivery/pop/checkpoint.ts';
import { LiveCheckpoints } from '../../../src/delivery/pop/live-checkpoints.ts';
import { OrderInfo } from '../../../src/delivery/pop/order-info.ts';
import { ORDER_JOURNAL_TOPIC, OrderJournal } from '../../../src/delivery/pop/order-journal.ts';
import { OrderedPops } from '../../../src/delivery/pop/ordered-pops.ts';
import { Polling } from '../../../src/delivery/pop/polling.ts';
import type { PopSettings } from '../../../src/delivery/pop/pop-context.ts';
import { PopControl } from '../../../src/delivery/pop/pop-control.ts';
import type { PopTold } from '../../../src/delivery/pop/pop-link.ts';
import { PopPairs } from '../../../src/delivery/pop/pop-pairs.ts';
import type { PopQuestion } from '../../../src/delivery/pop/pop-questions.ts';
import { type LiveCheckpoint, PopOffsets, PopStates } from '../../../src/delivery/pop/pop-states.ts';
import { LiteTopics } from '../../../src/metadata/lite-topics.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { ENDLESS } from '../../../src/metadata/topics.ts';
import type { RocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { FakePut, STORE_HOST, setUp } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('states of pops');

function statesOf(time = new FakeTime()) {
  const asked: string[] = [];
  const forgotten: string[] = [];
  const states = new PopStates({
    ask: (topic, group) => asked.push(`${topic}@${group}`),
    forgotten: (topic, group) => forgotten.push(`${topic}@${group}`),
    dropped: () => {},
    now: () => time.monotonic(),
  });
  return { states, asked, forgotten };
}

function offsetsOf(states: PopStates, topic: string, group: string): PopOffsets {
  const offsets = states.of(topic, group);
  assert.instance(offsets, PopOffsets);
  return offsets as PopOffsets;
}

test('who waits to hear of a group is answered when it is deleted', () => {
  const { states } = statesOf();
  let answered = 0;
  offsetsOf(states, 'T', 'G').whenKnown(() => answered++);
  states.forgetGroup('G');
  assert.is(answered, 1);
  states.told('T', 'G', [[0, 5]]);
  assert.is(answered, 1);
  assert.not(states.waits);
});

test('what is under way for a deleted topic is not reported', () => {
  const { states } = statesOf();
  const queue = offsetsOf(states, 'T', 'G').queue(0);
  states.told('T', 'G', []);
  states.doom('T');
  states.move(queue, 32);
  assert.equal(states.takeDirty(), []);
  assert.match(String(states.of('T', 'G')), /being deleted/);
  states.forgetTopic('T');
  assert.is(offsetsOf(states, 'T', 'G').queue(0).offset, -1);
});

test('an offset that was set is told in turn, and no checkpoint moves it', () => {
  const { states } = statesOf();
  offsetsOf(states, 'T', 'G');
  states.set('T', 'G', 0, 7);
  states.learn('T', 'G', 0, 40);
  states.told('T', 'G', [[0, 7]]);
  assert.is(offsetsOf(states, 'T', 'G').queue(0).offset, 7);
  states.set('T', 'G', 0, 3);
  states.learn('T', 'G', 0, 40);
  assert.equal(
    states.takeDirty().map(({ offset }) => offset),
    [3],
  );
});

test('what nobody has popped for a while, and of which nothing is out, is let go', async () => {
  const time = new FakeTime();
  const { states, asked, forgotten } = statesOf(time);
  const settings = () => ({ popPollingSize: 8 }) as PopSettings;
  const context = { clock: time, timers: time, settings };
  const polling = new Polling({ context, take: () => 'nothing' });
  const pairs = new PopPairs({ context, states, polling, begin: () => {} });
  for (const group of ['idle', 'busy', 'out']) {
    pairs.of('T', group);
    for (const topic of ['T', `%RETRY%${group}_T`]) states.told(topic, group, [[0, 5]]);
  }
  offsetsOf(states, 'T', 'out').queue(0).live.set(0, []);
  for (let i = 0; i < 10; i++) {
    pairs.of('T', 'busy');
    await time.advance(60_000);
  }
  assert.equal(forgotten.sort(), ['%RETRY%idle_T@idle', '%RETRY%out_T@out', 'T@idle']);
  assert.is(pairs.find('T', 'idle'), undefined);
  assert.ok(pairs.find('T', 'busy'));
  asked.length = 0;
  pairs.of('T', 'out');
  assert.equal(asked, ['%RETRY%out_T@out']);
});

test('pops whose answers find nobody are visible again at once, and that was no try', async () => {
  const time = new FakeTime();
  const { states } = statesOf(time);
  const shown: LiveCheckpoint[] = [];
  const live = new LiveCheckpoints({
    context: { clock: time, timers: time },
    states,
    visible: (each) => shown.push(each),
    ended: () => {},
  });
  const key = { topic: 'T', group: 'G', queueId: 0, startOffset: 3, popTime: time.now() };
  const ck = { ...key, invisibleTime: 60_000, diffs: [0], done: 0, suspend: false, rePuts: 0 };
  live.add(offsetsOf(states, 'T', 'G').queue(0), ck, 0);
  live.giveBack({ ...key, popTime: 1 });
  assert.is(shown.length, 0);
  for (let i = 0; i < 2; i++) live.giveBack(key);
  await time.advance(120_000);
  assert.equal(
    shown.map(({ ck }) => [ck.startOffset, ck.suspend]),
    [[3, true]],
  );
});

test('what an ordered group has out is out for as long as it was to be, however the clock is set', async () => {
  const time = new FakeTime();
  const put = new FakePut();
  const { states } = statesOf(time);
  const queues = new KnownQueues();
  queues.add(ORDER_JOURNAL_TOPIC, 0, 1);
  const place = { reviveTopic: 'R', brokerName: 'b', bornHost: STORE_HOST };
  const context = { acts: false, clock: time, timers: time, put: put.begin, place };
  const freed: number[] = [];
  const ordered = new OrderedPops({
    ...{ context, states, queues, needsTopic: () => {} },
    freed: () => freed.push(time.monotonic()),
  });
  const queue = offsetsOf(states, 'T', 'G').queue(0);
  const question = { invisibleTime: 60_000 } as PopQuestion;
  for (const step of [3_600_000, -7_200_000]) {
    const popTime = time.now();
    ordered.popped(queue, question, popTime, [0], () => {});
    freed.length = 0;
    const before = time.monotonic();
    time.jump(step);
    await time.advance(50_000);
    assert.ok(ordered.isBlocked(queue, undefined, 0));
    assert.not(ordered.isBlocked(queue, undefined, 1), 'nothing waits for what the queue begins behind');
    assert.is(
      ordered.show(queue, 0, popTime, 30_000, () => {}),
      popTime + 80_000,
    );
    await time.advance(29_000);
    assert.ok(ordered.isBlocked(queue, undefined, 0));
    await time.advance(1_001);
    assert.not(ordered.isBlocked(queue, undefined, 0));
    assert.equal(freed, [before + 80_000]);
  }
  const { order } = queue;
  time.jump(-86_400_000);
  ordered.restore(queue, OrderInfo.fromJson(order?.toJson() as RocketJson));
  await time.advance(80_001);
  assert.not(ordered.isBlocked(queue, undefined, 0));
});

test('a message whose time is being changed comes by one checkpoint only', async () => {
  const time = new FakeTime();
  const { states } = statesOf(time);
  const shown: Checkpoint[] = [];
  const live = new LiveCheckpoints({
    context: { clock: time, timers: time },
    states,
    visible: ({ ck }) => shown.push(structuredClone(ck)),
    ended: () => {},
  });
  const queue = offsetsOf(states, 'T', 'G').queue(0);
  const popTime = time.now();
  const key = { topic: 'T', group: 'G', queueId: 0, startOffset: 0, popTime };
  live.add(queue, { ...key, invisibleTime: 1_000, diffs: [0, 1], done: 0, suspend: false, rePuts: 0 }, 0);
  const taken = live.withhold(live.find(key) as LiveCheckpoint, 1);
  await time.advance(1_000);
  assert.equal(
    shown.map(({ done }) => done & 3),
    [2],
  );
  taken.back();
  assert.equal(
    shown.map(({ done }) => done & 3),
    [2, 1],
  );
});

test('a report that was on its way when a topic was deleted says nothing of the next one', () => {
  const setup = setUp();
  const { settings, directory, context } = setup;
  const { offsets, topics, groups } = context;
  const lites = new LiteTopics(topics, ENDLESS);
  const told: PopTold[] = [];
  const orders = new OrderInfos(directory);
  const tables = { settings, offsets, orders, topics, lites, groups };
  const control = new PopControl(tables, (news) => told.push(news));
  topics.createInternal('T', 1);
  groups.findOrCreate('G');
  let { deletions } = control.start;
  const report = (offset: number) =>
    control.note({
      ...{ deletions, offsets: [['T', 'G', 0, offset]], orders: [], scanned: -1, journaled: 0, revive: [] },
    });
  report(10);
  assert.is(offsets.query('G', 'T', 0), 10);
  topics.delete('T');
  offsets.removeTopic('T');
  control.topicDeleted('T');
  topics.createIfAbsent(newTopicConfig('T', 1));
  report(20);
  assert.is(offsets.query('G', 'T', 0), -1);
  assert.equal(told, [{ what: 'topicDeleted', topic: 'T' }]);
  deletions += 1;
  report(1);
  assert.is(offsets.query('G', 'T', 0), 1);
});

test('when the owner of pops has ended, resets wait for the next pull again', () => {
  const { context, settings, directory } = setUp();
  const { offsets, topics, groups } = context;
  const lites = new LiteTopics(topics, ENDLESS);
  const told: PopTold[] = [];
  const tables = { settings, offsets, orders: new OrderInfos(directory), topics, lites, groups };
  const control = new PopControl(tables, (news) => told.push(news));
  control.asked({ what: 'offsets', topic: 'T', group: 'G' });
  offsets.assignReset('G', 'T', 0, 5);
  assert.not(offsets.hasReset('G', 'T', 0), 'no pull will ever hear of it');
  assert.is(told.length, 2);
  control.ownerHasEnded();
  offsets.assignReset('G', 'T', 0, 3);
  assert.ok(offsets.hasReset('G', 'T', 0));
  assert.is(told.length, 2);
});

test('ordered pops are refused where their journal cannot be made', async () => {
  const time = new FakeTime();
  const put = new FakePut();
  const queues = new KnownQueues();
  let asked = 0;
  const place = { reviveTopic: 'R', brokerName: 'b', bornHost: STORE_HOST };
  const context = { acts: false, clock: time, timers: time, put: put.begin, place };
  const journal = new OrderJournal({ context, queues, needsTopic: () => asked++ });
  const written: boolean[] = [];
  const write = () =>
    journal.write(new PopOffsets('T', 'G').queue(0), (isWritten) => written.push(isWritten));
  write();
  for (let i = 0; i < 10 && written.length === 0; i++) {
    journal.put();
    await time.advance(1_000);
  }
  assert.equal(written, [false]);
  assert.ok(asked > 1);
  assert.ok(journal.idle);
  queues.add(ORDER_JOURNAL_TOPIC, 0, 1);
  journal.hasTopic();
  write();
  journal.put();
  assert.equal(written, [false, true]);
  queues.forget(ORDER_JOURNAL_TOPIC);
  write();
  journal.stop();
  assert.equal(written, [false, true, false]);
});

test.run();
