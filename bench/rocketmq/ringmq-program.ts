/** The file that `npm start` runs: what is measured is what users get. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_FOLDER } from './machine.ts';

interface SetupStep {
  isDue(): boolean;
  perform(): Promise<unknown>;
}

/** Commits from before the bundles ran the compiler's output. */
export function ringmqProgram(tree = PROJECT_FOLDER): string {
  const programs = ['dist/bundle/main.cjs', 'dist/src/cli/main.js'].map((file) => path.join(tree, file));
  const found = programs.find((file) => fs.existsSync(file));
  if (found === undefined) throw new Error('RingMQ is not built: run "npm run setup" first');
  return found;
}

/** The harness may be started without the set-up of `npm run`; a stale bundle must not be measured then. */
export async function ensureFreshBundle(say: (line: string) => void): Promise<void> {
  const file = path.join(PROJECT_FOLDER, 'packaging', 'steps', 'bundle.mjs');
  const { bundle } = (await import(pathToFileURL(file).href)) as { bundle: SetupStep };
  if (!bundle.isDue()) return;
  say('bundling RingMQ …');
  await bundle.perform();
}
