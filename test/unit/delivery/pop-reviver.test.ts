// Popped messages whose time is over come again, whatever the disk says meanwhile.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DeliveryFigures } from '../../../src/delivery/figures.ts';
import { KnownQueues } from '../../../src/delivery/known-queues.ts';
import type { PopContext } from '../../../src/delivery/pop/pop-context.ts';
import { Reviver } from '../../../src/delivery/pop/reviver.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { MAX_PROPERTIES } from '../../../src/record/layout.ts';
import { encodeProperties } from '../../../src/record/properties.ts';
import { FakePut, FakeStore, message, STORE_HOST } from '../broker/support.ts';
import { FakeTime, silentLog } from '../metadata/support.ts';

const test = suite('popped messages come again');
const RETRY = '%RETRY%G_T';

class Rig {
  readonly time = new FakeTime();
  readonly store = new FakeStore();
  readonly put = new FakePut();
  readonly ended: number[] = [];
  readonly reviver: Reviver;
  /** What reading queues and records throws, while it is set. */
  queueFails = false;
  recordFails = false;
  reads = 0;

  constructor(acts = false) {
    const { time, store, put } = this;
    const queues = new KnownQueues();
    queues.add('T', 0, 1);
    queues.add(RETRY, 0, 2);
    const fail = () => {
      this.reads += 1;
      throw new Error('the device does not answer');
    };
    const context = {
      figures: new DeliveryFigures(),
      ...{ acts, clock: time, timers: time, log: silentLog, put: put.begin, busy: () => false },
      store: {
        readQueue: (...args: Parameters<FakeStore['readQueue']>) =>
          this.queueFails ? fail() : store.readQueue(...args),
        recordAt: (position: number) => (this.recordFails ? fail() : store.recordAt(position)),
      },
      place: { reviveTopic: 'rmq_sys_REVIVE_LOG_C', brokerName: 'b', bornHost: STORE_HOST },
    } as unknown as PopContext;
    this.reviver = new Reviver({ context, queues, needsTopic: () => {} });
  }

  append(properties: [string, string][] = []): void {
    this.store.append(message({ topic: 'T', queueId: 0, properties: new Map(properties) }), 1);
  }

  revive(startOffset: number): void {
    const key = { topic: 'T', group: 'G', queueId: 0, startOffset, popTime: this.time.now() };
    const ck = { ...key, invisibleTime: 1_000, diffs: [0], done: 0, suspend: false, rePuts: 0 };
    this.reviver.revive(ck, 0, () => this.ended.push(startOffset));
  }

  get revived() {
    return this.put.messages.filter(({ topic }) => topic === RETRY);
  }
}

test('a queue that cannot be read for a while', async () => {
  const rig = new Rig();
  rig.append();
  rig.queueFails = true;
  rig.revive(0);
  await rig.time.advance(5_000);
  assert.equal(rig.ended, []);
  assert.ok(rig.reads < 10, `${rig.reads} tries in five seconds`);
  rig.queueFails = false;
  await rig.time.advance(2_000);
  assert.is(rig.revived.length, 1);
  assert.equal(rig.ended, [0]);
});

test('a record that cannot be read for a while, as others come due all the time', async () => {
  const rig = new Rig();
  for (let i = 0; i < 200; i++) rig.append();
  rig.recordFails = true;
  for (let i = 0; i < 200; i++) {
    rig.revive(i);
    await rig.time.advance(5);
  }
  assert.equal(rig.ended, []);
  rig.recordFails = false;
  await rig.time.advance(10_000);
  assert.is(rig.revived.length, 200);
  assert.is(rig.ended.length, 200);
});

test('what cannot be read for long is dropped, but by a slave that acts: its master may read it', async () => {
  for (const acts of [false, true])
    for (const fails of ['queueFails', 'recordFails'] as const) {
      const rig = new Rig(acts);
      rig.append();
      rig[fails] = true;
      rig.revive(0);
      await rig.time.advance(600_000);
      assert.equal(rig.ended, acts ? [] : [0], `${fails}, ${acts}`);
    }
});

test('a message whose properties leave no room for more', async () => {
  const rig = new Rig();
  const longest = MAX_PROPERTIES - encodeProperties(new Map([['a', '']])).length;
  rig.append([['a', 'x'.repeat(longest)]]);
  rig.append([['a', 'x']]);
  rig.revive(0);
  rig.revive(1);
  await rig.time.advance(100);
  assert.equal(
    rig.revived.map(({ properties, reconsumeTimes }) => [[...properties.keys()], reconsumeTimes]),
    [
      [['a'], 1],
      [['a', '1ST_POP_TIME', 'ORIGIN_GROUP'], 1],
    ],
  );
});

test('what says that it was revived is said until it stands in the log', async () => {
  const rig = new Rig();
  rig.append();
  rig.put.holds = true;
  rig.revive(0);
  await rig.time.advance(100);
  rig.put.end(0);
  const notes = () => rig.put.messages.filter(({ topic }) => topic !== RETRY).length;
  assert.equal([notes(), rig.ended], [1, [0]], 'nobody waits for it');
  rig.put.end(1, ResponseCode.SERVICE_NOT_AVAILABLE);
  await rig.time.advance(2_000);
  assert.is(notes(), 2);
  rig.put.end(2, ResponseCode.SERVICE_NOT_AVAILABLE);
  rig.reviver.stop();
  assert.is(notes(), 3, 'once more before the end');
  rig.put.end(3, ResponseCode.SERVICE_NOT_AVAILABLE);
  await rig.time.advance(5_000);
  assert.equal([notes(), rig.revived.length, rig.reviver.underWay], [3, 1, 0]);
});

test('what could not be put before the end is not over: whoever follows goes on with it', async () => {
  const rig = new Rig();
  rig.append();
  rig.append();
  rig.put.holds = true;
  rig.revive(0);
  rig.revive(1);
  await rig.time.advance(100);
  rig.reviver.stop();
  rig.put.end(0, ResponseCode.SERVICE_NOT_AVAILABLE);
  rig.put.end(1);
  assert.equal([rig.ended, rig.reviver.underWay], [[1], 1], 'the note of the second');
  rig.put.end(2);
  assert.is(rig.reviver.underWay, 0);
});

test.run();
