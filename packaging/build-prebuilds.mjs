/**
 * `npm run build:prebuilds`: the addon for x64 and arm64, glibc and musl, into `dist/prebuilds`. The next `npm pack`
 * takes them along, so that the package needs a compiler on none of these.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { builtFor, crossAddonStep } from './cross/addon.mjs';
import { targetArgument, targetNames, targetOf } from './cross/targets.mjs';
import { runCommand } from './lib/errors.mjs';
import { root } from './lib/paths.mjs';
import { performDue } from './lib/perform.mjs';
import { dependencies } from './steps/dependencies.mjs';

await runCommand(async () => {
  const chosen = targetArgument(process.argv.slice(2));
  const targets = chosen ? [chosen] : targetNames.map(targetOf);
  await performDue([dependencies, ...targets.map(crossAddonStep)], process.stdout);
  for (const target of targets) {
    const path = builtFor(target);
    const sum = createHash('sha256').update(readFileSync(path)).digest('hex');
    console.log(`${relative(root, path)}: sha256 ${sum}`);
  }
});
