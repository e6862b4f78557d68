/** `npm run bench`: set up what is missing, then become the benchmark of that name. */
import { runCommand, SetupError } from './lib/errors.mjs';
import { continueAs } from './lib/start.mjs';
import { setup } from './setup.mjs';

const NAMES = ['micro', 'rocketmq', 'compare'];

await runCommand(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!NAMES.includes(name))
    throw new SetupError(`Usage: node packaging/bench.mjs <${NAMES.join('|')}> [arguments]`);
  await setup({ dev: true });
  await continueAs(`dist/bench/${name}/main.js`, args);
});
