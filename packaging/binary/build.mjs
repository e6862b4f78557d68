import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import loader from '../../native/load.cjs';
import { builtFor, crossAddonStep } from '../cross/addon.mjs';
import { linkedLibraries } from '../cross/compiler.mjs';
import { billOfMaterials, licences } from '../lib/bill-of-materials.mjs';
import { buildTime } from '../lib/build-time.mjs';
import { root } from '../lib/paths.mjs';
import { performDue } from '../lib/perform.mjs';
import { setup } from '../setup.mjs';
import { makeExecutable } from './executable.mjs';
import { runtimeVersion } from './runtime.mjs';

export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Where artefacts go. */
export function artefactFolder() {
  const folder = join(root, 'dist/binary');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Builds the executable into the folder, with what comes beside it; `target` is another machine than this one. */
export async function buildBinary(folder, target) {
  await setup();
  const { platform, addon, libraries } = await partsFor(target);
  const file = join(folder, `ringmq-${version}-${platform}`);
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    const fresh = join(work, 'fresh');
    const { packages: own, nodeLicence } = await makeExecutable(fresh, work, { addon, target });
    const packages = [...own, ...libraries];
    const bill = billOfMaterials({
      version,
      packages,
      node: runtimeVersion(target?.machine),
      time: await buildTime(),
    });
    writeFileSync(`${file}.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`);
    writeFileSync(`${file}.licences.txt`, licences(packages, nodeLicence));
    renameSync(fresh, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { file, sum: writeSum(file), node: runtimeVersion(target?.machine) };
}

/** What depends on the machine that it is for: its name, the addon and the libraries that were linked into that. */
async function partsFor(target) {
  if (target === undefined)
    return { platform: loader.target(), addon: join(root, loader.BUILT), libraries: [] };
  await performDue([crossAddonStep(target)], process.stdout);
  return { platform: target.name, addon: builtFor(target), libraries: await linkedLibraries() };
}

/** `<file>.sha256`, as sha256sum writes and checks it. */
export function writeSum(file) {
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  writeFileSync(`${file}.sha256`, `${sum}  ${basename(file)}\n`);
  return sum;
}
