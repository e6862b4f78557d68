/** `npm start` and `npm run ringmq -- <command>`: set up what is missing, then become the command line tool. */
import { runCommand, SetupError } from './lib/errors.mjs';
import { forgottenDashes } from './lib/npm-options.mjs';
import { continueAs } from './lib/start.mjs';
import { setup } from './setup.mjs';

await runCommand(async () => {
  const args = process.argv.slice(2);
  const mistake = forgottenDashes(args);
  if (mistake !== '') throw new SetupError(mistake);
  await setup();
  await continueAs('dist/bundle/main.cjs', args);
});
