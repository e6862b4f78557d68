/** What Java makes of bytes that are no UTF-8: the oracle test in test/interop compares it with Java itself. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeUtf8 } from '../../../src/lib/java-text.ts';

const test = suite('java text');

function decoded(hex: string): string {
  const bytes = Buffer.from(`ff${hex}ff`, 'hex');
  return decodeUtf8(bytes, 1, bytes.length - 1);
}

test('UTF-8 is what it is, a byte order mark included', () => {
  const text = 'a\u00fc\u65e5\ud83d\ude00\ufeff\ud7ff\ufffd';
  assert.is(decoded(Buffer.from(`\ufeff${text}`).toString('hex')), `\ufeff${text}`);
});

test('half a surrogate pair is one U+FFFD, however many bytes of it are there', () => {
  assert.is(decoded('eda080'), '\ufffd');
  assert.is(decoded('61eda0bdedb88062'), 'a\ufffd\ufffdb');
  assert.is(decoded('eda0'), '\ufffd');
  assert.is(decoded('eda061'), '\ufffda');
  assert.is(decoded('ed'), '\ufffd');
  assert.is(decoded('ed9fbf'), '\ud7ff');
});

test('the rest is as everywhere', () => {
  assert.is(decoded('e28261'), '\ufffda');
  assert.is(decoded('c080'), '\ufffd\ufffd');
  assert.is(decoded('f0'), '\ufffd', 'what stands behind the end does not count');
});

test.run();
