/** Lab: what sends under way cost the slowest turns of an event loop, kept as objects or in flat arrays. */
import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PendingSends } from '../../src/net/pending-sends.ts';
import { LatencyRecorder } from '../load/recorder.ts';
import { type Case, type Lab, scaled } from './lib/lab.ts';

const TURNS = 30_000;
/** Messages that come, and answers that leave, in a turn. */
const PER_TURN = 64;
const FEW = 1024;
const MANY = 16_384;
/** Objects of others in the heap: topics, groups, offsets. */
const BESIDE = 500_000;

const FLAT = 'flat arrays (PendingSends)';
const FIFO = 'an object each, in a list';
const MAP = 'an object each, in a Map';

interface Send {
  slot: number;
  opaque: number;
  sentAt: number;
  key: string;
  end: number;
}

/** Holds so many sends; a step takes one in and answers the oldest. Returns what depends on them. */
type Step = (n: number) => number;

const KEY = Buffer.from('7F0000010000A1B20000000000000001');

function flat(inFlight: number): Step {
  const pending = new PendingSends(inFlight);
  return (n) => {
    let sum = 0;
    if (pending.full) {
      const oldest = pending.indexOf(pending.head);
      sum = (pending.opaque[oldest] as number) + (pending.end[oldest] as number);
      pending.clear(oldest);
      pending.head++;
    }
    const index = pending.indexOf(pending.tail++);
    pending.slot[index] = n & 63;
    pending.opaque[index] = n;
    pending.sentAt[index] = n;
    pending.setKey(index, KEY, 0, KEY.length);
    pending.end[index] = n * 1024;
    return sum;
  };
}

function send(n: number): Send {
  return { slot: n & 63, opaque: n, sentAt: n + 0.5, key: KEY.toString('latin1'), end: n * 1024 };
}

function listed(inFlight: number): Step {
  const list: Send[] = [];
  let head = 0;
  return (n) => {
    list.push(send(n));
    if (list.length - head <= inFlight) return 0;
    const { opaque, end } = list[head++] as Send;
    // Now and then what has been taken goes, so that taking costs nothing.
    if (head >= inFlight) list.splice(0, head);
    if (head >= inFlight) head = 0;
    return opaque + end;
  };
}

function inMap(inFlight: number): Step {
  const pending = new Map<number, Send>();
  return (n) => {
    pending.set(n, send(n));
    const oldest = pending.get(n - inFlight);
    if (oldest === undefined) return 0;
    pending.delete(n - inFlight);
    return oldest.opaque + oldest.end;
  };
}

function others(): Record<string, unknown>[] {
  return Array.from({ length: BESIDE }, (_, i) => ({ topic: `topic-${i}`, queues: [i, i + 1], offset: i }));
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Ms that the collector took until it is stopped. */
function watchCollector(): () => Promise<number> {
  let millis = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) millis += duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  return async () => {
    // What it has not told yet comes with the next turn of the loop.
    await new Promise((resolve) => setTimeout(resolve, 5));
    observer.disconnect();
    return millis;
  };
}

function caseOf(
  place: string,
  way: string,
  inFlight: number,
  make: (n: number) => Step,
  turns: number,
): Case {
  let beside: unknown[] = [];
  // Kept over the rounds: with the last object of a class V8 throws away the code that it made for it.
  const step = make(inFlight);
  let n = 0;
  return {
    place,
    way,
    prepare: () => {
      beside = place.includes('beside') ? others() : [];
      // What the case before has left is not collected in this one's time, and the others' objects are old.
      collect();
    },
    async measure() {
      const latency = new LatencyRecorder();
      let sum = beside.length;
      for (const end = n + inFlight * 2; n < end; n++) sum += step(n);
      const collected = watchCollector();
      const from = performance.now();
      for (let turn = 0; turn < turns; turn++) {
        const begin = performance.now();
        for (const end = n + PER_TURN; n < end; n++) sum += step(n);
        latency.record((performance.now() - begin) * 1000);
        // The loop's own turn, in which others may work.
        if (turn % 256 === 255) await new Promise((resolve) => setImmediate(resolve));
      }
      const seconds = (performance.now() - from) / 1000;
      const collector = await collected();
      beside = [];
      if (Number.isNaN(sum)) throw new Error('the sum is no number');
      const { p50, p99, p999, max } = latency.summary();
      return { p50, p99, p999, max, collector: collector / seconds };
    },
  };
}

