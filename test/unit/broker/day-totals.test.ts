/** Totals at midnight, by whatever clock people set. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DayTotals } from '../../../src/broker/stats/day-totals.ts';

test('totals are kept at each midnight, for today and yesterday', () => {
  let now = new Date(2026, 5, 10, 23, 59).getTime();
  const days = new DayTotals({ now: () => now, monotonic: () => 0 });
  days.note({ put: 10, get: 5 });
  assert.equal([days.todayMorning.put, days.yesterdayMorning.put], [0, 0]);
  now += 120_000;
  days.note({ put: 12, get: 6 });
  days.note({ put: 40, get: 9 });
  assert.equal([days.todayMorning, days.yesterdayMorning.put], [{ put: 12, get: 6 }, 0]);
  now += 86_400_000;
  days.note({ put: 100, get: 90 });
  assert.equal([days.todayMorning.put, days.yesterdayMorning.put], [100, 12]);
});

test.run();
