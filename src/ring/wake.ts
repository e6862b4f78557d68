/**
 * How a thread sleeps and how others wake it.
 *
 * A thread without event loop (writer, dispatcher, flusher) parks on a word: it sets the word to SLEEPING, looks once
 * more for work, and waits; a waker that finds SLEEPING sets AWAKE and notifies. So a wake-up costs a system call
 * only when somebody really sleeps. A thread with an event loop (network, control) has a doorbell of the addon; its
 * id stands in the word, 0 while the thread has not opened it yet (it looks at its rings when it starts).
 */
import { addon } from '../native/addon.ts';

const AWAKE = 0;
const SLEEPING = 1;

export type WakeKind = 'park' | 'doorbell';

/** Address of a thread's sleep; can be posted to a worker. */
export interface WakeShape {
  kind: WakeKind;
  word: SharedArrayBuffer;
}

export function createWake(kind: WakeKind): WakeShape {
  return { kind, word: new SharedArrayBuffer(64) };
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
  return () => {
    if (Atomics.load(word, 0) === SLEEPING) {
      Atomics.store(word, 0, AWAKE);
      Atomics.notify(word, 0);
    }
  };
}

/** Opens this thread's doorbell and publishes it. Returns the function that closes it. */
export function answerDoorbell(shape: WakeShape, onRing: () => void): () => void {
  const word = new Int32Array(shape.word);
  const doorbell = addon.openDoorbell(onRing);
  Atomics.store(word, 0, doorbell);
  return () => {
    Atomics.store(word, 0, 0);
    addon.closeDoorbell(doorbell);
  };
}

/** The sleeping side of a 'park' wake. */
export class Parker {
  readonly #word: Int32Array;

  constructor(shape: WakeShape) {
    this.#word = new Int32Array(shape.word);
  }

  /** Sleeps until woken or for `timeoutMs`, unless `hasWork` finds something after the word says SLEEPING. */
  park(timeoutMs: number, hasWork: () => boolean): void {
    Atomics.store(this.#word, 0, SLEEPING);
    if (!hasWork()) Atomics.wait(this.#word, 0, SLEEPING, timeoutMs);
    Atomics.store(this.#word, 0, AWAKE);
  }
}
