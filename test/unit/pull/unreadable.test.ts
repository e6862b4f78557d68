/** Messages that cannot be read: what is healthy is delivered, what is not is named, and no consumer stays stuck. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UnreadableOffsets } from '../../../src/broker/pull/unreadable.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { FailingDisk } from '../../support/failing-disk.ts';
import { headFor } from '../../support/messages.ts';
import { bodiesOf, PullRig, pullFields } from '../../support/pull-rig.ts';

const test = suite('unreadable messages');
const { SUCCESS, SYSTEM_ERROR, PULL_RETRY_IMMEDIATELY } = ResponseCode;
const EMFILE = 24;
/** Longer than any patience. */
const LONG_MS = 3_600_000;
/** A client that got an error pulls again after this. */
const RETRY_MS = 3_000;

/** Queue 0 of T with the messages 0 ('first'), 1, 2 … `count`; the log positions of all of them. */
function rigWith(count: number) {
  const disk = new FailingDisk();
  const rig = new PullRig({}, disk);
  for (let i = 1; i <= count; i++) rig.put(`body ${i}`, i % 2 === 0 ? 'even' : 'odd');
  rig.dispatch();
  const { store } = rig.opened;
  const queue = store.queue('T', 0);
  assert.ok(queue !== undefined);
  const entries = store.reader.readQueue(queue, 0, count + 1);
  const spoil = (...offsets: number[]) => {
    disk.bad = offsets.map((offset) => {
      const { physicalOffset, size } = entries[offset] as (typeof entries)[0];
      return [physicalOffset + 10, physicalOffset + size - 10];
    });
  };
  const pull = (queueOffset: number, more: Record<string, string> = {}) => {
    rig.pull(pullFields({ queueOffset: String(queueOffset), sysFlag: '4', ...more }));
    const [reply] = rig.client.replies();
    return {
      code: reply?.code,
      next: Number(reply?.fields['nextBeginOffset']),
      remark: reply?.remark ?? '',
      bodies: bodiesOf(reply?.body),
    };
  };
  /** Pulls as a client does until it is not refused any more. */
  const insist = (queueOffset: number, more: Record<string, string> = {}) => {
    for (let i = 0; i < 100; i++) {
      const answer = pull(queueOffset, more);
      if (answer.code !== SYSTEM_ERROR) return answer;
      rig.now += RETRY_MS;
    }
    throw new Error(`refused for ever at ${queueOffset}`);
  };
  return { disk, rig, spoil, pull, insist, entries };
}

test('healthy messages of the same file are delivered, those before a bad one too', () => {
  const { spoil, pull } = rigWith(5);
  spoil(3);
  assert.equal(pull(0).bodies, ['first', 'body 1', 'body 2']);
  assert.is(pull(0).next, 3);
  assert.equal(pull(4), { code: SUCCESS, next: 6, remark: 'FOUND', bodies: ['body 4', 'body 5'] });
});

test('a bad message is named with topic, queue and offset, and the pull refused for a while', () => {
  const { spoil, pull, rig } = rigWith(5);
  spoil(3);
  for (let i = 0; i < 3; i++) {
    const refused = pull(3);
    assert.is(refused.code, SYSTEM_ERROR);
    assert.match(refused.remark, /offset 3 of queue 0 of topic T .*EIO/);
    rig.now += RETRY_MS;
  }
  assert.equal(rig.skipped, []);
});

test('then the consumer is led past all that cannot be read, and the operator hears of it once', () => {
  const { spoil, pull, insist, rig } = rigWith(8);
  spoil(3, 4, 5);
  const start = rig.now;
  const skip = insist(3);
  const patience = rig.now - start;
  assert.ok(patience >= 30_000 && patience <= 30_000 + RETRY_MS, `after ${patience} ms`);
  assert.equal([skip.code, skip.next, skip.bodies], [PULL_RETRY_IMMEDIATELY, 6, []]);
  assert.equal(rig.skipped, [{ topic: 'T', queueId: 0, from: 3, to: 6, group: 'g', errno: 5 }]);
  assert.equal(pull(6).bodies, ['body 6', 'body 7', 'body 8']);
});

test('a long bad stretch is passed without new patience at each step', () => {
  const count = 150;
  const { spoil, pull, insist } = rigWith(count);
  spoil(...Array.from({ length: count - 10 }, (_, i) => i + 5));
  let at = insist(5).next;
  for (let pulls = 0; at < count - 5; pulls++) {
    assert.ok(pulls < 5, `still at ${at}`);
    const answer = pull(at);
    assert.is(answer.code, PULL_RETRY_IMMEDIATELY);
    assert.ok(answer.next > at);
    at = answer.next;
  }
  assert.is(at, count - 5);
  assert.is(pull(at).code, SUCCESS);
});

