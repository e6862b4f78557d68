/**
 * Counters by name and key (request 315, put and get rates in others), seen over the last minute, hour and day.
 * Names and keys are RocketMQ's: `TOPIC_PUT_NUMS` by topic, `GROUP_GET_NUMS` by `topic@group`, `BROKER_PUT_NUMS` by
 * cluster. The threads that count hand over sums; nothing is called per message.
 */
import type { Clock } from '../../lib/clock.ts';
import { MAX_COUNTERS } from '../../lib/limits.ts';

export const TOPIC_PUT_NUMS = 'TOPIC_PUT_NUMS';
export const TOPIC_PUT_SIZE = 'TOPIC_PUT_SIZE';
export const GROUP_GET_NUMS = 'GROUP_GET_NUMS';
export const GROUP_GET_SIZE = 'GROUP_GET_SIZE';
export const SNDBCK_PUT_NUMS = 'SNDBCK_PUT_NUMS';
export const SNDBCK2DLQ_TIMES = 'SNDBCK2DLQ_TIMES';
export const BROKER_PUT_NUMS = 'BROKER_PUT_NUMS';
export const BROKER_GET_NUMS = 'BROKER_GET_NUMS';
/** Pulls that found nothing; a name of ours. */
export const BROKER_GET_MISSED = 'BROKER_GET_MISSED';
/** Timed messages that were delivered, or rolled; a name of ours. */
export const BROKER_TIMER_OUT_NUMS = 'BROKER_TIMER_OUT_NUMS';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface Sample {
  at: number;
  sum: number;
  times: number;
}

/** One window: samples every `everyMs`, of which the last `keep` are kept. */
interface Window {
  readonly everyMs: number;
  readonly keep: number;
}

const WINDOWS = {
  minute: { everyMs: 10 * SECOND, keep: 7 },
  hour: { everyMs: 10 * MINUTE, keep: 7 },
  day: { everyMs: 60 * MINUTE, keep: 25 },
} as const satisfies Record<string, Window>;

type WindowName = keyof typeof WINDOWS;

/** `avgpt`: average per call; `tps`: per second. */
export interface StatsSnapshot {
  sum: number;
  tps: number;
  avgpt: number;
}

class Counter {
  sum = 0;
  times = 0;
  readonly samples: Record<WindowName, Sample[]> = { minute: [], hour: [], day: [] };

  take(window: WindowName, now: number): void {
    const { everyMs, keep } = WINDOWS[window];
    const samples = this.samples[window];
    // A first sample alone has no span: let the counter have started one step ago.
    if (samples.length === 0) samples.push({ at: now - everyMs, sum: 0, times: 0 });
    samples.push({ at: now, sum: this.sum, times: this.times });
    if (samples.length > keep) samples.shift();
  }

  snapshot(window: WindowName): StatsSnapshot {
    return over(this.samples[window]);
  }
}

function over(samples: readonly Sample[]): StatsSnapshot {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return { sum: 0, tps: 0, avgpt: 0 };
  const sum = last.sum - first.sum;
  const times = last.times - first.times;
  return { sum, tps: (sum * 1000) / (last.at - first.at), avgpt: times > 0 ? sum / times : 0 };
}

export class StatsTable {
  readonly #clock: Clock;
  /** By name, then by key. */
  readonly #counters = new Map<string, Map<string, Counter>>();
  #size = 0;
  readonly #lastSample: Record<WindowName, number>;

  constructor(clock: Clock) {
    this.#clock = clock;
    const now = clock.monotonic();
    this.#lastSample = { minute: now, hour: now, day: now };
  }

  /** Adds `value`, which came about by `times` calls. Past MAX_COUNTERS only those that are known count on. */
  add(name: string, key: string, value: number, times = 1): void {
    const keys = this.#counters.get(name) ?? new Map<string, Counter>();
    this.#counters.set(name, keys);
    let counter = keys.get(key);
    if (counter === undefined) {
      if (this.#size >= MAX_COUNTERS) return;
      this.#size += 1;
      counter = new Counter();
      keys.set(key, counter);
    }
    counter.sum += value;
    counter.times += times;
  }

  /** Takes the samples that are due. To be called every 10 s. */
  sample(): void {
    const monotonic = this.#clock.monotonic();
    for (const window of ['minute', 'hour', 'day'] as const) {
      // Half a step of tolerance, or a timer that fires a little early would skip a whole one.
      if (monotonic - this.#lastSample[window] < WINDOWS[window].everyMs - 5 * SECOND) continue;
      this.#lastSample[window] = monotonic;
      for (const keys of this.#counters.values()) {
        for (const counter of keys.values()) counter.take(window, monotonic);
      }
    }
  }

  /** Undefined when nothing was ever counted under this name and key. */
  get(name: string, key: string): Record<WindowName, StatsSnapshot> | undefined {
    const counter = this.#counters.get(name)?.get(key);
    if (counter === undefined) return undefined;
    return {
      minute: counter.snapshot('minute'),
      hour: counter.snapshot('hour'),
      day: counter.snapshot('day'),
    };
  }

  /** Rate per second over the last minute. */
  tps(name: string, key: string): number {
    return this.#counters.get(name)?.get(key)?.snapshot('minute').tps ?? 0;
  }

  /** Rates per second over the last 10 s, minute and 10 minutes. */
  rates(name: string, key: string): [number, number, number] {
    const samples = this.#counters.get(name)?.get(key)?.samples;
    if (samples === undefined) return [0, 0, 0];
    return [over(samples.minute.slice(-2)).tps, over(samples.minute).tps, over(samples.hour.slice(-2)).tps];
  }

  /** Everything counted since the start, by key. */
  *totals(name: string): Iterable<readonly [key: string, total: number]> {
    for (const [key, { sum }] of this.#counters.get(name) ?? []) yield [key, sum];
  }

  /** Everything counted since the start. */
  total(name: string, key: string): number {
    return this.#counters.get(name)?.get(key)?.sum ?? 0;
  }

  /** Forgets all counters whose key is the topic, or holds it beside a group or queue. */
  removeTopic(topic: string): void {
    this.#remove((key) => key === topic || key.startsWith(`${topic}@`) || key.endsWith(`@${topic}`));
  }

  removeGroup(group: string): void {
    this.#remove((key) => key.endsWith(`@${group}`));
  }

  #remove(matches: (key: string) => boolean): void {
    for (const keys of this.#counters.values()) {
      for (const key of keys.keys()) if (matches(key) && keys.delete(key)) this.#size -= 1;
    }
  }
}
