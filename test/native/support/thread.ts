import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Operations } from './operations.ts';
import type { Request } from './thread-main.ts';

/** A worker that performs operations, one at a time. */
export class TestThread {
  readonly #worker = new Worker(new URL('./thread-main.js', import.meta.url));

  async call<Name extends keyof Operations>(
    operation: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<ReturnType<Operations[Name]>> {
    const reply = once(this.#worker, 'message');
    this.start(operation, ...args);
    const [result] = (await reply) as [ReturnType<Operations[Name]>];
    return result;
  }

  /** Without waiting for an answer: for operations that never end. */
  start<Name extends keyof Operations>(operation: Name, ...args: Parameters<Operations[Name]>): void {
    const request: Request = { operation, args };
    this.#worker.postMessage(request);
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }
}

/** Runs the test with so many threads and ends them whatever happens. */
export async function withThreads(
  count: number,
  test: (threads: TestThread[]) => Promise<void>,
): Promise<void> {
  const threads = Array.from({ length: count }, () => new TestThread());
  try {
    await test(threads);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}
