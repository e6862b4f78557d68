import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/** Two files at a time where most of a test is waiting, or one busy thread. */
const standard = { parallel: 2, limitSeconds: 120 };

/** Cheapest first, so that a plain mistake shows within seconds. */
export const groups = {
  lint: standard,
  // Failures of starts are 33 processes, of which each takes seconds on a busy machine.
  unit: { ...standard, limitSeconds: 300 },
  native: { ...standard, parallel: 1 },
  // The full run takes minutes.
  fuzz: { ...standard, limitSeconds: 900 },
  sim: { ...standard, limitSeconds: 1800 },
  threads: { ...standard, limitSeconds: 240 },
  crash: { ...standard, limitSeconds: 240 },
  // The full run takes ten minutes.
  hostile: { ...standard, limitSeconds: 1500 },
  // Three, as most of a test is waiting for times to pass.
  interop: { ...standard, parallel: 3, limitSeconds: 600 },
  packages: { ...standard, parallel: 1, limitSeconds: 600 },
  // Installs, clones, other Node.js versions, the commands of all pages: minutes, and several registries.
  newcomer: { ...standard, parallel: 1, limitSeconds: 2400, onlyFull: true },
};

/** The groups that are named, or all; some run only with `--full` or when they are named. */
export function chosenGroups(names, full) {
  const isChosen = (group) => (names.length === 0 ? full || !groups[group].onlyFull : names.includes(group));
  return Object.keys(groups).filter(isChosen);
}

/** Compiled test files of a group, relative to the project folder. */
export function testFiles(group) {
  const folder = join('dist/test', group);
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(folder, name));
}
