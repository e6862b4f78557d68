/** `npm run build:deb`: a Debian package of the single executable. */
import { artefactFolder } from './binary/build.mjs';
import { buildDebianPackage } from './debian/build.mjs';
import { runCommand } from './lib/errors.mjs';

await runCommand(async () => {
  const { file, sum } = await buildDebianPackage(artefactFolder());
  console.log(`${file}: sha256 ${sum}`);
});
