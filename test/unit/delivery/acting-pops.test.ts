/** Pops on a slave that acts for its master: what is invisible stands in memory alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ActingPuts } from '../../../src/delivery/acting/acting-puts.ts';
import { KnownQueues } from '../../../src/delivery/known-queues.ts';
import { checkpointMessage } from '../../../src/delivery/pop/checkpoint.ts';
import type { PopAsk } from '../../../src/delivery/pop/pop-link.ts';
import { MAX_LIVE_CHECKPOINTS } from '../../../src/lib/limits.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { Positions } from '../../../src/ring/positions.ts';
import { POP, POP_CHANGE } from '../../../src/ring/question-records.ts';
import { STORE_HOST } from '../../support/messages.ts';
import { type Asker, type PopAnswer, PopRig } from '../../support/pop-rig.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('pops at a slave that acts for its master');
const [TOPIC, GROUP] = ['T', 'G'];
/** Its queues cannot be read. */
const BAD_TOPIC = 'bad';
const REVIVE = 'rmq_sys_REVIVE_LOG_c';
/** Of the queue of the topic. */
const ENTRIES = 1e9;
const MINUTE_MS = 60_000;

/** A queue that has no end. */
const reads = {
  minOffset: () => 0,
  maxOffset: (topic: string) => (topic === TOPIC ? ENTRIES : 0),
  minPhysicalOffset: 0,
  maxPhysicalOffset: ENTRIES,
  readQueue: (topic: string, _queueId: number, from: number, count: number) => {
    if (topic === BAD_TOPIC) throw new Error('the device does not answer');
    if (topic !== TOPIC) return [];
    return Array.from({ length: count }, (_, i) => ({
      ...{ queueOffset: from + i, physicalOffset: from + i },
      ...{ size: 100, tagsCode: 0n },
    }));
  },
  recordAt: () => new Uint8Array(100),
};

class Rig {
  readonly acting = new ActingPuts({ reviveTopic: REVIVE, escape() {}, revives() {} });
  readonly rig: PopRig;
  /** Control says where a group stands when the test does. */
  answersLate = false;
  #opaque = 0;

  constructor() {
    const queues = new KnownQueues();
    queues.add(TOPIC, 0, 1);
    const { acting } = this;
    const clock = new FakeTime();
    this.rig = new PopRig({
      ...{ clock, timers: { after: () => () => {} }, reads, positions: new Positions() },
      ...{ put: acting.begin, busy: () => acting.full, queues, interest() {}, random: () => 0.5 },
      ask: (ask: PopAsk) => {
        if (ask.what === 'offsets' && !this.answersLate) this.tell(ask.topic);
      },
      timer: { mark: () => ({ time: 0, elapsed: 0, queueEnd: 0 }), hasPassed: () => false },
      start: {
        ...{ reviveTopic: REVIVE, brokerName: 'b', scanned: -1, deletions: 0, journaled: 0 },
        ...{ revive: [-1], reviveQueueNum: 1, orders: [] },
      },
      acts: true,
    });
  }

  tell(topic: string): void {
    this.rig.kind.hear({ what: 'offsets', topic, group: GROUP, offsets: [[0, 0]], goneOn: [] });
  }

  #asker(): Asker {
    this.#opaque += 1;
    return { slot: 1, generation: 1, opaque: this.#opaque };
  }

  turn(): PopAnswer[] {
    this.rig.work();
    this.acting.drain();
    this.rig.work();
    this.acting.drain();
    this.rig.questions.publish();
    return this.rig.answers();
  }

