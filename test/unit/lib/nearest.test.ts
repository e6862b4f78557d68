import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nearestName } from '../../../src/lib/nearest.ts';

const test = suite('nearest name');

const NAMES = ['autoCreateTopicEnable', 'autoCreateSubscriptionGroup', 'listenPort', 'store'];

test('a misspelt name leads to the one that was meant', () => {
  assert.is(nearestName('autoCreateTopicEnabled', NAMES), 'autoCreateTopicEnable');
  assert.is(nearestName('AUTOCREATETOPICENABLE', NAMES), 'autoCreateTopicEnable');
  assert.is(nearestName('listenport', NAMES), 'listenPort');
  assert.is(nearestName('stroe', ['store', 'stripe']), 'store');
  assert.is(nearestName('prot', ['host', 'port']), 'port');
  assert.is(nearestName('sore', NAMES), 'store');
});

test('what resembles nothing leads nowhere', () => {
  for (const given of ['', 'x', 'port', 'brokerName', 'autoCreateTopicEnable'.repeat(5)])
    assert.is(nearestName(given, NAMES), undefined, given);
});

test.run();
