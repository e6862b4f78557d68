import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SetupError } from './errors.mjs';
import { root } from './paths.mjs';

/** Continues as `node <script> <args...>` in this process: a second process would double the time to start. */
export async function continueAs(script, args) {
  const path = join(root, script);
  if (!existsSync(path)) throw new SetupError(`${script} does not exist.`);
  process.argv = [process.argv[0], path, ...args];
  // A bundle reads its source maps itself, and only when it has a stack to print.
  if (path.endsWith('.cjs')) return createRequire(import.meta.url)(path);
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(path).href);
}
