/**
 * Brings a fresh clone to the point where it runs: packages, native addon, bundles with their type declarations; for
 * tests and benchmarks compiled TypeScript and mmap-io too. What is up to date is skipped, so that every command can
 * start with it.
 */
import { pathToFileURL } from 'node:url';
import { runCommand } from './lib/errors.mjs';
import { endRunning } from './lib/exec.mjs';
import { releaseSetupLock, withSetupLock } from './lib/lock.mjs';
import { Progress } from './lib/progress.mjs';
import { nodeSentence, requireMachine, requireWritable } from './lib/tools.mjs';
import { addon } from './steps/addon.mjs';
import { bundle } from './steps/bundle.mjs';
import { dependencies } from './steps/dependencies.mjs';
import { mmapIo } from './steps/mmap-io.mjs';
import { typescript } from './steps/typescript.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Number of steps that had to be done. `dev` adds what only tests and benchmarks need. */
export async function setup({ dev = false, stream = process.stdout } = {}) {
  if (nodeSentence() !== '') requireMachine([]);
  const steps = [dependencies, addon, ...(dev ? [mmapIo] : []), bundle, ...(dev ? [typescript] : [])];
  const due = steps.filter((step) => step.isDue());
  if (due.length === 0) return 0;
  requireMachine(due.flatMap((step) => step.tools ?? []));
  requireWritable();
  return withSetupLock(() => endingWithSignals(() => performDue(steps, stream)));
}

async function performDue(steps, stream) {
  let performed = 0;
  for (const step of steps) {
    // Asked again: an earlier step may have changed the answer, or another process may have done it.
    if (!step.isDue()) continue;
    await performAloud(step, stream);
    performed += 1;
  }
  return performed;
}

async function performAloud(step, stream) {
  const progress = new Progress(step.title, stream);
  let outcome = 'failed';
  try {
    outcome = (await step.perform(progress)) ?? 'done';
  } finally {
    progress.end(outcome);
  }
}

/** A set-up that is told to end takes along what it has started, and lets the lock go. */
async function endingWithSignals(work) {
  const end = (signal) => {
    endRunning();
    releaseSetupLock();
    console.error(
      `\nThe set-up was ended by ${signal}. What is done stays; the next start goes on from there.`,
    );
    process.exit(1);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommand(async () => {
    if ((await setup({ dev: process.argv.includes('--dev') })) === 0)
      console.log('setup: everything is up to date');
  });
}
