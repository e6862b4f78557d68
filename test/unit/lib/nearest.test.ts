import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nameByPrefix, nearestName } from '../../../src/lib/nearest.ts';

const test = suite('nearest name');

const NAMES = ['autoCreateTopicEnable', 'autoCreateSubscriptionGroup', 'listenPort', 'store'];

test('a name without its end, or with more than its end, leads to the first that fits', () => {
  const names = ['brokerIP1', 'storePathRootDir', 'storePathCommitLog', 'id'];
  assert.is(nameByPrefix('brokerIP', names), 'brokerIP1');
  assert.is(nameByPrefix('BROKERip12', names), 'brokerIP1');
  assert.is(nameByPrefix('storePath', names), 'storePathRootDir');
  assert.is(nameByPrefix('sto', names), undefined, 'too short');
  assert.is(nameByPrefix('idle', names), undefined, 'a known name that is too short');
  assert.is(nameByPrefix('pathRootDir', names), undefined, 'the end only');
});

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
