/**
 * What the threads of a broker note of a message's way while somebody follows it (`ringmq trace`): a ring for each
 * thread's notes, from the thread to whoever traces. A broker that nobody follows has none of this, and looks for it
 * only where its threads make their parts.
 *
 * A note is a record whose type says what it tells, and whose payload is, in the machine's byte order:
 *
 *      0 began    f64  ms of the monotonic clock (lib/clock.ts)
 *      8 ended    f64
 *     16 numbers  i32  how many
 *     20 bytes    i32  how many
 *     24 numbers  f64 each, then the bytes
 */
import { copied } from '../lib/copied.ts';
import type { RingShape } from './layout.ts';
import { createRing, FULL, RingConsumer, RingProducer } from './spsc-ring.ts';

/** A frame was handled. Numbers: the peer's port, when its bytes were read. Bytes: the frame with its length. */
export const NOTE_FRAME = 1;
/** Records were shown to the writer. Numbers: the ring's tail before and after. */
export const NOTE_PUBLISHED = 2;
/** A queue was read for a pull. Numbers: status, messages found, their bytes. */
export const NOTE_READ = 3;
/** Records were copied into an answer. Numbers: messages, bytes, then position and size of each. */
export const NOTE_COPIED = 4;
/**
 * Bytes were written to a socket. Numbers: descriptor, the peer's port, bytes left unsent, and what the kernel counted
 * of this thread meanwhile: calls that write, and the bytes they wrote; -1 = it does not tell. Bytes: what was written.
 */
export const NOTE_WRITTEN = 5;
/**
 * An agent's round that did something. Numbers: how much, syncs and their µs, positions before, positions after (in the
 * order of `ring/positions.ts`).
 */
export const NOTE_ROUND = 6;
/** The writer took a record. Numbers: the participant, where in the ring it lay. Bytes: the record with its head. */
export const NOTE_TAKEN = 7;
/** The writer answered. Numbers and bytes as of NOTE_TAKEN. */
export const NOTE_ANSWERED = 8;

/** Numbers of a round before its positions. */
export const ROUND_POSITIONS = 3;

const BEGAN = 0;
const ENDED = 8;
const NUMBERS = 16;
const BYTES = 20;
const HEAD_BYTES = 24;
const RING_BYTES = 1024 * 1024;
/** Longer bytes are cut: nobody reads a table of more. */
export const MAX_NOTED_BYTES = 64 * 1024;
const NONE = new Uint8Array(0);

/** Can be posted to the threads. By the thread's, or agent's, name. */
export type TraceShape = Readonly<Record<string, RingShape>>;

export interface Note {
  thread: string;
  kind: number;
  /** Ms of the monotonic clock. */
  began: number;
  ended: number;
  numbers: number[];
  bytes: Uint8Array;
}

export function createTrace(threads: readonly string[]): TraceShape {
  return Object.fromEntries(threads.map((name) => [name, createRing(RING_BYTES)]));
}

/** A thread's end. What finds no room is left out: whoever traces reads as long as it lasts. */
export class TraceNotes {
  readonly #ring: RingProducer;

  constructor(ring: RingShape) {
    this.#ring = RingProducer.join(ring, () => {});
  }

  add(
    kind: number,
    began: number,
    ended: number,
    numbers: readonly number[],
    bytes: Uint8Array = NONE,
  ): void {
    const ring = this.#ring;
    const cut = bytes.length > MAX_NOTED_BYTES ? bytes.subarray(0, MAX_NOTED_BYTES) : bytes;
    const at = ring.claim(kind, HEAD_BYTES + numbers.length * 8 + cut.length);
    if (at === FULL) return;
    const { view } = ring;
    view.setFloat64(at + BEGAN, began, true);
    view.setFloat64(at + ENDED, ended, true);
    view.setInt32(at + NUMBERS, numbers.length, true);
    view.setInt32(at + BYTES, cut.length, true);
    for (const [i, number] of numbers.entries()) view.setFloat64(at + HEAD_BYTES + i * 8, number, true);
    ring.bytes.set(cut, at + HEAD_BYTES + numbers.length * 8);
    ring.commit();
    ring.publish();
  }
}

/** The end of who traces. */
export class TraceReader {
  readonly #rings: readonly (readonly [string, RingConsumer])[];

  constructor(shape: TraceShape) {
    this.#rings = Object.entries(shape).map(([name, ring]) => [name, RingConsumer.join(ring, () => {})]);
  }

  /** The notes since the last call, thread by thread in their order. */
  take(): Note[] {
    return this.#rings.flatMap(([thread, ring]) => [...notesOf(thread, ring)]);
  }
}

function* notesOf(thread: string, ring: RingConsumer): Iterable<Note> {
  while (ring.next()) {
    const { view, offset } = ring;
    const count = view.getInt32(offset + NUMBERS, true);
    const numbers = Array.from({ length: count }, (_, i) =>
      view.getFloat64(offset + HEAD_BYTES + i * 8, true),
    );
    const from = offset + HEAD_BYTES + count * 8;
    yield {
      thread,
      kind: ring.type,
      began: view.getFloat64(offset + BEGAN, true),
      ended: view.getFloat64(offset + ENDED, true),
      numbers,
      bytes: copied(ring.bytes, from, from + view.getInt32(offset + BYTES, true)),
    };
  }
  ring.release();
}
