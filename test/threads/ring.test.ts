/**
 * Rings between real threads: records of random sizes through a small ring, sleeping and waking in every combination.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRing } from '../../src/ring/spsc-ring.ts';
import { createWake, type WakeKind } from '../../src/ring/wake.ts';
import { fullRun } from '../support/random.ts';
import type { RingThreadData } from './ring-thread.ts';

const test = suite('rings between threads');
const RECORDS = fullRun ? 500_000 : 60_000;

async function run(producer: WakeKind, consumer: WakeKind, capacity: number, seed: number): Promise<void> {
  const ring = createRing(capacity);
  const wakes = { producer: createWake(producer), consumer: createWake(consumer) };
  const start = (role: 'producer' | 'consumer', other: 'producer' | 'consumer') => {
    const workerData: RingThreadData = {
      role,
      ring,
      own: wakes[role],
      other: wakes[other],
      seed,
      records: RECORDS,
    };
    return new Worker(new URL('./ring-thread.js', import.meta.url), { workerData });
  };
  const workers = [start('producer', 'consumer'), start('consumer', 'producer')];
  try {
    // A thread that throws rejects here; one that sleeps through its wake-up meets the time limit of the test run.
    const done = await Promise.all(workers.map((worker) => once(worker, 'message')));
    assert.equal(done, [['done'], ['done']]);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

for (const producer of ['park', 'doorbell'] as const) {
  for (const consumer of ['park', 'doorbell'] as const) {
    test(`producer: ${producer}, consumer: ${consumer}`, async () => {
      await run(producer, consumer, 4096, 1);
      await run(producer, consumer, 64 * 1024, 2);
    });
  }
}

test.run();
