/** Delivery on a slave that acts for its master: where puts go, what is noted for the master, what it makes of that. */
import { crc32 } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ActedBefore,
  ActedNotes,
  type ActedTimer,
  ActedTimers,
  keepActed,
  timersIn,
} from '../../../src/delivery/acting/acted-timers.ts';
import { ActingPopProgress } from '../../../src/delivery/acting/acting-pops.ts';
import { ActingPuts, type EscapeReport, MAX_ESCAPES } from '../../../src/delivery/acting/acting-puts.ts';
import { LiveCheckpoints } from '../../../src/delivery/pop/live-checkpoints.ts';
import { ORDER_JOURNAL_TOPIC } from '../../../src/delivery/pop/order-journal.ts';
import { type PopOffsets, PopStates } from '../../../src/delivery/pop/pop-states.ts';
import { MAX_ACTED_TIMERS, MAX_LIVE_CHECKPOINTS } from '../../../src/lib/limits.ts';
import { TIMER_TOPIC } from '../../../src/lib/names.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import type { InternalMessage, PutResult } from '../../../src/store/put/put-message.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { message } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';
import { TimerRig } from './timer-support.ts';

const test = suite('delivery for a master that is away');
const REVIVE = 'rmq_sys_REVIVE_LOG_c';
const DAY_MS = 86_400_000;

function puts() {
  const escaping: EscapeReport[] = [];
  const revived: InternalMessage[] = [];
  const acting = new ActingPuts({
    reviveTopic: REVIVE,
    escape: (report) => escaping.push(report),
    revives: (one) => revived.push(one),
  });
  const results: PutResult[] = [];
  const done = (result: PutResult) => void results.push(result);
  return { acting, escaping, revived, results, done };
}

/** In the timer topic. */
function parked(topic: string): InternalMessage {
  return message({ topic: TIMER_TOPIC, properties: new Map([['REAL_TOPIC', topic]]) });
}

test('what is for consumers goes to another master, and what pops write down goes nowhere', () => {
  const { acting, escaping, revived, results, done } = puts();
  for (const topic of [REVIVE, ORDER_JOURNAL_TOPIC]) acting.begin(message({ topic }), done);
  acting.begin(parked(REVIVE), done);
  assert.is(results.length, 0, 'who puts hears of it in the next turn');
  assert.is(acting.underWay, 3);
  assert.ok(acting.pending);
  assert.is(acting.drain(), 3);
  assert.equal(
    results.map(({ status }) => status),
    [0, 0, 0],
  );
  assert.equal([escaping.length, revived.length], [0, 0]);
  const sent = message({ topic: 'T' });
  acting.begin(sent, done);
  assert.is(escaping[0]?.message, sent);
  acting.escaped({ id: escaping[0]?.id ?? -1, status: 0, remark: undefined });
  acting.escaped({ id: 99, status: 0, remark: undefined });
  assert.equal([results.length, acting.underWay], [4, 0]);
});

test('what timers bring for the revive topic is heard there', () => {
  const { acting, escaping, revived, done } = puts();
  const ck = message({ topic: REVIVE });
  acting.deliver(ck, done);
  assert.equal([revived.length, escaping.length], [1, 0]);
  assert.is(revived[0], ck);
  acting.deliver(parked('T'), done);
  assert.is(escaping.length, 1, 'a message that waits on');
  acting.deliver(parked(REVIVE), done);
  assert.equal([revived.length, escaping.length], [1, 1], 'a checkpoint that waits on waits at the master');
});

test('what no other master takes: timers leave it to their own, others try again', () => {
  for (const nobody of [ResponseCode.TOPIC_NOT_EXIST, ResponseCode.MESSAGE_ILLEGAL]) {
    const { acting, escaping, results, done } = puts();
    acting.begin(message(), done);
    acting.deliver(message(), done);
    for (const { id } of escaping) acting.escaped({ id, status: nobody, remark: 'nobody takes it' });
    assert.equal(
      results.map(({ status, remark }) => [status, remark]),
      [
        [ResponseCode.SERVICE_NOT_AVAILABLE, 'nobody takes it'],
        [nobody, 'nobody takes it'],
      ],
    );
  }
});

