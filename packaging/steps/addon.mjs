import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../lib/errors.mjs';
import { environmentWithout, run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';
import { readStamp, sourcesOf, writeStamp } from '../lib/stamps.mjs';
import { requireCompiler } from '../lib/tools.mjs';

const { platform, arch, versions } = process;
const runtime = [platform, arch, versions.modules, versions.napi].join(' ');
const fingerprint = () => `${runtime} ${sourcesOf('native', 'binding.gyp', 'packaging/nodedir')}`;

/** The C++ addon. Its headers come from npm, so a fresh machine downloads nothing else. */
export const addon = {
  title: 'building the native addon',
  isDue: () => !existsSync(join(root, 'build/Release/ringmq.node')) || readStamp('addon') !== fingerprint(),
  async perform() {
    requireCompiler();
    const made = fingerprint();
    const commands = readStamp('addon').startsWith(`${runtime} `) ? ['configure', 'build'] : ['rebuild'];
    for (const command of commands) await gyp(command);
    writeStamp('addon', made);
  },
};

async function gyp(command) {
  const script = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  const settings = [`--nodedir=${join(root, 'packaging/nodedir')}`, '--jobs=max', '--loglevel=warn'];
  // npm hands its user settings down by the environment, and there they win over the command line.
  const env = environmentWithout(/^npm_/i);
  const { ok, output } = await run(process.execPath, [script, command, ...settings], { env });
  if (!ok) throw new SetupError(`${output}\nThe native addon does not build; see above.`);
}
