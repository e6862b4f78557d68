/**
 * How long calls took, as threads count it for others to read: a histogram for each kind of call, which is a row of a
 * table (protocol/call-kinds.ts). Each thread has a table in shared memory that it alone writes, with plain stores. A
 * reader adds them up when somebody asks; what it sees may be a moment old, never torn. Rows that no call has come to
 * cost no memory.
 */

/** Upper bounds of the buckets, ms; one more bucket has what is above. */
export const CALL_BOUNDS_MS: readonly number[] = [1, 3, 5, 7, 10, 100, 1_000, 2_000, 3_000];
/** Buckets, and behind them the sum of ms. */
const BUCKETS = CALL_BOUNDS_MS.length + 1;
export const CALL_CELLS = BUCKETS + 1;

/** Threads with a table: delivery, and network threads behind it. */
export const DELIVERY_CALLS = 0;
export const NETWORK_CALLS = 1;

/** Memory for so many threads. */
export function createCallTables(threads: number, rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * rows * CALL_CELLS * 8);
}

/** Counts a call into the histogram at cells[at…]. */
export function countCall(cells: Float64Array, at: number, ms: number): void {
  let bucket = 0;
  while (bucket < BUCKETS - 1 && ms > (CALL_BOUNDS_MS[bucket] as number)) bucket++;
  cells[at + bucket] = (cells[at + bucket] as number) + 1;
  cells[at + BUCKETS] = (cells[at + BUCKETS] as number) + ms;
}

/** The table of one thread, as that thread writes it. */
export class CallTable {
  readonly #cells: Float64Array;

  constructor(buffer: SharedArrayBuffer, thread: number, rows: number) {
    const length = rows * CALL_CELLS;
    this.#cells = new Float64Array(buffer, thread * length * 8, length);
  }

  /** One that nobody reads, for tests. */
  static unread(rows: number): CallTable {
    return new CallTable(createCallTables(1, rows), 0, rows);
  }

  count(row: number, ms: number): void {
    countCall(this.#cells, row * CALL_CELLS, ms);
  }
}

/** All tables, as whoever reports reads them. */
export class CallSums {
  readonly #all: Float64Array;
  readonly #rows: number;

  constructor(buffer: SharedArrayBuffer, rows: number) {
    this.#all = new Float64Array(buffer);
    this.#rows = rows;
  }

  /** Rows that have counted something, each with its histogram over all threads. */
  *counted(): Generator<[row: number, cells: Float64Array]> {
    for (let row = 0; row < this.#rows; row++) {
      // Nearly all rows are empty: nothing is made for these.
      if (!this.#hasCalls(row)) continue;
      const cells = new Float64Array(CALL_CELLS);
      for (let at = row * CALL_CELLS; at < this.#all.length; at += this.#rows * CALL_CELLS)
        for (let i = 0; i < CALL_CELLS; i++) cells[i] = (cells[i] as number) + (this.#all[at + i] as number);
      yield [row, cells];
    }
  }

  #hasCalls(row: number): boolean {
    for (let at = row * CALL_CELLS; at < this.#all.length; at += this.#rows * CALL_CELLS)
      for (let bucket = 0; bucket < BUCKETS; bucket++) if (this.#all[at + bucket] !== 0) return true;
    return false;
  }
}

/** How many calls a histogram has counted. */
export function callsIn(cells: Float64Array): number {
  let calls = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) calls += cells[bucket] as number;
  return calls;
}
