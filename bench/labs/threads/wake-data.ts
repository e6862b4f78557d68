/** What the second thread of the lab "wake" is given, and what both sides do with it. */
import type { WakeShape } from '../../../src/ring/wake.ts';

export const MECHANISMS = ['look', 'park', 'wait', 'doorbell', 'waitAsync', 'message'] as const;
export type Mechanism = (typeof MECHANISMS)[number];

/** Words, on lines of their own: how often the first thread has called, and the second has answered. */
export const CALLS = 0;
export const ANSWERS = 16;
export const COUNT_WORDS = 32;
/** In place of a number of calls: the second thread ends. */
export const NO_MORE = -1;

export interface WakeData {
  mechanism: Mechanism;
  counts: SharedArrayBuffer;
  wakeSecond: WakeShape;
  wakeFirst: WakeShape;
}

/** For the lab: nobody is called so seldom. */
const LONG_MS = 10_000;

/** Blocks until the word holds something else than `seen`; wakes by Atomics.notify. */
export function awaitChange(words: Int32Array, at: number, seen: number): number {
  while (Atomics.load(words, at) === seen) Atomics.wait(words, at, seen, LONG_MS);
  return Atomics.load(words, at);
}

interface AsyncAtomics {
  waitAsync(words: Int32Array, at: number, seen: number): { async: boolean; value: Promise<string> | string };
}

/** Resolves when the word holds something else than `seen`; wakes by Atomics.notify. */
export async function changed(words: Int32Array, at: number, seen: number): Promise<number> {
  while (Atomics.load(words, at) === seen)
    await (Atomics as unknown as AsyncAtomics).waitAsync(words, at, seen).value;
  return Atomics.load(words, at);
}

export const hasWaitAsync = 'waitAsync' in Atomics;
