import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHeartbeat } from '../../../src/clients/heartbeat.ts';
import { acceptsTagCode } from '../../../src/clients/subscription.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';

const test = suite('heartbeat');

const parse = (value: unknown) =>
  parseHeartbeat(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 5);

test('reads what Java sends', () => {
  const heartbeat = parse({
    clientID: 'ip@1',
    consumerDataSet: [
      {
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
        consumeType: 'CONSUME_PASSIVELY',
        groupName: 'g',
        messageModel: 'CLUSTERING',
        subscriptionDataSet: [
          {
            topic: 't',
            subString: 'a || b',
            subVersion: 3,
            expressionType: 'TAG',
            codeSet: [1],
            tagsSet: ['a'],
          },
        ],
        unitMode: true,
      },
    ],
    heartbeatFingerprint: 9,
    producerDataSet: [{ groupName: 'p' }],
    withoutSub: true,
  });
  assert.equal(
    [heartbeat.clientId, heartbeat.producerGroups, heartbeat.fingerprint, heartbeat.withoutSubscriptions],
    ['ip@1', ['p'], 9, true],
  );
  const [consumer] = heartbeat.consumers;
  assert.is(consumer?.consumeFromWhere, 'CONSUME_FROM_FIRST_OFFSET');
  assert.ok(consumer?.unitMode);
  const subscription = consumer?.subscriptions[0];
  assert.equal(subscription?.tagsSet, ['a', 'b']);
  assert.equal(subscription?.codeSet, [97, 98]);
  assert.ok(subscription !== undefined && acceptsTagCode(subscription, javaHashCode('b')));
  assert.not.ok(subscription !== undefined && acceptsTagCode(subscription, 1));
});

test('reads the ordinals, texts and gaps of C++ and the versions of Go', () => {
  const heartbeat = parse(
    '{"clientID":"c","consumerDataSet":[{"consumeFromWhere":0,"consumeType":1,"groupName":"g","messageModel":1,' +
      '"subscriptionDataSet":[{"codeSet":["42"],"subString":"*","subVersion":"1700000000000000000","topic":"t"},' +
      '{"subVersion":1700000000000000001,"tagsSet":["x"],"topic":"u"}]}]}',
  );
  const [consumer] = heartbeat.consumers;
  assert.equal(heartbeat.producerGroups, []);
  assert.is(consumer?.consumeType, 'CONSUME_PASSIVELY');
  assert.is(consumer?.messageModel, 'CLUSTERING');
  assert.equal(
    consumer?.subscriptions.map((each) => [each.subVersion, each.tagsSet, each.expressionType]),
    [
      [1700000000000000000n, [], 'TAG'],
      [1700000000000000001n, ['x'], 'TAG'],
    ],
  );
});

test('refuses what is no heartbeat', () => {
  assert.throws(() => parse('[]'), /clientID/);
  assert.throws(() => parse('{'));
  assert.throws(() => parseHeartbeat(undefined, 0), /clientID/);
});

test('Java hash codes', () => {
  assert.is(javaHashCode('TagA'), 2598919);
  assert.is(javaHashCode('polygenelubricants'), -2147483648);
});

test.run();
