/** What a consumer of the generator sends, read by the broker's code. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { heartbeatBody, subscriptionTo, topicNames } from '../../../bench/load/consumer-calls.ts';
import { PullFrame } from '../../../bench/load/pull-frame.ts';
import { cutIntoRanges } from '../../../bench/load/pull-lane.ts';
import { OPAQUE_BASE } from '../../../bench/load/send-template.ts';
import { parseHeartbeat } from '../../../src/clients/heartbeat.ts';
import { SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { decodeCommand } from '../../../src/protocol/command-codec.ts';

const SQL = subscriptionTo('a > 1');

for (const header of ['json', 'binary'] as const) {
  test(`${header}: pulls are those of a push consumer, whatever was patched before`, () => {
    const frame = new PullFrame({ header, group: 'g', topic: 't', queueId: 3, subVersion: 42 });
    const offsets = [0, 7, 9, 10, 11, 99_999, 100_000, 5, 999_999_999, 1_000_000_000, 20_000_000_000, 3];
    for (const [index, offset] of offsets.entries()) {
      const bytes = frame.fill(OPAQUE_BASE + index, offset, index === 4 ? 1 : 32);
      assert.is(bytes.readInt32BE(0), bytes.length - 4);
      const command = decodeCommand(bytes.subarray(4));
      assert.is(command.serializeType, header === 'json' ? SERIALIZE_JSON : SERIALIZE_BINARY);
      assert.is(command.code, 11);
      assert.is(command.opaque, OPAQUE_BASE + index);
      assert.equal(
        { ...command.fields },
        {
          consumerGroup: 'g',
          topic: 't',
          queueId: '3',
          queueOffset: String(offset),
          maxMsgNums: index === 4 ? '1' : '32',
          sysFlag: '2',
          commitOffset: '0',
          suspendTimeoutMillis: '15000',
          subVersion: '42',
          expressionType: 'TAG',
          maxMsgBytes: '2147483647',
          requestSource: '-1',
        },
      );
    }
  });
}

test('the heartbeat subscribes to every topic and the retry topic', () => {
  const topics = topicNames('orders', 3);
  assert.equal(topics, ['orders_00000', 'orders_00001', 'orders_00002']);
  assert.equal(topicNames('orders', 1), ['orders']);
  const body = heartbeatBody({ clientId: 'c@1', group: 'g', topics, subVersion: 42 });
  const { clientId, consumers, fingerprint } = parseHeartbeat(body, 0);
  assert.is(clientId, 'c@1');
  assert.is(fingerprint, 0);
  assert.is(consumers.length, 1);
  const [consumer] = consumers;
  assert.is(consumer?.groupName, 'g');
  assert.is(consumer?.messageModel, 'CLUSTERING');
  const filtered = heartbeatBody({
    clientId: 'c',
    group: 'g',
    topics: ['t'],
    subVersion: 1,
    subscription: SQL,
  });
  assert.equal(
    parseHeartbeat(filtered, 0).consumers[0]?.subscriptions.map((one) => [
      one.topic,
      one.expressionType,
      one.subString,
    ]),
    [
      ['t', 'SQL92', 'a > 1'],
      ['%RETRY%g', 'TAG', '*'],
    ],
  );
  const subscriptions = consumer?.subscriptions ?? [];
  assert.equal(
    subscriptions.map(({ topic }) => topic),
    [...topics, '%RETRY%g'],
  );
  assert.ok(subscriptions.every(({ subVersion }) => Number(subVersion) === 42));
});

test('a queue is cut without gaps, overlaps and empty parts', () => {
  const span = { topic: 't', topicIndex: 0, queueId: 0, minOffset: 10, maxOffset: 20 };
  assert.equal(cutIntoRanges(span, 1, 0), [{ from: 10, to: 20 }]);
  assert.equal(cutIntoRanges(span, 3, 0), [
    { from: 10, to: 13 },
    { from: 13, to: 16 },
    { from: 16, to: 20 },
  ]);
  assert.equal(cutIntoRanges(span, 1, 0.5), [{ from: 15, to: 20 }]);
  assert.equal(cutIntoRanges(span, 4, 0.8), [
    { from: 18, to: 19 },
    { from: 19, to: 20 },
  ]);
  assert.equal(cutIntoRanges({ ...span, maxOffset: 10 }, 2, 0), []);
});

test.run();
