/** Lab: what it costs to wake another thread, by the way in which it sleeps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/native/addon.ts';
import { createWake, Doorbell, Parker, wakerOf } from '../../src/ring/wake.ts';
import { LatencyRecorder } from '../load/recorder.ts';
import { type Case, type Lab, scaled } from './lib/lab.ts';
import {
  ANSWERS,
  awaitChange,
  CALLS,
  COUNT_WORDS,
  changed,
  hasWaitAsync,
  MECHANISMS,
  type Mechanism,
  NO_MORE,
  type WakeData,
} from './threads/wake-data.ts';

const TRIPS = 300;
/** Between two calls: the other thread falls asleep. */
const REST_MS = 1;

const TITLES: Record<Mechanism, string> = {
  look: 'looks all the time (sched_yield)',
  park: 'a futex of the addon (Parker)',
  wait: 'Atomics.wait',
  doorbell: "the addon's doorbell",
  waitAsync: 'Atomics.waitAsync',
  message: 'MessagePort',
};

/** The second thread, and how it is called by this one. */
interface Other {
  /** Calls it: what counts as the cost of waking. */
  call: (n: number) => void;
  /** Waits for its answer, or returns a promise of it. */
  answer: (n: number) => unknown;
  stop: () => Promise<void>;
}

interface Parts {
  worker: Worker;
  words: Int32Array;
  data: WakeData;
}

function byParking({ words, data }: Parts): Pick<Other, 'call' | 'answer'> {
  const parker = new Parker(data.wakeFirst);
  const wake = wakerOf(data.wakeSecond);
  return {
    call(n) {
      Atomics.store(words, CALLS, n);
      wake();
    },
    answer(n) {
      while (Atomics.load(words, ANSWERS) !== n) parker.park(1000, () => Atomics.load(words, ANSWERS) === n);
    },
  };
}

function byLooking({ words }: Parts): Pick<Other, 'call' | 'answer'> {
  return {
    call: (n) => {
      Atomics.store(words, CALLS, n);
    },
    answer(n) {
      while (Atomics.load(words, ANSWERS) !== n) addon.yieldProcessor();
    },
  };
}

function byDoorbell({ words, data }: Parts): Pick<Other, 'call' | 'answer'> & { close: () => void } {
  let rung = (): void => {};
  const bell = new Doorbell(data.wakeFirst, () => rung());
  const wake = wakerOf(data.wakeSecond);
  return {
    call(n) {
      Atomics.store(words, CALLS, n);
      wake();
    },
    answer: (n) =>
      new Promise<void>((resolve) => {
        rung = () => {
          if (Atomics.load(words, ANSWERS) === n) resolve();
        };
        rung();
      }),
    close: () => bell.close(),
  };
}

/** `change`: waits, in its way, for the word to hold something else. */
function byNotify(change: (words: Int32Array, at: number, seen: number) => unknown) {
  return ({ words }: Parts): Pick<Other, 'call' | 'answer'> => ({
    call(n) {
      Atomics.store(words, CALLS, n);
      Atomics.notify(words, CALLS);
    },
    answer: (n) => change(words, ANSWERS, n - 1),
  });
}

function byMessage({ worker }: Parts): Pick<Other, 'call' | 'answer'> {
  let waiting = (): void => {};
  worker.on('message', () => waiting());
  return {
    call: (n) => worker.postMessage(n),
    answer: () =>
      new Promise<void>((resolve) => {
        waiting = resolve;
      }),
  };
}

const WAYS: Record<Mechanism, (parts: Parts) => Pick<Other, 'call' | 'answer'> & { close?: () => void }> = {
  look: byLooking,
  park: byParking,
  wait: byNotify(awaitChange),
  doorbell: byDoorbell,
  waitAsync: byNotify(changed),
  message: byMessage,
};

async function start(mechanism: Mechanism): Promise<Other> {
  const kind = mechanism === 'doorbell' ? 'doorbell' : 'park';
  const data: WakeData = {
    mechanism,
    counts: new SharedArrayBuffer(COUNT_WORDS * 4),
    wakeSecond: createWake(kind),
    wakeFirst: createWake(kind),
  };
  const worker = new Worker(new URL('./threads/wake.thread.js', import.meta.url), { workerData: data });
  await new Promise((resolve) => worker.once('message', resolve));
  // It opens its doorbell after that.
  await sleep(5);
  const { call, answer, close } = WAYS[mechanism]({ worker, data, words: new Int32Array(data.counts) });
  const stop = async (): Promise<void> => {
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    call(NO_MORE);
    await ended;
    close?.();
  };
  return { call, answer, stop };
}

