/**
 * What is measured: latencies, replies by code, and the time and CPU of the measured phase. Outside that phase
 * (warm-up, draining) replies are checked but not counted.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import type { ResetCounts } from './grpc/resets.ts';

/** Latencies are kept in tenths of a microsecond, up to an hour: a burst may come very late. */
const UNITS_PER_MICRO = 10;
const UNITS_MAX = 3_600_000_000 * UNITS_PER_MICRO;
/** Below 50 ms a latency is one increment in a flat array; recording into the histogram itself costs 0.2 µs a value. */
const FLAT_UNITS = 50_000 * UNITS_PER_MICRO;

export class LatencyRecorder {
  readonly #flat = new Uint32Array(FLAT_UNITS);
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: UNITS_MAX,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  record(micros: number): void {
    const units = micros * UNITS_PER_MICRO;
    if (units >= 0 && units < FLAT_UNITS) (this.#flat[units | 0] as number)++;
    else this.#histogram.recordValue(Math.min(Math.max(Math.trunc(units), 0), UNITS_MAX));
  }

  /** Moves the flat counts into the histogram; to be called before reading it. */
  finish(): Histogram {
    for (let units = 0; units < FLAT_UNITS; units++) {
      const count = this.#flat[units] as number;
      if (count > 0) this.#histogram.recordValueWithCount(units, count);
    }
    this.#flat.fill(0);
    return this.#histogram;
  }

  percentile(percent: number): number {
    return this.finish().getValueAtPercentile(percent) / UNITS_PER_MICRO;
  }

  get maximum(): number {
    return this.finish().maxValue / UNITS_PER_MICRO;
  }

  summary(): LatencySummary {
    return {
      p50: this.percentile(50),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: this.maximum,
    };
  }
}

/** Latencies in microseconds. */
export interface LatencySummary {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

/** Every reply after the warm-up that should not be. */
export interface ErrorCounts {
  /** The sum of the following. */
  errors: number;
  /** Replies with another code than 0, by code. */
  errorCodes: Record<string, number>;
  unexpectedReplies: number;
  unanswered: number;
  /** Places of a queue that pulls left out or delivered out of order. */
  offsetGaps?: number;
}

/** When messages came that were to come at a certain time; latencies in microseconds. */
export interface Arrivals {
  count: number;
  /** From when a message was due to the read that brought it. */
  seen: LatencySummary;
  /** From when a message was due to when it was stored in its queue, in whole milliseconds. */
  stored: LatencySummary;
  /** Stored before they were due. */
  early: number;
  /** How many milliseconds too early the earliest was. */
  earliestMillis: number;
  /** From when the first one was due to the last arrival. */
  seconds: number;
  rate: number;
}

export interface LoadResult extends ErrorCounts, LatencySummary {
  /** Messages of requests that were answered with code 0 in the measured phase. */
  messages: number;
  /** Those requests (always set): fewer than messages in batches and pulls. Latencies are those of requests. */
  requests?: number;
  seconds: number;
  /** Messages a second. */
  rate: number;
  /** Replies with another code during the warm-up: a cold JVM refuses what has waited for more than 200 ms. */
  warmupErrors: number;
  /** Through the proxy only, and only when there were any: calls that it gave up. They are errors, too. */
  resets?: ResetCounts;
  cpuMicrosPerMessage: number;
  /** Open loop only: how late the generator itself was, in microseconds. */
  sendLagP99?: number;
  sendLagMax?: number;
  /**
   * End-to-end only: from the due time of a message (open loop) or its send time to the read that brought it, for
   * messages that arrived in the measured phase; and how many those were.
   */
  endToEnd?: LatencySummary;
  consumed?: number;
  /** Pop only: latencies of acknowledgements; the others are those of the pops. */
  acknowledged?: LatencySummary;
  /** End-to-end: messages a second from the first send, warm-up or not, to the last arrival. */
  throughRate?: number;
  throughMessages?: number;
  /** Collect only. */
  arrivals?: Arrivals;
  /** Ledger, whenever messages are pulled: acknowledged, but never seen in any whole pass. */
  lost?: number;
  /** Seen again within one pass. */
  duplicates?: number;
  /** Seen, but nobody in the ledger sent it. */
  foreign?: number;
  /** Pull only: passes over all queues from start to end, the last one perhaps unfinished. Whole ones prove `lost`. */
  wholePasses?: number;
}

export class Recorder {
  readonly latency = new LatencyRecorder();
  readonly sendLag = new LatencyRecorder();
  measuring = false;
  #messages = 0;
  #requests = 0;
  #unexpected = 0;
  #offsetGaps = 0;
  #warmupErrors = 0;
  #warm = false;
  readonly #errorCodes = new Map<number, number>();
  #startedAt = 0;
  #seconds = 0;
  #cpuAtStart: NodeJS.CpuUsage = process.cpuUsage();
  #cpuMicros = 0;

  /** A request for so many messages was answered. */
  reply(code: number, micros: number, messages = 1): void {
    if (code !== 0) {
      this.refusal(code);
      return;
    }
    if (!this.measuring) return;
    this.#messages += messages;
    this.#requests++;
    this.latency.record(micros);
  }

  /** A message has gone all its way, in other requests than those whose latency counts. */
  message(): void {
    this.#messages++;
  }

  refusal(code: number): void {
    if (!this.#warm) this.#warmupErrors++;
    else this.#errorCodes.set(code, (this.#errorCodes.get(code) ?? 0) + 1);
  }

  offsetGap(messages: number): void {
    this.#offsetGaps += messages;
  }

  unexpectedReply(): void {
    this.#unexpected++;
  }

  start(): void {
    this.#cpuAtStart = process.cpuUsage();
    this.#startedAt = performance.now();
    this.measuring = true;
    this.#warm = true;
  }

  stop(): void {
    this.measuring = false;
    this.#seconds = (performance.now() - this.#startedAt) / 1000;
    const used = process.cpuUsage(this.#cpuAtStart);
    this.#cpuMicros = used.user + used.system;
  }

  errorCounts(unanswered: number): ErrorCounts {
    let badReplies = 0;
    for (const count of this.#errorCodes.values()) badReplies += count;
    return {
      errors: badReplies + this.#unexpected + unanswered + this.#offsetGaps,
      errorCodes: Object.fromEntries(this.#errorCodes),
      unexpectedReplies: this.#unexpected,
      unanswered,
      ...(this.#offsetGaps > 0 ? { offsetGaps: this.#offsetGaps } : {}),
    };
  }

  result(unanswered: number, openLoop: boolean): LoadResult {
    return {
      messages: this.#messages,
      requests: this.#requests,
      seconds: round(this.#seconds, 3),
      rate: this.#seconds > 0 ? Math.round(this.#messages / this.#seconds) : 0,
      ...this.latency.summary(),
      ...this.errorCounts(unanswered),
      warmupErrors: this.#warmupErrors,
      cpuMicrosPerMessage: this.#messages > 0 ? round(this.#cpuMicros / this.#messages, 3) : 0,
      ...(openLoop ? { sendLagP99: this.sendLag.percentile(99), sendLagMax: this.sendLag.maximum } : {}),
    };
  }
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
