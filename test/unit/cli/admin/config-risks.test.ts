/** Changes of running brokers that somebody is asked about, and the units of values. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RISKY_KEYS, riskOf, unitOf } from '../../../../src/cli/admin/config-risks.ts';
import { brokerKeys } from '../../../../src/config/broker-keys.ts';
import { unsupportedBrokerKey } from '../../../../src/config/vocabularies.ts';

const test = suite('changes of a configuration');

test('each key is one of RocketMQ', () => {
  const unknown = RISKY_KEYS.filter((key) => !brokerKeys.has(key) && unsupportedBrokerKey(key) === undefined);
  assert.equal(unknown, []);
});

test('what is lowered, raised or switched over is a risk in one direction only', () => {
  assert.match(riskOf('fileReservedTime', '72', '48') ?? '', /^messages older than 48 hours are lost /);
  assert.is(riskOf('fileReservedTime', '48', '72'), undefined);
  assert.is(riskOf('fileReservedTime', '48', '48'), undefined);
  assert.match(riskOf('fileReservedTime', '100', '99') ?? '', /^messages older than 99 hours/, 'as numbers');
  assert.match(riskOf('startAcceptSendRequestTimeStamp', '0', '1') ?? '', /^sends are refused before/);
  assert.is(riskOf('startAcceptSendRequestTimeStamp', '1', '0'), undefined);
  assert.match(riskOf('autoCreateTopicEnable', 'true', 'FALSE') ?? '', /^sends to topics that do not exist/);
  assert.is(riskOf('autoCreateTopicEnable', 'false', 'true'), undefined);
  assert.is(riskOf('flushConsumerOffsetInterval', '5000', '1'), undefined);
  assert.is(riskOf('constructor', '2', '1'), undefined);
});

test('permissions that are taken away', () => {
  assert.match(riskOf('brokerPermission', '6', '4') ?? '', /^sends of all clients are refused/);
  assert.match(riskOf('brokerPermission', '6', '2') ?? '', /^reads of all clients are refused/);
  assert.match(riskOf('brokerPermission', '6', '0') ?? '', /^sends and reads/);
  assert.is(riskOf('brokerPermission', '4', '6'), undefined);
});

test('units', () => {
  assert.equal(
    [
      'fileReservedTime',
      'diskMaxUsedSpaceRatio',
      'flushConsumerOffsetInterval',
      'maxMessageSize',
      'timerMaxDelaySec',
      'waitTimeMillsInSendQueue',
      'deleteWhen',
      'brokerPermission',
      'noSuchKey',
    ].map(unitOf),
    ['hours', '%', 'ms', 'bytes', 's', 'ms', undefined, undefined, undefined],
  );
});

test.run();
