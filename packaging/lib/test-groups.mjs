import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const standard = { parallel: 1, limitSeconds: 120 };

/** Cheapest first, so that a plain mistake shows within seconds. */
export const groups = {
  lint: standard,
  unit: { ...standard, parallel: 2 },
  native: standard,
  fuzz: { ...standard, parallel: 2 },
  sim: { ...standard, limitSeconds: 900 },
  threads: standard,
  crash: standard,
  // The full run takes ten minutes.
  hostile: { ...standard, limitSeconds: 1500 },
  interop: { ...standard, limitSeconds: 600 },
  // What a newcomer does, in fresh clones: fetches packages and takes minutes, so it runs when it is asked for.
  newcomer: { ...standard, limitSeconds: 2400, onRequest: true },
};

/** Compiled test files of a group, relative to the project folder. */
export function testFiles(group) {
  const folder = join('dist/test', group);
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => join(folder, name));
}
