/** What the second thread of the lab "false-sharing" is given, and the small ring of both. */
import { addon } from '../../../src/native/addon.ts';

/** What it is told to do: a word for the order, one for having begun, in lines of their own. */
export const ORDER = 0;
export const ANSWER = 64;
export const ORDER_WORDS = 128;

export const REST = 0;
export const COUNT_ATOMIC = 1;
export const COUNT_PLAIN = 2;
export const TAKE = 3;
export const END = 4;

export interface HammerData {
  orders: SharedArrayBuffer;
  /** Counters and positions of the ring, at words that the order says. */
  words: SharedArrayBuffer;
  slots: SharedArrayBuffer;
}

/** Words of `words`: the producer's is 0, the other thread's lies `distance` behind it. */
export const WORDS = 128;
export const SLOTS = 1024;
/** Orders hold distance and number of items too. */
export const DISTANCE = 16;
export const ITEMS = 32;

/** Items looked for in vain before others may have the processor. */
const LOOKS = 64;

export function putItems(words: Int32Array, slots: Int32Array, distance: number, items: number): void {
  let head = Atomics.load(words, distance);
  for (let tail = 0; tail < items; tail++) {
    for (let looks = 0; tail - head >= SLOTS; looks++) {
      head = Atomics.load(words, distance);
      if (looks % LOOKS === LOOKS - 1) addon.yieldProcessor();
    }
    slots[tail & (SLOTS - 1)] = tail;
    Atomics.store(words, 0, tail + 1);
  }
}

export function takeItems(words: Int32Array, slots: Int32Array, distance: number, items: number): number {
  let sum = 0;
  let tail = 0;
  for (let head = 0; head < items; head++) {
    for (let looks = 0; head === tail; looks++) {
      tail = Atomics.load(words, 0);
      if (looks % LOOKS === LOOKS - 1) addon.yieldProcessor();
    }
    sum += slots[head & (SLOTS - 1)] as number;
    Atomics.store(words, distance, head + 1);
  }
  return sum;
}
