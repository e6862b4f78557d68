/**
 * Brings a fresh clone to the point where it runs: packages, native addon, bundles; compiled TypeScript, which tests
 * and the type declarations of the library are; for tests and benchmarks mmap-io too. What is up to date is skipped, so
 * that every command can start with it.
 */
import { pathToFileURL } from 'node:url';
import { runCommand } from './lib/errors.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { requireNode } from './lib/tools.mjs';
import { addon } from './steps/addon.mjs';
import { bundle } from './steps/bundle.mjs';
import { dependencies } from './steps/dependencies.mjs';
import { mmapIo } from './steps/mmap-io.mjs';
import { typescript } from './steps/typescript.mjs';

/**
 * Number of steps that had to be done. `dev` adds what only tests and benchmarks need. Running the broker takes neither
 * that nor, with `run`, the compiler's output: bundles are made from the sources.
 */
export async function setup({ dev = false, run = false } = {}) {
  requireNode();
  const steps = [dependencies, addon, ...(dev ? [mmapIo] : []), bundle, ...(run ? [] : [typescript])];
  if (!steps.some((step) => step.isDue())) return 0;
  return withSetupLock(() => performDue(steps));
}

async function performDue(steps) {
  let performed = 0;
  for (const step of steps) {
    // Asked again: an earlier step may have changed the answer, or another process may have done it.
    if (!step.isDue()) continue;
    await performAloud(step);
    performed += 1;
  }
  return performed;
}

async function performAloud(step) {
  const start = performance.now();
  process.stdout.write(`setup: ${step.title} ... `);
  let outcome = 'failed';
  try {
    outcome = (await step.perform()) ?? 'done';
  } finally {
    console.log(`${outcome} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommand(async () => {
    if ((await setup({ dev: process.argv.includes('--dev') })) === 0)
      console.log('setup: everything is up to date');
  });
}
