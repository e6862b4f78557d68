import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, troubleIn } from '../lib/errors.mjs';
import { root } from '../lib/paths.mjs';
import { contentsOf, readStamp, writeStamp } from '../lib/stamps.mjs';

const timeOf = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;

function isDue() {
  const wanted = timeOf('package-lock.json');
  const installed = timeOf('node_modules/.package-lock.json');
  if (installed === undefined) return true;
  const stamp = readStamp('dependencies');
  if (stamp !== '') return stamp !== contentsOf('package-lock.json');
  // Somebody called npm: without the packages that build, perhaps.
  return installed < wanted || !existsSync(join(root, 'node_modules/esbuild'));
}

/** The npm packages of the lock file, without their install scripts: what has to be built is a step of its own. */
export const dependencies = {
  title: 'installing npm packages',
  needs: 'npm',
  isDue,
  async perform(progress) {
    progress.detail = () => `${countPackages()} packages unpacked`;
    // NODE_ENV=production would leave out what builds.
    const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { run } = await import('../lib/exec.mjs');
    const { ok, output } = await run('npm', args);
    if (!ok) {
      const what = 'npm could not install the packages of package-lock.json; see above.';
      throw new SetupError(`${output}\n${troubleIn(output) ?? what}`);
    }
    writeStamp('dependencies', contentsOf('package-lock.json'));
  },
};

/** npm makes all folders first; a package is there when it has its description. */
function countPackages() {
  return packageFolders('node_modules').filter((path) => existsSync(join(root, path, 'package.json'))).length;
}

function packageFolders(folder) {
  if (!existsSync(join(root, folder))) return [];
  const paths = readdirSync(join(root, folder)).map((name) => join(folder, name));
  return paths.flatMap((path) => (/@[^/]+$/.test(path) ? packageFolders(path) : [path]));
}
