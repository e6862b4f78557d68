import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import loader from '../../native/load.cjs';
import { billOfMaterials, licences } from '../lib/bill-of-materials.mjs';
import { buildTime } from '../lib/build-time.mjs';
import { root } from '../lib/paths.mjs';
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

/** Builds the executable into the folder, with what comes beside it. */
export async function buildBinary(folder) {
  await setup();
  const file = join(folder, `ringmq-${version}-${loader.target()}`);
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    const fresh = join(work, 'fresh');
    const { packages, nodeLicence } = await makeExecutable(fresh, work);
    const bill = billOfMaterials({ version, packages, node: runtimeVersion, time: await buildTime() });
    writeFileSync(`${file}.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`);
    writeFileSync(`${file}.licences.txt`, licences(packages, nodeLicence));
    renameSync(fresh, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { file, sum: writeSum(file) };
}

/** `<file>.sha256`, as sha256sum writes and checks it. */
export function writeSum(file) {
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  writeFileSync(`${file}.sha256`, `${sum}  ${basename(file)}\n`);
  return sum;
}
