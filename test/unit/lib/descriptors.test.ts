/** What connections may use of the descriptors. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  BROKER_SHARE,
  connectionLimit,
  descriptorLimit,
  NAME_SERVER_SHARE,
  parseDescriptorLimit,
} from '../../../src/lib/descriptors.ts';
import { MAX_CONNECTIONS } from '../../../src/lib/limits.ts';

const test = suite('descriptors');

const limits = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax processes  7  7\nMax open files            ${soft}              1048576              files     \n`;

test('the soft limit is read, and what is no number is taken for the usual one', () => {
  assert.is(parseDescriptorLimit(limits('200')), 200);
  assert.is(parseDescriptorLimit(limits('unlimited')), Number.POSITIVE_INFINITY);
  for (const odd of ['', 'Max open files', limits('-1')]) assert.is(parseDescriptorLimit(odd), 1024);
});

test('this process has a limit that lets it open files', () => {
  assert.ok(descriptorLimit() > 16);
});

test('whatever the limit, descriptors are left for the store', () => {
  for (const descriptors of [20, 200, 1024, 4096, 20_000]) {
    const broker = connectionLimit(BROKER_SHARE, descriptors);
    const nameServer = connectionLimit(NAME_SERVER_SHARE, descriptors);
    const left = descriptors - broker - nameServer;
    assert.ok(left >= Math.min(512, descriptors / 2), `${left} of ${descriptors} are left`);
    assert.ok(broker >= 1 && nameServer >= 1);
  }
  assert.is(connectionLimit(1, 1), 1);
  assert.is(connectionLimit(1, Number.POSITIVE_INFINITY), MAX_CONNECTIONS);
});

test.run();
