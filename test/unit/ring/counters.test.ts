/** Counter blocks: sums over threads, latency buckets against the exact figures. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  bucketOf,
  bucketStart,
  COUNTER_BLOCKS,
  CounterSums,
  Counters,
  counterPlace,
  createCounters,
  LATENCY_BUCKETS,
  quantileMicros,
} from '../../../src/ring/counters.ts';
import { Random } from '../../support/random.ts';

const test = suite('counters');

test('each thread counts for itself, and the reader adds up', () => {
  const buffer = createCounters(2);
  const place = counterPlace('frames');
  for (const [i, count] of [3, 40].entries()) {
    const counters = new Counters(buffer, COUNTER_BLOCKS.network + i);
    for (let n = 0; n < count; n++) counters.add(place);
    counters.raiseTo(counterPlace('sendMaxMicros'), count);
    counters.raiseTo(counterPlace('sendMaxMicros'), 1);
  }
  const sums = new CounterSums(buffer);
  assert.is(sums.sum('frames'), 43);
  assert.is(sums.of(COUNTER_BLOCKS.network + 1, 'frames'), 40);
  assert.is(sums.max('sendMaxMicros'), 40);
  assert.is(sums.sum('syncs'), 0);
});

test('buckets ascend, cover every latency, and are at most a quarter wide', () => {
  let last = -1;
  for (let micros = 0; micros < 2 ** 31; micros = Math.max(micros + 1, Math.floor(micros * 1.01))) {
    const bucket = bucketOf(micros);
    assert.ok(bucket >= last && bucket < LATENCY_BUCKETS, `${micros} µs`);
    assert.ok(bucketStart(bucket) <= micros, `${micros} µs begin at ${bucketStart(bucket)}`);
    if (micros >= 8) assert.ok(micros < bucketStart(bucket) * 1.251 + 1, `${micros} µs in bucket ${bucket}`);
    last = bucket;
  }
  for (const odd of [-1, 0.5, 2 ** 40, Number.POSITIVE_INFINITY]) assert.ok(bucketOf(odd) < LATENCY_BUCKETS);
});

test('quantiles are those of the latencies, to a quarter', () => {
  const random = new Random(3);
  const buffer = createCounters(1);
  const counters = new Counters(buffer, COUNTER_BLOCKS.network);
  const exact = Array.from({ length: 20_000 }, () => Math.floor(50 * 1.001 ** random.int(0, 5000)));
  for (const micros of exact) counters.latency(micros);
  exact.sort((a, b) => a - b);
  const buckets = new CounterSums(buffer).latencies();
  for (const share of [0.5, 0.99, 0.999]) {
    const right = exact[Math.ceil(exact.length * share) - 1] as number;
    const found = quantileMicros(buckets, share);
    assert.ok(found >= right && found <= right * 1.26 + 1, `${share}: ${found} for ${right}`);
  }
  assert.is(quantileMicros(new Float64Array(LATENCY_BUCKETS), 0.99), 0);
});

test.run();
