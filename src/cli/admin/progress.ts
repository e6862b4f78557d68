/** Progress of long work: a line that changes in a terminal, a line every few seconds elsewhere. */
import { systemClock } from '../../lib/clock.ts';

const IN_TERMINAL_MS = 100;
const ELSEWHERE_MS = 5000;

export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  #next = systemClock.monotonic() + (this.#isTerminal ? IN_TERMINAL_MS : ELSEWHERE_MS);
  #shown = 0;

  /** Cheap enough to be called for each piece; `text` is made only when it is shown. */
  tell(text: () => string): void {
    const at = systemClock.monotonic();
    if (at < this.#next) return;
    this.#next = at + (this.#isTerminal ? IN_TERMINAL_MS : ELSEWHERE_MS);
    const line = text();
    if (!this.#isTerminal) {
      process.stderr.write(`${line}\n`);
      return;
    }
    process.stderr.write(`\r${line.padEnd(this.#shown)}`);
    this.#shown = line.length;
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#shown > 0) process.stderr.write(`\r${' '.repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}

const AT_ONCE = 8;

/** As many at once as servers do not mind, in order. */
export async function eachOf<T, R>(
  items: readonly T[],
  what: string,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const progress = new Progress();
  const results = new Array<R>(items.length);
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
      done++;
      progress.tell(() => `${what}: ${done} of ${items.length}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  } finally {
    progress.end();
  }
  return results;
}
