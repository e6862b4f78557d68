/** `npm run build:binary`: one file that runs without Node.js, npm and a compiler, with its checksum beside it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import loader from '../native/load.cjs';
import { makeExecutable } from './binary/executable.mjs';
import { runtimeVersion } from './binary/runtime.mjs';
import { runCommand } from './lib/errors.mjs';
import { root } from './lib/paths.mjs';
import { setup } from './setup.mjs';

const FOLDER = join(root, 'dist/binary');

await runCommand(async () => {
  await setup();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = join(FOLDER, `ringmq-${version}-${loader.target()}`);
  mkdirSync(FOLDER, { recursive: true });
  const work = mkdtempSync(join(FOLDER, 'work-'));
  try {
    const fresh = join(work, 'fresh');
    await makeExecutable(fresh, work);
    renameSync(fresh, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  writeFileSync(`${file}.sha256`, `${sum}  ${basename(file)}\n`);
  const size = Math.round(statSync(file).size / 2 ** 20);
  console.log(`${file}: ${size} MiB, Node.js ${runtimeVersion}, sha256 ${sum}`);
});