test('a device that works again is believed without a restart', () => {
  const { disk, spoil, pull, rig } = rigWith(5);
  spoil(0, 1, 2, 3, 4, 5);
  assert.is(pull(2).code, SYSTEM_ERROR);
  disk.bad = [];
  assert.is(pull(0).bodies.length, 6);
  rig.now += LONG_MS;
  spoil(2);
  assert.equal(pull(1).bodies, ['body 1']);
  assert.is(pull(2).code, SYSTEM_ERROR, 'what failed long ago and was well since gets its patience again');
});

test('with a filter the message that matches is the one that counts', () => {
  const { spoil, pull, insist } = rigWith(6);
  spoil(3);
  const even = { subscription: 'even' };
  const odd = { subscription: 'odd' };
  assert.equal(pull(1, even).bodies, ['body 2', 'body 4', 'body 6']);
  assert.equal(pull(1, odd).bodies, ['body 1']);
  assert.match(pull(2, odd).remark, /offset 3 /);
  assert.is(insist(2, odd).next, 4);
  assert.equal(pull(4, odd).bodies, ['body 5']);
});

test('for want of descriptors nothing is ever left out', () => {
  const { disk, spoil, pull, rig } = rigWith(3);
  spoil(1);
  disk.openError = EMFILE;
  disk.failing = 'commitlog';
  for (let i = 0; i < 30; i++) {
    const refused = pull(1);
    assert.is(refused.code, SYSTEM_ERROR);
    assert.match(refused.remark, /EMFILE/);
    rig.now += RETRY_MS;
  }
  disk.openError = 0;
  disk.bad = [];
  assert.is(pull(1).bodies.length, 3);
});

test('entries of a queue that cannot be read are an error, not the end of the queue', () => {
  const { disk, pull, rig } = rigWith(20);
  rig.opened.store.queue('T', 0)?.files.close();
  disk.openError = 5;
  disk.failing = 'consumequeue';
  for (const sysFlag of ['4', '6']) {
    const refused = pull(3, { sysFlag });
    assert.is(refused.code, SYSTEM_ERROR);
    assert.match(refused.remark, /offset 3 of queue 0 of topic T .*EIO in its ConsumeQueue file/);
  }
  disk.openError = 0;
  assert.is(pull(3).code, SUCCESS);
});

test('one message by position, key or time: an error, never "not there"', () => {
  const disk = new FailingDisk();
  const rig = new PullRig({}, disk);
  const { store } = rig.opened;
  const { physicalOffset } = store.append('T', headFor(0), Buffer.from('x'), 'KEYS\x01k\x02');
  rig.dispatch();
  const queue = store.queue('T', 0);
  assert.ok(queue !== undefined);
  assert.is(store.reader.query('T', 'k', 10, 0, 9e15, 'K').records.length, 1);
  disk.bad = [[physicalOffset, physicalOffset + 4096]];
  const named = /position \d+ cannot be read \(EIO\)/;
  assert.throws(() => store.reader.recordAt(physicalOffset), named);
  assert.throws(() => store.reader.query('T', 'k', 10, 0, 9e15, 'K'), named);
  assert.throws(() => store.reader.offsetByTime(queue, 5, 'LOWER'), named);
  assert.is(store.reader.storeTimeAt(queue, 1), -1, 'among many figures it is one that nobody knows');
  assert.ok(store.reader.recordAt(0) !== undefined, 'its neighbours are there');
  disk.bad = [];
  assert.ok(store.reader.recordAt(physicalOffset) !== undefined);
  queue.files.close();
  Object.assign(disk, { failing: 'consumequeue', openError: 5 });
  assert.throws(() => store.reader.offsetByTime(queue, 5, 'LOWER'), /ConsumeQueue at entry \d+ .*EIO/);
});

test('the memory of troubles is bounded, and forgets those noted first', () => {
  let now = 0;
  const offsets = new UnreadableOffsets(() => now);
  for (let queue = 0; queue < 5_000; queue++) offsets.refusedFor(queue, 7);
  now = 20_000;
  const known = offsets.refusedFor(4_999, 7);
  assert.ok(known < offsets.refusedFor(0, 7), 'the latest is remembered, the first one not');
  now = LONG_MS;
  assert.ok(offsets.refusedFor(4_999, 7) > known, 'what failed long ago says nothing');
});

test.run();
