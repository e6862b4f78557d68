/**
 * How far each delay level has been delivered, and when its entries came: the state of whoever delivers them. Its
 * thread may not wait for files, so control keeps those (`metadata/delay-offsets.ts`, `metadata/delay-times.ts`): it
 * gives what they hold at the start, and is told now and then.
 */
import type { Clock } from '../../lib/clock.ts';
import { AppendTimes, type AppendTimesState, isStep, skewOf } from '../../metadata/append-times.ts';

/** Level and next queue offset to deliver; level and times of what is not delivered yet. Both can be posted. */
export interface DelayState {
  readonly offsets: readonly (readonly [level: number, offset: number])[];
  readonly times: readonly (readonly [level: number, times: AppendTimesState])[];
}

/** What is to be kept where delivery has never begun: that the clock was set meanwhile, if it was. */
export function notBegun(before: DelayState, levels: number, skewAtStart: number, clock: Clock): DelayState {
  const skew = skewOf(clock);
  if (!isStep(skewAtStart, skew)) return before;
  const known = new Map(before.times);
  const times = Array.from({ length: levels }, (_, i): DelayState['times'][number] => [
    i + 1,
    { spans: known.get(i + 1)?.spans ?? [], skew, stepped: true },
  ]);
  return { offsets: before.offsets, times };
}

export class DelayProgress {
  readonly #clock: Clock;
  readonly #skew: number;
  readonly #offsets: Map<number, number>;
  readonly #before: Map<number, AppendTimesState>;
  readonly #times = new Map<number, AppendTimes>();
  #moved = false;
  #noted = false;

  /** `skew`: of the clock when the log was opened. */
  constructor(clock: Clock, { offsets, times }: DelayState, skew = skewOf(clock)) {
    this.#clock = clock;
    this.#skew = skew;
    this.#offsets = new Map(offsets);
    this.#before = new Map(times);
  }

  /** Next queue offset to deliver of a level; 0 for a level that was never used. */
  get(level: number): number {
    return this.#offsets.get(level) ?? 0;
  }

  set(level: number, offset: number): void {
    if (this.#offsets.get(level) === offset) return;
    this.#offsets.set(level, offset);
    this.#moved = true;
  }

  /** Level and offset of all levels used so far. */
  entries(): IterableIterator<[number, number]> {
    return this.#offsets.entries();
  }

  /** The times of a level whose queue now reaches up to `end`. */
  open(level: number, delayMs: number, end: number): AppendTimes {
    const times = new AppendTimes(this.#clock, delayMs, this.#before.get(level), end, this.#skew);
    this.#before.delete(level);
    this.#times.set(level, times);
    times.note(end);
    return times;
  }

  /** Times were noted. */
  touch(): void {
    this.#noted = true;
  }

  /** The offsets if one has moved since the last call, and the times, of which there are many, if `withTimes`. */
  take(withTimes: boolean): DelayState | undefined {
    const hasTimes = withTimes && this.#noted;
    if (!this.#moved && !hasTimes) return undefined;
    this.#moved = false;
    if (hasTimes) this.#noted = false;
    return { offsets: [...this.#offsets], times: hasTimes ? this.#copyTimes() : [] };
  }

  /** All of it. */
  state(): DelayState {
    return { offsets: [...this.#offsets], times: this.#copyTimes() };
  }

  #copyTimes(): DelayState['times'] {
    return [...this.#times].map(([level, times]) => [level, structuredClone(times.state())] as const);
  }
}
