/** Makes the single executable: Node.js with our modules and the addon inside, as Node's documentation describes it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import loader from '../../native/load.cjs';
import { packagesOf } from '../lib/bill-of-materials.mjs';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { loadedPart, withSystemLibraries } from './elf.mjs';
import { writeModules } from './modules.mjs';
import { runtimeFolder } from './runtime.mjs';
import { putStarterBefore } from './starter.mjs';
import { withSymbolHash } from './symbol-hash.mjs';

const LOADER = 'loader.cjs';
/** Tells the loader for which machine it is. */
const TARGET = 'target';
const ADDON = basename(loader.BUILT);
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Writes it to `output`; `work` is an empty folder for what comes in between. `target` is another machine than this
 * one, `addon` the file of the one for it. Returns what of others is in it.
 */
export async function makeExecutable(output, work, { addon, target }) {
  const runtime = await runtimeFolder(target?.machine);
  const platform = target?.name ?? loader.target();
  const { blob, inputs } = await makeBlob(work, { addon, platform });
  const program = join(work, 'program');
  // Symbols and debug information are a seventh of it.
  const node = withSystemLibraries(loadedPart(readFileSync(join(runtime, 'bin/node'))));
  writeFileSync(program, node);
  // In a process of its own: it says much on stderr about what was left out.
  const args = [join(root, 'node_modules/postject/dist/cli.js'), program, RESOURCE, blob];
  await must(
    process.execPath,
    [...args, '--sentinel-fuse', FUSE],
    'the modules could not be put into Node.js',
  );
  writeFileSync(program, withSymbolHash(readFileSync(program), node));
  await putStarterBefore(program, output, { work, addon, target });
  if (canRun(target)) await must(output, ['--version'], 'the executable was made but does not run');
  // The addon is compiled with the headers of that package.
  const packages = packagesOf([...inputs, 'node_modules/node-addon-api/napi.h']);
  return { packages, nodeLicence: join(runtime, 'LICENSE') };
}

/** Whether this machine runs what is made for that one. */
function canRun(target) {
  return target === undefined || target.name === loader.target();
}

/** With the same Node.js that it goes into: the form is that version's own, whatever the processor. */
async function makeBlob(work, { addon, platform }) {
  const node = join(await runtimeFolder(), 'bin/node');
  const { names, inputs } = await writeModules(work);
  copyFileSync(join(root, 'packaging/binary', LOADER), join(work, LOADER));
  copyFileSync(addon, join(work, ADDON));
  writeFileSync(join(work, TARGET), platform);
  writeFileSync(
    join(work, 'program.cjs'),
    `${readFileSync(join(work, LOADER), 'utf8')}\nbegin('main.cjs');\n`,
  );
  const assets = Object.fromEntries([...names, LOADER, ADDON, TARGET].map((name) => [name, name]));
  const blob = join(work, 'blob');
  const config = { main: 'program.cjs', output: blob, disableExperimentalSEAWarning: true, assets };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
  await must(node, ['--experimental-sea-config', 'sea.json'], 'the modules could not be packed', work);
  return { blob, inputs };
}

async function must(command, args, what, cwd = root) {
  const { ok, output } = await run(command, args, { cwd });
  if (!ok) throw new SetupError(`${output}\n${what}; see above.`);
}
