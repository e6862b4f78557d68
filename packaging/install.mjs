/**
 * npm's install script in somebody's project: the addon that came along is taken when it fits and loads, else it is
 * built from the sources of the package. It never fails the installation, because a project may install RingMQ on
 * machines that only compile or lint; what is missing is noted, and whoever imports RingMQ is told.
 */
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import loader from '../native/load.cjs';
import { AddonBuild } from './lib/addon-build.mjs';
import { SetupError } from './lib/errors.mjs';
import { run } from './lib/exec.mjs';
import { nodeSentence } from './lib/node-version.mjs';
import { root } from './lib/paths.mjs';
import { Progress } from './lib/progress.mjs';
import { COMPILER, toolsSentence } from './lib/tools.mjs';

const note = join(root, loader.NOTE);
const byNpm = process.env.npm_lifecycle_event === 'install';

/** A clone is set up by `prepare` and `npm run setup`. */
if (!loader.isClone(root)) await install();

async function install() {
  if (process.platform !== 'linux') return giveUp(loader.elsewhere(process.platform));
  rmSync(note, { force: true });
  if (await loads()) return;
  const lack = nodeSentence() || toolsSentence(COMPILER);
  if (lack !== '') return giveUp(`It has to be built, and for that ${lack}`);
  const gyp = findGyp();
  if (gyp === undefined)
    return giveUp('It has to be built, and the node-gyp of npm was not found: install npm.');
  await build(gyp);
}

/** Tried in a process of its own: what does not fit may do worse than throw. */
async function loads() {
  const script = `require(${JSON.stringify(join(root, 'native/load.cjs'))}).loadAddon()`;
  return (await run(process.execPath, ['-e', script])).ok;
}

async function build(gyp) {
  const progress = new Progress('building the native addon', process.stderr);
  const addonBuild = new AddonBuild();
  let outcome = 'failed';
  try {
    await addonBuild.perform(gyp, progress);
    outcome = 'done';
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    giveUp('It could not be built.', error.message);
  } finally {
    progress.end(outcome);
    rmSync(join(root, '.cache'), { recursive: true, force: true });
  }
}

/** npm shows the output of an install script only when it fails, so the sentence is left for the import too. */
function giveUp(sentence, details = '') {
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, `${sentence}\n`);
  console.error(
    [details, `RingMQ is installed without its native addon for ${loader.target()}.`, sentence].join('\n'),
  );
  console.error('Importing RingMQ will say so too.');
  if (!byNpm) process.exitCode = 1;
}

/** npm brings node-gyp along, and names it to install scripts. */
function findGyp() {
  if (process.env.npm_config_node_gyp) return process.env.npm_config_node_gyp;
  for (const npm of npmPrograms()) {
    try {
      return createRequire(realpathSync(npm)).resolve('node-gyp/bin/node-gyp.js');
    } catch {
      // Not here, or an npm that is laid out in another way.
    }
  }
  return undefined;
}

function npmPrograms() {
  const folders = [dirname(process.execPath), ...(process.env.PATH ?? '').split(':')];
  return folders.map((folder) => join(folder, 'npm'));
}
