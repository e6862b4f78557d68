/**
 * How a thread sleeps and how others wake it.
 *
 * A thread without event loop (writer, dispatcher, flusher) parks: it sets a shared word to SLEEPING, looks
 * once more for work, and waits on a futex of the addon; a waker that finds SLEEPING sets AWAKE and unparks it. So
 * a wake-up costs a system call only when somebody really sleeps. A thread with an event loop (network, control)
 * has a doorbell of the addon; its id stands in the word, 0 while the thread has not opened it yet (it looks at its
 * rings when it starts) or is awake and looks by itself.
 */
import { addon } from '../native/addon.ts';

const AWAKE = 0;
const SLEEPING = 1;
/** Longer sleeps are several: a whole number of ms for the addon. */
const LONGEST_MS = 1000;

export type WakeKind = 'park' | 'doorbell';

/** Address of a thread's sleep; can be posted to a worker. */
export interface WakeShape {
  kind: WakeKind;
  word: SharedArrayBuffer;
  /** Of a 'park' wake: where the thread parks (`addon.openParking`), else 0. */
  place: number;
}

export function createWake(kind: WakeKind): WakeShape {
  const place = kind === 'park' ? addon.openParking() : 0;
  if (place < 0) throw new Error('there are too many places for threads to sleep at');
  return { kind, word: new SharedArrayBuffer(64), place };
}

/** A function that wakes the thread behind `shape`; cheap when it is awake. */
export function wakerOf(shape: WakeShape): () => void {
  const word = new Int32Array(shape.word);
  if (shape.kind === 'doorbell') {
    return () => {
      const doorbell = Atomics.load(word, 0);
      if (doorbell !== 0) addon.ringDoorbell(doorbell);
    };
  }
  const { place } = shape;
  return () => {
    if (Atomics.load(word, 0) === SLEEPING) {
      Atomics.store(word, 0, AWAKE);
      addon.unpark(place);
    }
  };
}

/** This thread's doorbell, open and published. */
export class Doorbell {
  readonly #word: Int32Array;
  readonly #id: number;

  constructor(shape: WakeShape, onRing: () => void) {
    this.#word = new Int32Array(shape.word);
    this.#id = addon.openDoorbell(onRing);
    Atomics.store(this.#word, 0, this.#id);
  }

  /** Nobody rings until `unmute`: this thread looks at its rings all the time. */
  mute(): void {
    Atomics.store(this.#word, 0, 0);
  }

  /** After this the thread has to look at everything once: nobody told it what came meanwhile. */
  unmute(): void {
    Atomics.store(this.#word, 0, this.#id);
  }

  close(): void {
    this.mute();
    addon.closeDoorbell(this.#id);
  }
}

function wholeMillis(timeoutMs: number): number {
  return Math.min(Math.max(Math.ceil(timeoutMs), 0), LONGEST_MS);
}

/** The sleeping side of a 'park' wake. */
export class Parker {
  readonly #word: Int32Array;
  readonly #place: number;

  constructor(shape: WakeShape) {
    this.#word = new Int32Array(shape.word);
    this.#place = shape.place;
  }

  /** Sleeps until woken or for `timeoutMs`, unless `hasWork` finds something after the word says SLEEPING. */
  park(timeoutMs: number, hasWork: () => boolean): void {
    Atomics.store(this.#word, 0, SLEEPING);
    if (!hasWork()) addon.park(this.#place, wholeMillis(timeoutMs));
    Atomics.store(this.#word, 0, AWAKE);
  }
}
