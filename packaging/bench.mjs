/** `npm run bench`, `npm run labs`: set up what is missing, then become the benchmark of that name. */
import { runCommand, SetupError } from './lib/errors.mjs';
import { continueAs } from './lib/start.mjs';
import { setup } from './setup.mjs';

const PROGRAMS = {
  micro: 'dist/bench/micro/main.js',
  rocketmq: 'dist/bench/rocketmq/main.js',
  compare: 'dist/bench/rocketmq/compare/main.js',
  profile: 'dist/bench/rocketmq/profile/main.js',
  timers: 'dist/bench/rocketmq/timers/main.js',
  starts: 'dist/bench/rocketmq/starts/main.js',
  threads: 'dist/bench/rocketmq/threads/main.js',
  labs: 'dist/bench/labs/main.js',
};

await runCommand(async () => {
  const [name, ...args] = process.argv.slice(2);
  const program = PROGRAMS[name];
  if (program === undefined)
    throw new SetupError(`Usage: node packaging/bench.mjs <${Object.keys(PROGRAMS).join('|')}> [arguments]`);
  await setup({ dev: true });
  await continueAs(program, args);
});
