/** `npm start` and `npm run ringmq -- <command>`: set up what is missing, then become the command line tool. */
import { runCommand } from './lib/errors.mjs';
import { continueAs } from './lib/start.mjs';
import { setup } from './setup.mjs';

await runCommand(async () => {
  await setup({ run: true });
  await continueAs('dist/bundle/main.cjs', process.argv.slice(2));
});
