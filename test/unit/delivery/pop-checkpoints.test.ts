// What is written down of pops, letter by letter as RocketMQ 5.5.0 writes and reads it.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Ack,
  ackMessage,
  type Checkpoint,
  checkpointMessage,
  parseAck,
  parseCheckpoint,
} from '../../../src/delivery/pop/checkpoint.ts';
import { OrderInfo } from '../../../src/delivery/pop/order-info.ts';
import type { RocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { BORN_HOST } from '../../support/messages.ts';

const test = suite('what is written of pops');
const PLACE = { reviveTopic: 'rmq_sys_REVIVE_LOG_c', brokerName: 'b', bornHost: BORN_HOST };
const NOW = 1_700_000_000_000;

const CHECKPOINT: Checkpoint = {
  ...{ topic: 't', group: 'g', queueId: 3, startOffset: 40, popTime: NOW, invisibleTime: 60_000 },
  ...{ diffs: [0, 2, 5], done: 0, suspend: false, rePuts: 0, logEnd: undefined },
};
const ACK: Ack = { topic: 't', group: 'g', queueId: 3, startOffset: 40, popTime: NOW, offsets: [42] };

function jsonOf({ body }: { body: Uint8Array }): Record<string, unknown> {
  return JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
}

test('a checkpoint has the fields of PopCheckPoint, and waits until a second before its messages are visible', () => {
  const message = checkpointMessage(CHECKPOINT, 5, PLACE, NOW);
  const expected = {
    ...{ bm: 0, bn: 'b', c: 'g', d: [0, 2, 5], it: 60_000, n: 3, pt: NOW, q: 3 },
    ...{ reviveTime: NOW + 60_000, ro: 0, so: 40, sp: false, t: 't' },
  };
  const json = jsonOf(message);
  for (const [name, value] of Object.entries(expected)) assert.equal(json[name], value, name);
  assert.equal([message.topic, message.queueId], [PLACE.reviveTopic, 5]);
  assert.equal(Object.fromEntries(message.properties), {
    TAGS: 'ck',
    UNIQ_KEY: `t@3@40@g@${NOW}@b@ck`,
    TIMER_DELIVER_MS: String(NOW + 59_000),
    TIMER_DELAY_MS: '59000',
  });
});

test('how often it was put again is a text, and only where it was', () => {
  assert.not.ok('rp' in jsonOf(checkpointMessage(CHECKPOINT, 0, PLACE, NOW)));
  assert.is(jsonOf(checkpointMessage({ ...CHECKPOINT, rePuts: 2 }, 0, PLACE, NOW))['rp'], '2');
});

test('the ack of one message names it, that of several lists them', () => {
  const one = ackMessage(ACK, 5, PLACE, NOW + 60_000, NOW);
  assert.equal(jsonOf(one), { ao: 42, bn: 'b', c: 'g', pt: NOW, q: 3, so: 40, t: 't' });
  assert.is(one.properties.get('TAGS'), 'ack');
  assert.is(one.properties.get('UNIQ_KEY'), `t@3@42@g@${NOW}@b@ack`);
  const several = ackMessage({ ...ACK, offsets: [40, 45] }, 5, PLACE, NOW + 60_000, NOW);
  assert.equal(jsonOf(several), { ao: -1, aol: [40, 45], bn: 'b', c: 'g', pt: NOW, q: 3, so: 40, t: 't' });
  assert.is(several.properties.get('TAGS'), 'bAck');
});

test('what is written is read as it was', () => {
  for (const ck of [CHECKPOINT, { ...CHECKPOINT, suspend: true, done: 5, rePuts: 3 }])
    assert.equal(parseCheckpoint(checkpointMessage(ck, 0, PLACE, NOW).body), ck);
  for (const ack of [ACK, { ...ACK, offsets: [40, 42, 45] }])
    assert.equal(parseAck(ackMessage(ack, 0, PLACE, NOW, NOW).body), ack);
});

test('checkpoints of old brokers list no messages: they count on from the first', () => {
  const old = { bm: 2, c: 'g', it: 10, n: 3, pt: 7, q: 0, so: 4, t: 't' };
  const ck = parseCheckpoint(Buffer.from(JSON.stringify(old)));
  assert.equal([ck?.diffs, ck?.done], [[0, 1, 2], 2]);
});

test('no checkpoint and no ack: what lacks its names, has more messages than bits, or is no JSON', () => {
  const good = { c: 'g', d: [0], it: 10, n: 1, pt: 7, q: 0, so: 4, t: 't' };
  const bad = [
    { ...good, t: 1 },
    { ...good, so: -1 },
    { ...good, d: Array(33).fill(0) },
    { ...good, it: 'x' },
  ];
  for (const json of bad) assert.is(parseCheckpoint(Buffer.from(JSON.stringify(json))), undefined);
  for (const text of ['', '[]', '{', '{"t":"t"}']) {
    assert.is(parseCheckpoint(Buffer.from(text)), undefined, text);
    assert.is(parseAck(Buffer.from(text)), undefined, text);
  }
});

test('an entry of consumerOrderInfo.json is written as it was read', () => {
  const entry = {
    ...{ a: 'attempt', cm: 2, i: 30_000, l: NOW + 5, o: [7, 1, 2] },
    ...{ oc: { 7: 1 }, ot: { 9: NOW + 90 }, popTime: NOW },
  };
  const order = OrderInfo.fromJson(entry as RocketJson);
  assert.equal(order?.offsets, [7, 8, 9]);
  assert.equal(order?.toJson(), entry);
  // 8 is done, 7 is out for its time, and 9 is visible soon.
  assert.is(order?.blockedUntil, NOW + 30_000);
  assert.is(order?.acknowledge(7), 9);
  assert.is(order?.blockedUntil, NOW + 90);
});

test('an entry that is none is left out', () => {
  for (const entry of [null, {}, { o: [] }, { o: ['x'] }, { o: [-4] }])
    assert.is(OrderInfo.fromJson(entry as RocketJson), undefined);
});

test.run();
