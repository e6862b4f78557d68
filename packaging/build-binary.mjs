/**
 * `npm run build:binary`: one file that runs without Node.js, npm and a compiler; beside it its checksum, a bill of
 * materials and the licences of what is in it. `-- --target linux-arm64` makes it for another machine.
 */
import { statSync } from 'node:fs';
import { artefactFolder, buildBinary } from './binary/build.mjs';
import { targetArgument } from './cross/targets.mjs';
import { runCommand } from './lib/errors.mjs';

await runCommand(async () => {
  const { file, sum, node } = await buildBinary(artefactFolder(), targetArgument(process.argv.slice(2)));
  const size = Math.round(statSync(file).size / 2 ** 20);
  console.log(`${file}: ${size} MiB, Node.js ${node}, sha256 ${sum}`);
});