const PLACES: [string, number][] = [
  ['1,024 in flight', FEW],
  ['16,384 in flight', MANY],
  ['16,384, and 500,000 objects beside', MANY],
];

export const lab: Lab = {
  title: 'The collector and the slowest turns',
  hypothesis:
    'An object a message is cheap to make and costs when it has outlived a collection of the young generation: what is ' +
    'under way then is copied, and later marked, while nothing else runs. That shows in the slowest turns long ' +
    'before it shows in the average, and the more so the more is under way. Flat arrays leave the collector nothing.',
  experiment:
    'Turns of 64 messages: each is noted with five fields, and the oldest of those under way is answered. They are kept in the ' +
    "broker's flat arrays, as objects in a list, or as objects in a Map by opaque; with few and many under way, and with " +
    'half a million objects of others in the heap. Turns are timed one by one; the collector is timed by `perf_hooks`.',
  reading:
    'Compare p50 with p99.9 and the maximum: the collector stops a turn now and then for as long as they say. Parts of its work ' +
    'run in other threads and are not in "ms a second". The maximum is one turn of a run, and on a machine that others use ' +
    'may be their doing: look at its spread.',
  uses: [
    { file: 'src/net/pending-sends.ts', symbol: 'PendingSends', what: 'sends under way, in flat arrays' },
    { file: 'src/ring/spsc-ring.ts', symbol: 'RingConsumer', what: 'one reader object for all records' },
    { file: 'src/protocol/request-view.ts', symbol: 'RequestView', what: 'one view for all requests' },
    {
      file: 'bench/load/recorder.ts',
      symbol: 'LatencyRecorder',
      what: 'the load generator counts latencies in a flat array too',
    },
  ],
  places: 'sends',
  columns: [
    { key: 'p50', title: 'p50, µs a turn' },
    { key: 'p99', title: 'p99, µs' },
    { key: 'p999', title: 'p99.9, µs' },
    { key: 'max', title: 'maximum, µs' },
    { key: 'collector', title: 'collector, ms a second' },
  ],
  chart: { column: 'p999', logarithmic: true },
  bytes: () => 0,
  open({ scale }) {
    const turns = scaled(scale, TURNS);
    const ways: [string, (inFlight: number) => Step][] = [
      [FLAT, flat],
      [FIFO, listed],
      [MAP, inMap],
    ];
    return {
      cases: PLACES.flatMap(([place, inFlight]) =>
        ways.map(([way, make]) => caseOf(place, way, inFlight, make, turns)),
      ),
    };
  },
  findings: [
    (look) => {
      const [flatTurn, mapTurn] = [
        look('16,384 in flight', FLAT, 'p999'),
        look('16,384 in flight', MAP, 'p999'),
      ];
      return `16,384 in flight: one turn in a thousand took ${flatTurn.toFixed(0)} µs and more with flat arrays, ${mapTurn.toFixed(0)} µs with objects in a Map`;
    },
    (look) => {
      const times = look('16,384 in flight', MAP, 'p50') / look('16,384 in flight', FLAT, 'p50');
      return `the median turn took ${times.toFixed(1)} times as long with objects in a Map`;
    },
    (look) => {
      const [flatMs, mapMs] = [
        look('16,384 in flight', FLAT, 'collector'),
        look('16,384 in flight', MAP, 'collector'),
      ];
      return `the collector took ${flatMs.toFixed(0)} ms of a second with flat arrays, ${mapMs.toFixed(0)} with objects in a Map`;
    },
  ],
};
