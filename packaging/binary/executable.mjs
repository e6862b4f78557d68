/** Makes the single executable: Node.js with our modules and the addon inside, as Node's documentation describes it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import loader from '../../native/load.cjs';
import { packagesOf } from '../lib/bill-of-materials.mjs';
import { SetupError } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { writeModules } from './modules.mjs';
import { runtimeFolder } from './runtime.mjs';
import { putStarterBefore } from './starter.mjs';

const LOADER = 'loader.cjs';
const ADDON = 'ringmq.node';
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Writes it to `output`; `work` is an empty folder for what comes in between. Returns what of others is in it. */
export async function makeExecutable(output, work) {
  const runtime = await runtimeFolder();
  const node = join(runtime, 'bin/node');
  const { blob, inputs } = await makeBlob(node, work);
  const program = join(work, 'program');
  copyFileSync(node, program);
  // Symbols and debug information are a seventh of it.
  await must('strip', [program], 'the symbols of Node.js could not be taken out');
  const { inject } = await import('postject');
  await inject(program, RESOURCE, readFileSync(blob), { sentinelFuse: FUSE });
  await putStarterBefore(program, output, work);
  await must(output, ['--version'], 'the executable was made but does not run');
  // The addon is compiled with the headers of that package.
  const packages = packagesOf([...inputs, 'node_modules/node-addon-api/napi.h']);
  return { packages, nodeLicence: join(runtime, 'LICENSE') };
}

/** With the same Node.js that it goes into: the form is that version's own. */
async function makeBlob(node, work) {
  const { names, inputs } = await writeModules(work);
  copyFileSync(join(root, 'packaging/binary', LOADER), join(work, LOADER));
  copyFileSync(join(root, loader.BUILT), join(work, ADDON));
  writeFileSync(
    join(work, 'program.cjs'),
    `${readFileSync(join(work, LOADER), 'utf8')}\nbegin('main.cjs');\n`,
  );
  const assets = Object.fromEntries([...names, LOADER, ADDON].map((name) => [name, name]));
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
