/**
 * Measures the subjects of a suite with tinybench. A sample is a whole batch divided by its operations, since most
 * subjects take less time than reading the clock does; p99 is therefore that of batches.
 */
import { Bench } from 'tinybench';
import type { Subject } from './suite.ts';

export interface Timing {
  /** Ms per subject. */
  time: number;
  warmup: number;
}

export interface Figure {
  name: string;
  /** Ns per operation. */
  median: number;
  p99: number;
  /** Operations per second at the median. */
  rate: number;
  samples: number;
}

/** The compiler needs calls, not time: on a busy machine a short warm-up would hold too few of them. */
const WARMUP_OPERATIONS = 20_000;
const MAX_WARMUP_BATCHES = 200;
const MIN_SAMPLES = 20;

const NANOS_PER_MILLI = 1e6;
const NANOS_PER_SECOND = 1e9;

/** Where results go, so that they count as used. */
export const sink = { sum: 0 };

function task(subject: Subject): () => { overriddenDuration: number; overriddenIterationCost: number } {
  return () => {
    const begin = performance.now();
    subject.prepare?.();
    const start = performance.now();
    sink.sum += subject.run();
    const end = performance.now();
    return { overriddenDuration: (end - start) / subject.batch, overriddenIterationCost: end - begin };
  };
}

export function measure(subject: Subject, timing: Timing): Figure {
  const bench = new Bench({
    time: timing.time,
    warmupTime: timing.warmup,
    iterations: MIN_SAMPLES,
    warmupIterations: Math.min(Math.ceil(WARMUP_OPERATIONS / subject.batch), MAX_WARMUP_BATCHES),
    throws: true,
  });
  bench.add(subject.name, task(subject));
  const [done] = bench.runSync();
  if (done === undefined || !('latency' in done.result)) throw new Error(`${subject.name} gave no figures`);
  const { p50, p99, samplesCount } = done.result.latency;
  const median = p50 * NANOS_PER_MILLI;
  return {
    name: subject.name,
    median,
    p99: p99 * NANOS_PER_MILLI,
    rate: NANOS_PER_SECOND / median,
    samples: samplesCount,
  };
}