  pop(maxCount: number): PopAnswer | undefined {
    const asks = {
      topic: TOPIC,
      group: GROUP,
      queueId: 0,
      queues: 1,
      order: false,
      pollTime: 0,
      bornTime: 0,
    };
    const rest = { invisibleTime: MINUTE_MS, fromNewest: false, priority: false };
    this.rig.ask(POP, this.#asker(), { ...asks, ...rest, maxCount });
    return this.turn()[0];
  }

  acknowledge({ popped }: PopAnswer, offset: number): PopAnswer | undefined {
    const [part] = popped?.parts ?? [];
    const ack = {
      ...{ offset, startOffset: part?.startOffset ?? -1, popTime: popped?.popTime ?? -1, queueId: 0 },
      ...{ invisibleTime: MINUTE_MS, reviveQueueId: popped?.reviveQid ?? -1 },
    };
    this.rig.acknowledge(this.#asker(), ack, TOPIC, GROUP);
    return this.turn()[0];
  }

  change({ popped }: PopAnswer, offset: number): PopAnswer | undefined {
    const [part] = popped?.parts ?? [];
    const question = {
      ...{ topic: TOPIC, group: GROUP, queueId: 0, offset, startOffset: part?.startOffset },
      ...{ popTime: popped?.popTime, oldInvisibleTime: MINUTE_MS, reviveQueueId: popped?.reviveQid },
      ...{ invisibleTime: MINUTE_MS, suspend: false },
    };
    this.rig.ask(POP_CHANGE, this.#asker(), question);
    return this.turn()[0];
  }
}

test('where memory has no room for more, what is out is acknowledged all the same', () => {
  const rig = new Rig();
  const first = rig.pop(32) as PopAnswer;
  assert.is(first.popped?.parts[0]?.offsets.length, 32);
  for (let i = 1; i < MAX_LIVE_CHECKPOINTS / 2; i++) rig.pop(1);
  assert.is(rig.rig.kind.held.live, MAX_LIVE_CHECKPOINTS / 2);
  assert.is(rig.pop(1)?.code, ResponseCode.POLLING_TIMEOUT, 'nothing is given out');
  assert.is(rig.rig.kind.held.live, MAX_LIVE_CHECKPOINTS / 2);
  assert.is(rig.change(first, 31)?.code, ResponseCode.SUCCESS, 'there is room for other times');
  for (let offset = 0; offset < 31; offset++)
    assert.is(rig.acknowledge(first, offset)?.code, ResponseCode.SUCCESS);
  const changed = MAX_LIVE_CHECKPOINTS / 2;
  assert.is(rig.rig.kind.held.live, changed, 'the one with another time is in its place');
});

test('it does not end before those are answered who wait to hear where a group stands', () => {
  const rig = new Rig();
  rig.answersLate = true;
  const ack = { offset: 1, startOffset: 1, popTime: 1, queueId: 0, invisibleTime: 1, reviveQueueId: 999 };
  rig.rig.acknowledge({ slot: 1, generation: 1, opaque: 1 }, ack, TOPIC, GROUP);
  assert.equal(rig.turn(), []);
  rig.rig.kind.stop();
  assert.not(rig.rig.kind.idle);
  rig.tell(TOPIC);
  assert.equal(
    rig.turn().map(({ code }) => code),
    [ResponseCode.SUCCESS],
  );
  assert.ok(rig.rig.kind.idle);
});

test("a master's checkpoint of a queue that cannot be read is left to the master", () => {
  const { rig } = new Rig();
  const place = { reviveTopic: REVIVE, brokerName: 'b', bornHost: STORE_HOST };
  const due = (topic: string) => {
    const key = { topic, group: GROUP, queueId: 0, startOffset: 4, popTime: 1 };
    const ck = { ...key, invisibleTime: 1, diffs: [0], done: 0, suspend: false, rePuts: 0 };
    rig.kind.hasBecomeDue(checkpointMessage(ck, 0, place, 1));
  };
  due(BAD_TOPIC);
  assert.is(rig.kind.held.foreign, 0);
  due('gone');
  assert.is(rig.kind.held.foreign, 1);
});

test('what was asked and is not taken any more is refused, and all of that is told', () => {
  const { rig } = new Rig();
  const asker = (opaque: number): Asker => ({ slot: 1, generation: 1, opaque });
  const question = { topic: TOPIC, group: GROUP, offset: 1, startOffset: 1, x: 'x'.repeat(1_000) };
  for (let i = 0; i < 20; i++) assert.ok(rig.ask(POP_CHANGE, asker(i), question));
  const remark = 'r'.repeat(50_000);
  rig.questions.refuse(ResponseCode.SERVICE_NOT_AVAILABLE, remark);
  assert.not(rig.questions.waiting);
  const answers: PopAnswer[] = [];
  let turns = 0;
  for (; !rig.questions.isTold || turns === 0; turns++) {
    rig.questions.publish();
    answers.push(...rig.answers());
  }
  assert.ok(turns > 1, 'there was not room for all at once');
  answers.push(...rig.answers());
  assert.equal(
    answers.map((answer) => [answer.opaque, answer.code, answer.remark.length]),
    Array.from({ length: 20 }, (_, i) => [i, ResponseCode.SERVICE_NOT_AVAILABLE, remark.length]),
  );
});

test.run();
