/** Messages put and given out, as they stood at midnight: consoles show today's and yesterday's from them. */
import type { Clock } from '../../lib/clock.ts';

export interface Totals {
  put: number;
  get: number;
}

export class DayTotals {
  readonly #clock: Clock;
  #day: string;
  /** As of the last two midnights; 0 = the broker did not run then. */
  todayMorning: Totals = { put: 0, get: 0 };
  yesterdayMorning: Totals = { put: 0, get: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#day = dayOf(clock);
  }

  /** Totals since the start. To be called every few seconds. */
  note(totals: Totals): void {
    const day = dayOf(this.#clock);
    if (day === this.#day) return;
    this.#day = day;
    this.yesterdayMorning = this.todayMorning;
    this.todayMorning = totals;
  }
}

/** Local, as people count days. */
function dayOf(clock: Clock): string {
  return new Date(clock.now()).toDateString();
}