/** Each measurement has a thread of its own: one that looks all the time would take a processor from the others. */
function caseOf(mechanism: Mechanism, trips: number): Case {
  return {
    place: '',
    way: TITLES[mechanism],
    async measure() {
      const other = await start(mechanism);
      const [trip, call] = [new LatencyRecorder(), new LatencyRecorder()];
      for (let n = 1; n <= trips; n++) {
        await sleep(REST_MS);
        const from = performance.now();
        other.call(n);
        const called = performance.now();
        const answered = other.answer(n);
        if (answered instanceof Promise) await answered;
        trip.record((performance.now() - from) * 1000);
        call.record((called - from) * 1000);
      }
      await other.stop();
      return { call: call.percentile(50), trip: trip.percentile(50), late: trip.percentile(99) };
    },
  };
}

export const lab: Lab = {
  title: 'Waking another thread',
  hypothesis:
    'A thread that sleeps takes some tens of µs to come back, whatever it sleeps in: the kernel has to wake it and a ' +
    'processor to leave its own sleep. What differs is what the waker pays, and what lies behind it: an event loop ' +
    'costs more than a futex, a message more than a bell. Only a thread that never sleeps is quick, and it takes a core.',
  experiment:
    'This thread calls the other after a rest of 1 ms, so that it has fallen asleep, and waits for its answer, which comes ' +
    'the same way: a trip is two wake-ups. The call is timed by itself. Each way has a thread of its own, 300 trips a round.',
  reading:
    'Half a trip is one wake-up with all that belongs to it. The "call" is what a thread that has work to do loses for each ' +
    'wake-up of another: that is why the broker wakes once per batch, and only who sleeps. On a virtual machine the ' +
    "processor's own sleep adds tens of µs that a bare machine does not have.",
  uses: [
    {
      file: 'src/ring/wake.ts',
      symbol: 'Parker',
      what: 'sleep on a futex, wake-up only of who sleeps; the doorbell',
    },
    {
      file: 'src/ring/patience.ts',
      symbol: 'Patience',
      what: 'staying awake for a moment, as long as it pays',
    },
    {
      file: 'src/ring/agent.ts',
      symbol: 'runAgent',
      what: 'after work a thread looks again before it sleeps',
    },
    {
      file: 'native/doorbell.cc',
      symbol: 'ringDoorbellCall',
      what: 'a bell that coalesces rings, for event loops',
    },
  ],
  places: '',
  columns: [
    { key: 'trip', title: 'there and back, p50 µs' },
    { key: 'late', title: 'p99 µs' },
    { key: 'call', title: 'the call, p50 µs' },
  ],
  chart: { column: 'trip', logarithmic: true },
  bytes: () => 0,
  open({ scale }) {
    const trips = scaled(scale, TRIPS);
    const possible = MECHANISMS.filter((mechanism) => mechanism !== 'waitAsync' || hasWaitAsync);
    return {
      cases: possible.map((mechanism) => caseOf(mechanism, trips)),
      skipped: hasWaitAsync ? [] : [`${TITLES.waitAsync}: this Node.js has none`],
    };
  },
  findings: [
    (look) => {
      const [asleep, awake] = [look('', TITLES.park, 'trip') / 2, look('', TITLES.look, 'trip') / 2];
      return `waking a parked thread took ${asleep.toFixed(1)} µs, reaching one that looks all the time ${awake.toFixed(1)} µs`;
    },
    (look) => {
      const times = look('', TITLES.wait, 'trip') / look('', TITLES.park, 'trip');
      return `by Atomics.wait a trip took ${times.toFixed(2)} times as long as by the addon's futex`;
    },
    (look) => {
      const times = look('', TITLES.message, 'trip') / look('', TITLES.doorbell, 'trip');
      return `by MessagePort a trip took ${times.toFixed(1)} times as long as by the doorbell`;
    },
    (look) => {
      const [bell, message] = [look('', TITLES.doorbell, 'call'), look('', TITLES.message, 'call')];
      return `the waker paid ${bell.toFixed(1)} µs for a ring of the doorbell and ${message.toFixed(1)} µs for a message`;
    },
  ],
};
