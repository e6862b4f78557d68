/**
 * npm's `prepare`: before a package is made of this folder (`npm pack`, or an installation from a git address) and
 * after `npm install` here. Sets up what is out of date, and lays out what only a package has: the addon for this
 * machine where others look for it, those for other machines that `npm run build:prebuilds` has made, and the headers
 * with which others build their own. `--remove` takes that away again.
 */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import headers from '../native/headers.cjs';
import loader from '../native/load.cjs';
import { builtFor } from './cross/addon.mjs';
import { linkedLibraries } from './cross/compiler.mjs';
import { targetNames, targetOf } from './cross/targets.mjs';
import { billOfMaterials, licences, packagesOf } from './lib/bill-of-materials.mjs';
import { buildTime } from './lib/build-time.mjs';
import { runCommand } from './lib/errors.mjs';
import { forEveryone } from './lib/modes.mjs';
import { root } from './lib/paths.mjs';
import { setup } from './setup.mjs';

await runCommand(async () => {
  removeCarried();
  if (process.argv.includes('--remove')) return;
  // `npm pack --json` has stdout for itself.
  await setup({ stream: process.stderr });
  const crossBuilt = targetNames.map(targetOf).filter((target) => builtFor(target) !== undefined);
  carryAddon(loader.target(), join(root, loader.BUILT));
  // Over the one that was just put there: it asks for an older C library than what was built with this machine's.
  for (const target of crossBuilt) carryAddon(target.name, builtFor(target));
  for (const name of headers.HEADER_PACKAGES) carryHeaders(name);
  await carryBill(crossBuilt.length > 0 ? await linkedLibraries() : []);
  for (const made of ['dist/bundle', 'dist/types', 'prebuilds']) forEveryone(join(root, made));
});

function removeCarried() {
  rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
}

function carryAddon(name, built) {
  const target = join(root, loader.prebuilt(name));
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(built, target);
}

/** What of others is in the bundles and the addons; the packages that npm installs beside them have their own. */
async function carryBill(libraries) {
  const inputs = JSON.parse(readFileSync(join(root, 'dist/bundle/inputs.json'), 'utf8'));
  const packages = [...packagesOf([...inputs, 'node_modules/node-addon-api/napi.h']), ...libraries];
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const bill = billOfMaterials({ version, packages, time: await buildTime() });
  writeFileSync(join(root, 'prebuilds/bill-of-materials.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
  writeFileSync(join(root, 'prebuilds/licences.txt'), licences(packages));
}

/** The headers of a package and its licence. */
function carryHeaders(name) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const target = join(headers.CARRIED, name);
  const include = name === 'node-api-headers' ? join(folder, 'include') : folder;
  cpSync(include, target, { recursive: true, filter: (path) => path === include || path.endsWith('.h') });
  for (const file of readdirSync(folder).filter((entry) => entry.startsWith('LICENSE')))
    copyFileSync(join(folder, file), join(target, file));
}
