/** What a trace shows, before it becomes text, a page or JSON. Times are ms from the moment the producer wrote. */
import type { Piece } from './pieces/piece.ts';

export interface Table {
  /** As of `admin/output.ts`: `#` in front stands for numbers. */
  columns: string[];
  rows: (string | number)[][];
}

/** One of the nine steps of a message's life. */
export interface Step {
  number: number;
  title: string;
  /** When it happened; undefined: nobody can tell. */
  began?: number | undefined;
  ended?: number | undefined;
  /** Sentences. */
  text: string[];
  pieces: Piece[];
  table?: Table | undefined;
  /** Why it cannot be seen, or not all of it. */
  unseen?: string | undefined;
}

/** A way through the store: the send, and each time that the message is put again. */
export interface Stage {
  title: string;
  text: string[];
  steps: Step[];
}

/** What a thread did, for the picture. */
export interface Span {
  lane: string;
  label: string;
  began: number;
  ended: number;
  step: number;
}

export interface Report {
  title: string;
  facts: [string, string][];
  stages: Stage[];
  spans: Span[];
}

export const STEP_TITLES: Readonly<Record<number, string>> = {
  1: 'The frame',
  2: 'The record in the ring to the writer',
  3: 'The record in the CommitLog',
  4: 'The positions',
  5: 'The entry in the ConsumeQueue',
  6: 'Slot and chain in the index',
  7: 'The sync that made it durable',
  8: 'The copy from the mapping into the answer',
  9: 'The system call that sent it',
};

export function step(number: number, parts: Partial<Omit<Step, 'number'>> = {}): Step {
  return { number, title: STEP_TITLES[number] ?? '', text: [], pieces: [], ...parts };
}

/** `12.3 µs`, `4.56 ms`, `1009.24 ms`, `12.345 s`. */
export function spanOfTime(ms: number): string {
  if (Math.abs(ms) < 0.9995) return `${(ms * 1000).toFixed(Math.abs(ms) < 0.09995 ? 1 : 0)} µs`;
  if (Math.abs(ms) < 10_000) return `${ms.toFixed(2)} ms`;
  return `${(ms / 1000).toFixed(3)} s`;
}
