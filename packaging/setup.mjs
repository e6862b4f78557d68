/**
 * Brings a fresh clone to the point where it runs: packages, native addon, bundles with their type declarations; for
 * tests and benchmarks compiled TypeScript and mmap-io too. What is up to date is skipped, so that every command can
 * start with it; what it takes to perform a step is loaded when one is due.
 */
import { pathToFileURL } from 'node:url';
import { runCommand, SetupError } from './lib/errors.mjs';
import { nodeSentence } from './lib/node-version.mjs';
import { addon } from './steps/addon.mjs';
import { bundle } from './steps/bundle.mjs';
import { dependencies } from './steps/dependencies.mjs';

/** Number of steps that had to be done. `dev` adds what only tests and benchmarks need. */
export async function setup({ dev = false, stream = process.stdout } = {}) {
  const steps = dev ? await devSteps() : [dependencies, addon, bundle];
  if (steps.some((step) => step.isDue()))
    return (await import('./lib/perform.mjs')).performDue(steps, stream);
  if (nodeSentence() !== '') throw new SetupError(nodeSentence());
  return 0;
}

async function devSteps() {
  const [{ mmapIo }, { typescript }] = await Promise.all([
    import('./steps/mmap-io.mjs'),
    import('./steps/typescript.mjs'),
  ]);
  return [dependencies, addon, mmapIo, bundle, typescript];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runCommand(async () => {
    if ((await setup({ dev: process.argv.includes('--dev') })) === 0)
      console.log('setup: everything is up to date');
  });
}
