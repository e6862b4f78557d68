/** `npm start` and `npm run ringmq -- <command>`: set up what is missing, then become the command line tool. */
import { runCommand, SetupError } from './lib/errors.mjs';
import { continueAs } from './lib/start.mjs';
import { setup } from './setup.mjs';

await runCommand(async () => {
  const args = process.argv.slice(2);
  if (process.env.npm_lifecycle_event !== undefined) await requireDashes(args);
  await setup();
  await continueAs('dist/bundle/main.cjs', args);
});

async function requireDashes(args) {
  const { forgottenDashes } = await import('./lib/npm-options.mjs');
  const mistake = forgottenDashes(args);
  if (mistake !== '') throw new SetupError(mistake);
}
