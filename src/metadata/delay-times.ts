/**
 * When the entries of all delay levels came (`append-times.ts`), kept across a restart of the process in
 * config/ringmq.delayTimes.json, a file of our own: `{"boot":"…","levels":{"1":{"skew":…,"stepped":…,"spans":[[…]]}}}`. It holds
 * within one boot of the machine, as the monotonic clock does; without it a wait is reckoned by the machine's clock
 * and begins anew at most.
 */
import { join } from 'node:path';
import type { ControlLog } from '../lib/log.ts';
import { asArray, asObject, entriesOf } from '../protocol/json-fields.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';
import type { AppendSpan, AppendTimesState } from './append-times.ts';
import { PeriodicFile } from './periodic-file.ts';

export class DelayTimes {
  readonly #boot: string;
  readonly #log: ControlLog;
  readonly #file: PeriodicFile;
  readonly #levels = new Map<number, AppendTimesState>();

  /** `boot` names the boot of the machine; '' when nobody tells, and then nothing is taken over. */
  constructor(configDirectory: string, boot: string, log: ControlLog) {
    this.#boot = boot;
    this.#log = log;
    this.#file = new PeriodicFile(join(configDirectory, 'ringmq.delayTimes.json'));
  }

  /** Reads the file. Call once, before use. A damaged one is worth a warning only: it makes waits exact, no more. */
  load(): void {
    let stored: ReturnType<typeof asObject>;
    try {
      stored = asObject(this.#file.load());
    } catch (error) {
      this.#log.warn({ reason: (error as Error).message }, 'times of delayed messages are not taken over');
    }
    if (this.#boot === '' || stored?.['boot'] !== this.#boot) return;
    for (const [level, value] of entriesOf(stored['levels'])) {
      const state = stateFrom(value);
      if (state !== undefined) this.#levels.set(Number(level), state);
    }
  }

  /** Level and times of all levels that have some. */
  entries(): IterableIterator<[number, AppendTimesState]> {
    return this.#levels.entries();
  }

  set(level: number, times: AppendTimesState): void {
    this.#levels.set(level, times);
    this.#file.touch();
  }

  /** Asks for a save if anything changed since the last one. To be called every `flushDelayOffsetInterval`. */
  persist(): void {
    this.#file.persist(() => JSON.stringify({ boot: this.#boot, levels: this.#toJson() }));
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }

  #toJson(): Record<string, unknown> {
    const levels: Record<string, unknown> = {};
    for (const [level, { skew, stepped, spans }] of this.#levels) {
      if (spans.length > 0 || stepped) levels[level] = toJson({ skew, stepped, spans });
    }
    return levels;
  }
}

export function toJson({ skew, stepped, spans }: AppendTimesState): Record<string, RocketJson> {
  return { skew: Math.round(skew), stepped, spans: spans.map(rowOf) };
}

function rowOf({ end, since, seen, skew, stepped }: AppendSpan): number[] {
  return [end, Math.round(since), Math.round(seen), Math.round(skew), stepped ? 1 : 0];
}

/** Undefined for anything that `toJson` would not have written. */
export function stateFrom(value: RocketJson): AppendTimesState | undefined {
  const object = asObject(value);
  const skew = object?.['skew'];
  const spans = asArray(object?.['spans']).map(spanFrom);
  if (typeof skew !== 'number' || spans.includes(undefined)) return undefined;
  return { skew, stepped: object?.['stepped'] === true, spans: spans as AppendSpan[] };
}

function spanFrom(row: RocketJson): AppendSpan | undefined {
  const numbers = asArray(row);
  if (numbers.length !== 5 || !numbers.every((number) => typeof number === 'number')) return undefined;
  const [end, since, seen, skew, stepped] = numbers as [number, number, number, number, number];
  return { end, since, seen, skew, stepped: stepped !== 0 };
}
