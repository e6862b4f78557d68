import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatAddress, isAddress, parseAddress } from '../../../src/remoting/address.ts';

test('mapped IPv4 is shortened, IPv6 gets brackets', () => {
  assert.is(formatAddress('::ffff:10.0.0.1', 10911), '10.0.0.1:10911');
  assert.is(formatAddress('10.0.0.1', 10911), '10.0.0.1:10911');
  assert.is(formatAddress('2001:db8::1', 10911), '[2001:db8::1]:10911');
});

test('host and port are told apart by the last colon', () => {
  assert.equal(parseAddress('broker.example:9876'), { host: 'broker.example', port: 9876 });
  assert.equal(parseAddress('[2001:db8::1]:1'), { host: '2001:db8::1', port: 1 });
  assert.equal(parseAddress('2001:db8::1:1'), { host: '2001:db8::1', port: 1 });
});

test('what is no address', () => {
  for (const text of ['', 'host', 'host:', ':1', 'host:x', 'host:65536', 'host:-1', '[]:1']) {
    assert.throws(() => parseAddress(text), /not an address/, text);
    assert.not(isAddress(text), text);
  }
});

test('nobody can connect to port 0', () => {
  assert.equal([isAddress('broker.example:1'), isAddress('broker.example:0')], [true, false]);
});

test.run();
