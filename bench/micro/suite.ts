/** What a file of micro benchmarks consists of. */

export interface Subject {
  name: string;
  /** Operations per call of `run`: enough of them that reading the clock does not count. */
  batch: number;
  /** Does the operations; the number returned depends on them, so that the compiler cannot leave them out. */
  run: () => number;
  /** Before every `run`, not measured. */
  prepare?: () => void;
}

export interface Suite {
  subjects: Subject[];
  /** Why some or all of it cannot be measured here. */
  skipped?: string;
  close?: () => void | Promise<void>;
}

/** Opens a suite; files go into `folder`, which is empty and removed afterwards. */
export type OpenSuite = (folder: string) => Suite;

/** `run` for an operation on its own. */
export function repeat(times: number, operation: (i: number) => number): () => number {
  return () => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += operation(i);
    return sum;
  };
}
