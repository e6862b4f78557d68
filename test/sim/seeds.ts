/** Runs simulations by seed: here, or, when there are very many, in a thread for each processor. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { simulateStore } from './store-simulation.ts';

export interface Totals {
  lost: number;
  survived: number;
}

/** Fewer are not worth a thread. */
const SEEDS_PER_THREAD = 1000;
export const STEPS = 80;

/** Throws the first failure that is met, with its seed. */
export async function simulateSeeds(seeds: readonly number[]): Promise<Totals> {
  if (seeds.length < SEEDS_PER_THREAD) return runHere(seeds);
  const threads = availableParallelism();
  const parts = Array.from({ length: threads }, (_, n) => seeds.filter((_seed, i) => i % threads === n));
  const totals = await Promise.all(parts.map(runInThread));
  return totals.reduce((a, b) => ({ lost: a.lost + b.lost, survived: a.survived + b.survived }));
}

async function runHere(seeds: readonly number[]): Promise<Totals> {
  const totals = { lost: 0, survived: 0 };
  for (const seed of seeds) {
    const { lost, survived } = await simulateStore({ seed, steps: STEPS });
    totals.lost += lost;
    totals.survived += survived;
  }
  return totals;
}

function runInThread(seeds: number[]): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { seeds } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

if (!isMainThread && Array.isArray((workerData as { seeds?: unknown } | null)?.seeds)) {
  parentPort?.postMessage(await runHere((workerData as { seeds: number[] }).seeds));
}
