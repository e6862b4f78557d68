/** `npm run build:deb`: a Debian package of the single executable; `-- --target linux-arm64` for another machine. */
import { artefactFolder } from './binary/build.mjs';
import { targetArgument } from './cross/targets.mjs';
import { buildDebianPackage } from './debian/build.mjs';
import { runCommand } from './lib/errors.mjs';

await runCommand(async () => {
  const { file, sum } = await buildDebianPackage(artefactFolder(), targetArgument(process.argv.slice(2)));
  console.log(`${file}: sha256 ${sum}`);
});
