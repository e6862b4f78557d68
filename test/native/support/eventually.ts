import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; throws when it does not within five seconds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await sleep(5);
  }
}
