// Ordered pops frame by frame: a queue waits for what was popped of it, attempts, counts, what comes again and where.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { bodies, committed, makeGroup, makeTopic, numbered, put } from './scenarios/popping.ts';
import { type Fields, ORDERED, type PopAnswer, type PoppedMessage, Popper } from './support/pops.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('ordered pop frames', { networkThreads: 2 });

const SUCCESS = 0;
const MESSAGE_ILLEGAL = 13;
const POLLING_TIMEOUT = 210;

let serial = 0;

class Orderly {
  readonly popper: Popper;
  readonly topic: string;

  constructor(popper: Popper, topic: string) {
    this.popper = popper;
    this.topic = topic;
  }

  pop(fields: Fields = {}): Promise<PopAnswer> {
    return this.popper.pop(this.topic, { order: 'true', ...fields });
  }

  begin(fields: Fields = {}): number {
    return this.popper.begin(this.topic, { order: 'true', ...fields });
  }

  async isBlocked(fields: Fields = {}): Promise<void> {
    const { code, messages } = await this.pop(fields);
    assert.equal([code, bodies(messages)], [POLLING_TIMEOUT, []]);
  }

  async ack(message: PoppedMessage): Promise<void> {
    const { code, remark } = await this.popper.ack(message);
    assert.is(code, SUCCESS, remark);
  }

  /** The group's offset is this one. Ours is told with the next report of its owner. */
  async stands(offset: number): Promise<void> {
    let found = await committed(this.popper, this.topic);
    for (const until = Date.now() + 15_000; found !== offset && Date.now() < until; await sleep(50))
      found = await committed(this.popper, this.topic);
    assert.is(found, offset, 'the committed offset');
  }
}

/** A topic with messages in each of its queues, and a group of its own. */
async function fresh(messages: number, queues = 1): Promise<Orderly> {
  serial += 1;
  const topic = `in-order-${serial}`;
  const popper = await Popper.open(cluster().broker, `orderly-${serial}`);
  await makeTopic(popper.connection, topic, queues);
  await makeGroup(popper.connection, popper.group, { consumeMessageOrderly: true });
  for (let queue = 0; queue < queues; queue++) {
    const names = queues === 1 ? numbered('m', messages) : numbered(`q${queue}`, messages);
    await put(popper.connection, topic, names, queue);
  }
  return new Orderly(popper, topic);
}

test('a queue waits until all that was popped of it is acknowledged', async () => {
  const orderly = await fresh(4);
  const { code, fields, messages } = await orderly.pop({ maxMsgNums: 2 });
  assert.equal([code, bodies(messages)], [SUCCESS, numbered('m', 2)]);
  const { popTime, ...rest } = fields;
  assert.ok(Number(popTime) > 0);
  assert.equal(rest, {
    invisibleTime: '60000',
    reviveQid: String(ORDERED),
    restNum: '2',
    startOffsetInfo: '0 0 0',
    msgOffsetInfo: '0 0 0,1',
    orderCountInfo: '0 0 0',
  });
  await orderly.isBlocked();
  const [m0, m1] = messages as [PoppedMessage, PoppedMessage];
  await orderly.ack(m1);
  await orderly.isBlocked();
  await orderly.stands(0);
  await orderly.ack(m0);
  await orderly.stands(2);
  assert.equal(bodies((await orderly.pop()).messages), ['m-2', 'm-3']);
  await orderly.ack(m0); // has been settled before: no harm
  await orderly.stands(2);
  orderly.popper.close();
});

test('queues wait for themselves alone', async () => {
  const orderly = await fresh(2, 3);
  const first = await orderly.pop({ maxMsgNums: 1 });
  const blocked = (first.messages[0] as PoppedMessage).queueId;
  const second = await orderly.pop({ maxMsgNums: 32 });
  assert.equal(bodies(second.messages).length, 4);
  assert.not.ok(second.messages.some(({ queueId }) => queueId === blocked));
  assert.is((second.fields['orderCountInfo'] ?? '').split(';').length, 2);
  await orderly.isBlocked();
  await orderly.ack(first.messages[0] as PoppedMessage);
  const third = await orderly.pop();
  assert.equal([bodies(third.messages), third.messages[0]?.queueId], [[`q${blocked}-1`], blocked]);
  orderly.popper.close();
});

test('what is not acknowledged comes again from its queue, in order, with a count', async () => {
  const orderly = await fresh(4);
  const { messages } = await orderly.pop({ maxMsgNums: 3, invisibleTime: 1_500 });
  await orderly.ack(messages[0] as PoppedMessage);
  const again = await orderly.pop({ maxMsgNums: 3, pollTime: 10_000, invisibleTime: 1_500 });
  assert.equal(bodies(again.messages), ['m-1', 'm-2', 'm-3']);
  assert.equal(
    again.messages.map(({ source, reconsumeTimes }) => [source, reconsumeTimes]),
    [0, 1, 2].map(() => [orderly.topic, 0]),
  );
  const counts = (answer: PopAnswer) => (answer.fields['orderCountInfo'] ?? '').split(';').sort();
  assert.equal(counts(again), ['0 0 0', '0 qo0%1 1', '0 qo0%2 1']);
  assert.is(again.fields['startOffsetInfo'], '0 0 1');
  const third = await orderly.pop({ maxMsgNums: 2, pollTime: 10_000 });
  assert.equal(bodies(third.messages), ['m-1', 'm-2']);
  assert.equal(counts(third), ['0 0 2', '0 qo0%1 2', '0 qo0%2 2']);
  orderly.popper.close();
});

