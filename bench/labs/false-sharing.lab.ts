/** Lab: two threads, each with a word of its own, by how far apart these words lie. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { CannotRun, type Case, type Lab, scaled } from './lib/lab.ts';
import {
  ANSWER,
  COUNT_ATOMIC,
  COUNT_PLAIN,
  DISTANCE,
  END,
  type HammerData,
  ITEMS,
  ORDER,
  ORDER_WORDS,
  putItems,
  REST,
  SLOTS,
  TAKE,
  WORDS,
} from './threads/hammer-data.ts';

const STEPS = 3_000_000;
const PUT = 400_000;
const WAIT_MS = 10_000;

const ATOMIC = 'counter, Atomics.store';
const PLAIN = 'counter, plain store';
const RING = 'ring of words, each published';

const ALONE = 'the other thread rests';
const apart = (bytes: number): string => `${bytes} bytes apart`;
const DISTANCES = [4, 64, 128];

class Hammer {
  readonly words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly slots = new Int32Array(new SharedArrayBuffer(SLOTS * 4));
  readonly #orders = new Int32Array(new SharedArrayBuffer(ORDER_WORDS * 4));
  readonly #worker: Worker;

  constructor() {
    const workerData: HammerData = {
      orders: this.#orders.buffer as SharedArrayBuffer,
      words: this.words.buffer as SharedArrayBuffer,
      slots: this.slots.buffer as SharedArrayBuffer,
    };
    this.#worker = new Worker(new URL('./threads/hammer.thread.js', import.meta.url), { workerData });
  }

  /** Returns when the thread has begun. */
  order(what: number, distance = 0, items = 0): void {
    Atomics.store(this.#orders, DISTANCE, distance);
    Atomics.store(this.#orders, ITEMS, items);
    Atomics.store(this.#orders, ORDER, what);
    Atomics.notify(this.#orders, ORDER);
    for (
      let seen = Atomics.load(this.#orders, ANSWER);
      seen !== what;
      seen = Atomics.load(this.#orders, ANSWER)
    ) {
      if (Atomics.wait(this.#orders, ANSWER, seen, WAIT_MS) === 'timed-out')
        throw new Error('the second thread has stopped');
    }
  }

  async end(): Promise<void> {
    Atomics.store(this.#orders, ORDER, END);
    Atomics.notify(this.#orders, ORDER);
    await new Promise((resolve) => this.#worker.once('exit', resolve));
  }
}

function countAtomic(words: Int32Array, steps: number): void {
  for (let i = 0; i < steps; i++) Atomics.store(words, 0, Atomics.load(words, 0) + 1);
}

function countPlain(words: Int32Array, steps: number): void {
  for (let i = 0; i < steps; i++) words[0] = ((words[0] as number) + 1) | 0;
}

function nanosPer(steps: number, work: () => void): number {
  const from = performance.now();
  work();
  return ((performance.now() - from) * 1e6) / steps;
}

/** `bytes`: how far apart; 0 = the other thread rests. */
function counting(hammer: Hammer, place: string, bytes: number, steps: number): Case {
  const [order, count] = place === PLAIN ? [COUNT_PLAIN, countPlain] : [COUNT_ATOMIC, countAtomic];
  return {
    place,
    way: bytes === 0 ? ALONE : apart(bytes),
    measure: () => {
      if (bytes > 0) hammer.order(order, bytes / 4);
      const nanos = nanosPer(steps, () => count(hammer.words, steps));
      hammer.order(REST);
      return { nanos };
    },
  };
}

function putting(hammer: Hammer, bytes: number, items: number): Case {
  return {
    place: RING,
    way: apart(bytes),
    measure: () => {
      hammer.words.fill(0);
      hammer.order(TAKE, bytes / 4, items);
      const nanos = nanosPer(items, () => putItems(hammer.words, hammer.slots, bytes / 4, items));
      hammer.order(REST);
      return { nanos };
    },
  };
}

export const lab: Lab = {
  title: 'False sharing: words of two threads in one cache line',
  hypothesis:
    'Processors share memory by lines of 64 bytes. Two threads that write different words of one line take it from each ' +
    'other with every store, as if they wrote the same word; in lines of their own they do not notice each other.',
  experiment:
    'Two threads count up a word each as fast as they can, with Atomics or with plain stores, while their words lie 4, 64 or ' +
    '128 bytes apart; this one measures itself. Then a small ring: one thread puts 32-bit items, the other takes ' +
    'them, and each publishes its position after every item; the two positions lie so far apart.',
  reading:
    '"The other thread rests" is what the work costs by itself. Atomics pay a full fence each, on x86 some 5 to 10 ns, shared or ' +
    'not. 128 bytes show whether the processor fetches lines in pairs. The ring pays for its items moving ' +
    'between the cores in any case: only what is beyond that is false sharing. Where two virtual processors are two ' +
    'halves of one core they share its cache, and the effect is small.',
  uses: [
    {
      file: 'src/ring/layout.ts',
      symbol: 'RING_TAIL',
      what: "each side's control words have a line of their own",
    },
    { file: 'src/ring/positions.ts', symbol: 'SLOT_STRIDE', what: 'one position per cache line' },
    {
      file: 'src/ring/wake.ts',
      symbol: 'createWake',
      what: 'the word that a thread sleeps on is 64 bytes large',
    },
    {
      file: 'src/ring/counters.ts',
      symbol: 'Counters',
      what: 'a block for each thread, written by it alone',
    },
  ],
  places: 'what',
  columns: [{ key: 'nanos', title: 'ns a step' }],
  chart: { column: 'nanos', logarithmic: false },
  bytes: () => 0,
  open({ scale }) {
    if (availableParallelism() < 2)
      throw new CannotRun('it needs two processors: one runs one thread at a time');
    const hammer = new Hammer();
    const steps = scaled(scale, STEPS);
    const cases = [ATOMIC, PLAIN].flatMap((place) =>
      [0, ...DISTANCES].map((bytes) => counting(hammer, place, bytes, steps)),
    );
    const rings = DISTANCES.map((bytes) => putting(hammer, bytes, scaled(scale, PUT)));
    return { cases: [...cases, ...rings], close: () => hammer.end() };
  },
  findings: [
    (look) => {
      const times = look(ATOMIC, apart(4), 'nanos') / look(ATOMIC, apart(64), 'nanos');
      return `counting with Atomics took ${times.toFixed(1)} times as long in one line as in two`;
    },
    (look) => {
      const times = look(PLAIN, apart(4), 'nanos') / look(PLAIN, apart(64), 'nanos');
      return `with plain stores ${times.toFixed(1)} times`;
    },
    (look) => {
      const times = look(RING, apart(4), 'nanos') / look(RING, apart(64), 'nanos');
      return `an item of the ring took ${times.toFixed(2)} times as long with both positions in one line`;
    },
  ],
};
