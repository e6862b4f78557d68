import { statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { contentsOf, readStamp, writeStamp } from '../lib/stamps.mjs';

const timeOf = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;

function isDue() {
  const wanted = timeOf('package-lock.json');
  // Installed as somebody's dependency: npm has done it.
  if (wanted === undefined) return false;
  const installed = timeOf('node_modules/.package-lock.json');
  if (installed === undefined) return true;
  const stamp = readStamp('dependencies');
  return stamp === '' ? installed < wanted : stamp !== contentsOf('package-lock.json');
}

/** The npm packages of the lock file, without their install scripts: what has to be built is a step of its own. */
export const dependencies = {
  title: 'installing npm packages',
  isDue,
  async perform() {
    const { ok, output } = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
    if (!ok)
      throw new SetupError(`${output}\nnpm could not install the packages of package-lock.json; see above.`);
    writeStamp('dependencies', contentsOf('package-lock.json'));
  },
};
