/** Times and spans as people write and read them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  requireSpan,
  requireTime,
  spanOf,
  spanText,
  timeOf,
  timeText,
} from '../../../../src/cli/admin/times.ts';

const test = suite('times of the command line');

const NOW = new Date(2026, 0, 31, 18, 30, 15, 250).getTime();

test('spans', () => {
  assert.equal(
    ['500ms', '10s', '1.5m', '2h', '1d'].map(spanOf),
    [500, 10_000, 90_000, 7_200_000, 86_400_000],
  );
  assert.equal(['10', 's', '-1s', '1w', ''].map(spanOf), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.throws(
    () => requireSpan('soon', '--delay soon'),
    /^--delay soon is not possible: give a span such as/,
  );
});

test('times: in the zone of this machine where none is said', () => {
  const at = (text: string) => timeOf(text, NOW);
  assert.is(at('now'), NOW);
  assert.is(at('10m'), NOW - 600_000);
  assert.is(at('10m ago'), NOW - 600_000);
  assert.is(at('2026-01-30'), new Date(2026, 0, 30).getTime());
  assert.is(at('2026-01-30 08:05'), new Date(2026, 0, 30, 8, 5).getTime());
  assert.is(at('2026-01-30T08:05:09.120'), new Date(2026, 0, 30, 8, 5, 9, 120).getTime());
  assert.is(at('2026-01-30T08:05:00Z'), Date.UTC(2026, 0, 30, 8, 5));
  assert.is(at('2026-01-30 08:05+02:00'), Date.UTC(2026, 0, 30, 6, 5));
  assert.is(at('08:05'), new Date(2026, 0, 31, 8, 5).getTime());
  assert.is(at('1769877000000'), 1_769_877_000_000);
  for (const text of ['', 'yesterday', '2026-13-01', '25:00', '2026-1-1', '17'])
    assert.is(at(text), undefined, text);
  assert.throws(
    () => requireTime('soon', '--since soon'),
    /^--since soon is not possible: give a time such as/,
  );
});

test('shown', () => {
  assert.is(timeText(NOW), '2026-01-31 18:30:15.250');
  assert.equal([0, -1, Number.MAX_SAFE_INTEGER].map(timeText), ['-', '-', '-']);
  const spans = [0, 850, 12_400, 60_000, 200_000, 7_500_000, 273_600_000, -5];
  assert.equal(spans.map(spanText), [
    '0 ms',
    '850 ms',
    '12 s',
    '1 min',
    '3 min 20 s',
    '2 h 5 min',
    '3 d 4 h',
    '0 ms',
  ]);
});

test.run();
