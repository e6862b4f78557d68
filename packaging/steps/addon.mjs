import { existsSync } from 'node:fs';
import { join } from 'node:path';
import loader from '../../native/load.cjs';
import { root } from '../lib/paths.mjs';
import { readStamp, sourcesOf, writeStamp } from '../lib/stamps.mjs';

/** Nothing of the Node.js version: one binary serves all from 20 on. */
const fingerprint = () => `${loader.target()} ${sourcesOf('native', 'binding.gyp', 'packaging/nodedir')}`;

/** The C++ addon. Its headers come from npm, so a fresh machine downloads nothing else. */
export const addon = {
  title: 'building the native addon',
  needs: 'compiler',
  isDue: () => !existsSync(join(root, loader.BUILT)) || readStamp('addon') !== fingerprint(),
  async perform(progress) {
    const made = fingerprint();
    const { AddonBuild } = await import('../lib/addon-build.mjs');
    await new AddonBuild().perform(join(root, 'node_modules/node-gyp/bin/node-gyp.js'), progress);
    writeStamp('addon', made);
  },
};