test('what is under way to other masters is bounded', () => {
  const { acting, escaping, done } = puts();
  for (let i = 0; i < MAX_ESCAPES; i++) {
    assert.not(acting.full);
    acting.begin(message(), done);
  }
  assert.ok(acting.full);
  acting.escaped({ id: escaping[0]?.id ?? -1, status: 0, remark: undefined });
  assert.not(acting.full);
});

test('noted is what another master has taken, by position and checksum', () => {
  const { log, lines } = recordingLog();
  const record = Buffer.from('a record');
  const recordAt = (at: number) => {
    if (at === 9) throw new Error('the device does not answer');
    return at === 7 ? record : undefined;
  };
  const notes = new ActedNotes({ recordAt }, REVIVE, log);
  const result = (status: number): PutResult => ({
    status,
    remark: 'r',
    queueOffset: -1,
    physicalOffset: -1,
  });
  const outcome = (topic: string, status: number, at = 7) =>
    notes.outcome(at, message({ topic }), result(status)).status;
  assert.is(outcome('T', ResponseCode.SERVICE_NOT_AVAILABLE), ResponseCode.SERVICE_NOT_AVAILABLE);
  assert.is(outcome(REVIVE, 0), 0);
  notes.outcome(7, parked(REVIVE), result(0));
  assert.is(outcome('T', 0, 8), 0, 'its record is gone');
  assert.is(outcome('T', 0, 9), 0, 'its record cannot be read');
  assert.equal(notes.take(), []);
  assert.is(outcome('T', ResponseCode.FLUSH_DISK_TIMEOUT), ResponseCode.FLUSH_DISK_TIMEOUT);
  assert.equal(notes.take(), [[7, crc32(record)]]);
  assert.equal(notes.take(), []);
  for (const nobody of [ResponseCode.TOPIC_NOT_EXIST, ResponseCode.MESSAGE_ILLEGAL])
    assert.is(outcome('T', nobody), 0, 'left to the master');
  assert.equal(notes.take(), []);
  assert.match(lines.at(-1)?.message ?? '', 'waits until the master is back');
});

test('the newest are remembered, and told in parts', () => {
  const acted = new ActedTimers();
  const many = Array.from({ length: MAX_ACTED_TIMERS }, (_, i): ActedTimer => [i, i]);
  acted.add(many);
  acted.add([[-1, 5]]);
  assert.is(acted.all.length, MAX_ACTED_TIMERS);
  assert.equal(acted.part(0, 2), { timers: many.slice(1, 3), total: MAX_ACTED_TIMERS });
  assert.equal(acted.part(MAX_ACTED_TIMERS - 1, 9).timers, [[-1, 5]]);
  assert.equal(acted.part(MAX_ACTED_TIMERS, 9).timers, []);
  acted.add(many.slice(2));
  acted.add([[-2, 5]]);
  assert.is(acted.all.length, MAX_ACTED_TIMERS);
  assert.equal([acted.all[0], acted.all.at(-2), acted.all.at(-1)], [[-1, 5], many.at(-1), [-2, 5]]);
  assert.equal(acted.part(0, 2), { timers: [[-1, 5], many[2]], total: MAX_ACTED_TIMERS });
});

test('only pairs of whole numbers are such timers', () => {
  const odd = [[1, 2], [1], [1, 2, 3], ['1', 2], [1, 0.5], [-1, 2], [1, -2], 7, null, { 0: 1, 1: 2 }];
  assert.equal(timersIn(odd), [[1, 2]]);
  for (const value of [undefined, null, 'x', { timers: [] }]) assert.equal(timersIn(value), []);
});

test('a master passes by what its slave has delivered, also in another life', async () => {
  const rig = new TimerRig();
  const due = rig.time.now() + 5_000;
  for (const body of ['a', 'b', 'c']) rig.at(body, due);
  await rig.time.advance(10);
  const position = (queueOffset: number) =>
    rig.store.readQueue(TIMER_TOPIC, 0, queueOffset, 1)[0]?.physicalOffset ?? -1;
  const crc = (at: number) => crc32(rig.store.recordAt(at) ?? Buffer.alloc(0));
  const [a, b] = [position(0), position(1)];
  rig.service.stop();
  keepActed(rig.disk, '/store', [[a, crc(a)]], rig.time);
  // Of a log that differs there.
  keepActed(rig.disk, '/store', [[b, crc(b) ^ 1]], rig.time);
  rig.begin();
  await rig.time.advance(6_000);
  assert.equal([...rig.bodies].sort(), ['b', 'c']);
});