test('an open one in the middle: what follows it comes again too', async () => {
  const orderly = await fresh(3);
  const { messages } = await orderly.pop({ invisibleTime: 1_500 });
  const [m0, , m2] = messages as [PoppedMessage, PoppedMessage, PoppedMessage];
  await orderly.ack(m0);
  await orderly.ack(m2);
  await orderly.stands(1);
  const again = await orderly.pop({ pollTime: 10_000 });
  assert.is(bodies(again.messages)[0], 'm-1');
  orderly.popper.close();
});

test('an attempt that is made again gets the same messages', async () => {
  const orderly = await fresh(3);
  const first = await orderly.pop({ maxMsgNums: 2, attemptId: 'one' });
  assert.equal(bodies(first.messages), numbered('m', 2));
  const repeated = await orderly.pop({ maxMsgNums: 2, attemptId: 'one' });
  assert.equal(bodies(repeated.messages), numbered('m', 2));
  await orderly.isBlocked({ attemptId: 'two' });
  await orderly.isBlocked();
  assert.equal(repeated.fields['orderCountInfo']?.split(';').at(-1), '0 0 0', 'it was not consumed before');
  for (const message of repeated.messages) await orderly.ack(message);
  await orderly.stands(2);
  assert.equal(bodies((await orderly.pop({ attemptId: 'two' })).messages), ['m-2']);
  orderly.popper.close();
});

test('a pop that waits is woken by the last acknowledgement', async () => {
  const orderly = await fresh(2);
  const { messages } = await orderly.pop({ maxMsgNums: 1 });
  const waiting = orderly.begin({ pollTime: 12_000 });
  assert.is((await orderly.popper.pollingInfo(orderly.topic)).extFields?.['pollingNum'], '1');
  await orderly.ack(messages[0] as PoppedMessage);
  const { code, messages: next } = await orderly.popper.answered(orderly.topic, waiting);
  assert.equal([code, bodies(next)], [SUCCESS, ['m-1']]);
  orderly.popper.close();
});

test('a pop that waits is woken when the invisible time is over', async () => {
  const orderly = await fresh(1);
  await orderly.pop({ invisibleTime: 2_000 });
  const { code, messages } = await orderly.pop({ pollTime: 12_000 });
  assert.equal([code, bodies(messages)], [SUCCESS, ['m-0']]);
  orderly.popper.close();
});

test('the invisible time is changed: the queue waits as long, the handle keeps its pop time', async () => {
  const orderly = await fresh(2);
  const { messages, fields } = await orderly.pop({ maxMsgNums: 1 });
  const message = messages[0] as PoppedMessage;
  const began = Date.now();
  const { code, fields: changed, handle } = await orderly.popper.change(message, 2_000);
  assert.is(code, SUCCESS);
  assert.equal([changed['popTime'], changed['reviveQid']], [fields['popTime'], String(ORDERED)]);
  const until = Number(changed['popTime']) + Number(changed['invisibleTime']);
  assert.ok(until >= began + 2_000 && until <= Date.now() + 2_000);
  await orderly.isBlocked();
  const again = await orderly.pop({ maxMsgNums: 1, pollTime: 12_000 });
  assert.equal(bodies(again.messages), ['m-0']);
  assert.ok(Date.now() >= until);
  await orderly.ack({ ...message, handle }); // of the attempt before: settles nothing
  await orderly.stands(0);
  await orderly.ack(again.messages[0] as PoppedMessage);
  await orderly.stands(1);
  orderly.popper.close();
});

test('a later time for one that is open', async () => {
  const orderly = await fresh(2);
  const { messages } = await orderly.pop({ maxMsgNums: 1, invisibleTime: 1_000 });
  const longer = await orderly.popper.change(messages[0] as PoppedMessage, 60_000);
  assert.is(longer.code, SUCCESS);
  await sleep(2_000);
  await orderly.isBlocked();
  await orderly.ack({ ...(messages[0] as PoppedMessage), handle: longer.handle });
  assert.equal(bodies((await orderly.pop()).messages), ['m-1']);
  orderly.popper.close();
});

test('batches of handles that are in order', async () => {
  const orderly = await fresh(4);
  const { messages } = await orderly.pop({ maxMsgNums: 3 });
  assert.is((await orderly.popper.batchAck({ messages })).code, SUCCESS);
  await orderly.stands(3);
  assert.equal(bodies((await orderly.pop()).messages), ['m-3']);
  orderly.popper.close();
});

test('an offset that was not popped is illegal', async () => {
  const orderly = await fresh(4);
  const { messages } = await orderly.pop({ maxMsgNums: 2 });
  const other = { ...(messages[0] as PoppedMessage), queueOffset: 3 };
  const { code, remark } = await orderly.popper.ack(other);
  assert.equal([code, /offset/.test(remark ?? '')], [MESSAGE_ILLEGAL, true]);
  await orderly.isBlocked();
  orderly.popper.close();
});

test('the handle of an earlier pop settles nothing', async () => {
  const orderly = await fresh(2);
  const first = await orderly.pop({ maxMsgNums: 1, invisibleTime: 1_000 });
  const second = await orderly.pop({ maxMsgNums: 1, pollTime: 10_000 });
  assert.equal(bodies(second.messages), ['m-0']);
  await orderly.ack(first.messages[0] as PoppedMessage);
  await orderly.stands(0);
  await orderly.isBlocked();
  await orderly.ack(second.messages[0] as PoppedMessage);
  await orderly.stands(1);
  orderly.popper.close();
});

test('other groups do not wait', async () => {
  const orderly = await fresh(1);
  await orderly.pop();
  const other = await Popper.open(cluster().broker, 'other-orderly');
  assert.equal(bodies((await other.pop(orderly.topic, { order: 'true' })).messages), ['m-0']);
  other.close();
  orderly.popper.close();
});

test.run();
