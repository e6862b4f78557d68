import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { clearStamp, readStamp, sourcesOf, writeStamp } from '../lib/stamps.mjs';

const SOURCES = ['src', 'test', 'bench'];
const fingerprint = () => sourcesOf(...SOURCES, 'tsconfig.json', 'node_modules/typescript/package.json');

export class CompileError extends SetupError {}

/** dist/src, dist/test and dist/bench from the TypeScript sources: what tests and benchmarks run. */
export const typescript = {
  title: 'compiling TypeScript',
  isDue: () => !existsSync(join(root, 'dist/src')) || readStamp('typescript') !== fingerprint(),
  async perform() {
    clearStamp('typescript');
    // The compiler trusts its build information even when the output is gone.
    if (!existsSync(join(root, 'dist/src'))) rmSync(join(root, 'dist/.tsbuildinfo'), { force: true });
    const made = fingerprint();
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { ok, output } = await run(process.execPath, [compiler, '-p', 'tsconfig.json']);
    for (const folder of SOURCES) removeOrphans(folder);
    if (!ok) throw new CompileError(`${output}\nThe TypeScript sources do not compile; see above.`);
    writeStamp('typescript', made);
  },
};

/** Removes the output of deleted sources: a deleted test must not run for ever. */
function removeOrphans(folder) {
  const output = join(root, 'dist', folder);
  if (!existsSync(output)) return;
  for (const entry of readdirSync(output, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      removeOrphans(path);
    } else if (!existsSync(join(root, path.replace(/(\.d\.ts|\.js(\.map)?)$/, '.ts')))) {
      rmSync(join(root, 'dist', path));
    }
  }
}