test('the file goes when all of its timers have come', () => {
  const rig = new TimerRig();
  const warn = (line: string) => assert.unreachable(line);
  const kept = (readTimeMs: number) => ActedBefore.load(rig.disk, '/store', readTimeMs, warn).size;
  assert.is(kept(0), 0);
  keepActed(rig.disk, '/store', [[1, 2]], rig.time);
  assert.is(kept(rig.time.now() + DAY_MS - 1), 1);
  assert.is(kept(rig.time.now() + DAY_MS), 0);
  assert.is(kept(0), 0, 'it is gone');
});

/** Pops of a group whose queue 0 begins at 10, in memory alone. */
function pops() {
  const time = new FakeTime();
  const states = new PopStates({ ask() {}, forgotten() {}, dropped() {}, now: () => time.monotonic() });
  const live = new LiveCheckpoints({
    context: { clock: time, timers: time },
    states,
    visible() {},
    ended() {},
  });
  const offsets = states.of('T', 'G') as PopOffsets;
  states.told('T', 'G', [[0, 10]]);
  const queue = offsets.queue(0);
  const pop = (startOffset: number, count: number) => {
    const popTime = time.now() + startOffset;
    const diffs = Array.from({ length: count }, (_, i) => i);
    const key = { topic: 'T', group: 'G', queueId: 0, startOffset, popTime };
    const ck = { ...key, invisibleTime: 60_000, diffs, done: 0, suspend: false, rePuts: 0 };
    live.add(queue, ck, 0);
    states.move(queue, Math.max(queue.offset, startOffset + count));
    return (...acked: number[]) => {
      const found = live.find(key);
      if (found !== undefined) live.acknowledge(found, acked);
    };
  };
  const progress = new ActingPopProgress(states, 3);
  const told = () => progress.news()?.offsets.map(([, , , offset]) => offset);
  return { pop, progress, told, queue };
}

test('the offset that is told stays before the first message that is not done', () => {
  const { pop, told, progress } = pops();
  assert.is(told(), undefined, 'control knows where it stands');
  const first = pop(10, 3);
  const second = pop(13, 2);
  assert.equal(told(), [10], 'nothing is done');
  second(13, 14);
  assert.is(told(), undefined);
  first(10);
  assert.equal(told(), [11]);
  first(12);
  assert.is(told(), undefined);
  first(11);
  assert.equal(told(), [15]);
  assert.equal(progress.state(), {
    deletions: 3,
    ...{ offsets: [['T', 'G', 0, 15]], orders: [], scanned: -1, journaled: 0, revive: [] },
  });
});

test('a queue is looked at while something of it is out, or on its way there', () => {
  const { pop, told, queue } = pops();
  const second = pop(13, 1);
  const first = pop(12, 1);
  assert.equal(told(), [12], 'checkpoints need not come in order');
  queue.unwritten = true;
  first(12);
  assert.is(told(), undefined);
  queue.unwritten = false;
  assert.equal(told(), [13]);
  second(13);
  assert.equal(told(), [14]);
  queue.offset = 99;
  assert.is(told(), undefined, 'who moves it says so');
});

test('what stands in memory alone leaves room for what is under way', () => {
  const time = new FakeTime();
  const live = new LiveCheckpoints({
    context: { clock: time, timers: time },
    states: {} as PopStates,
    visible() {},
    ended() {},
  });
  live.size = MAX_LIVE_CHECKPOINTS / 2 - 1;
  assert.ok(live.mayPop(true));
  live.size += 1;
  assert.not(live.mayPop(true));
  assert.ok(live.mayChange(true), 'a message that is out may get another time');
  live.size = MAX_LIVE_CHECKPOINTS * 0.9;
  assert.not(live.mayChange(true));
  for (const may of [live.mayPop(false), live.mayChange(false)])
    assert.ok(may, 'what finds no room stands in the revive topic');
});

test.run();
