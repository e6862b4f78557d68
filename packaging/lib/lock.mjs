import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './paths.mjs';

const path = join(root, '.cache', 'setup.lock');

/** Runs one set-up at a time: `npm start` and `npm test` side by side must not build into the same folder. */
export async function withSetupLock(work) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  while (!tryLock()) await sleep(100);
  try {
    return await work();
  } finally {
    releaseSetupLock();
  }
}

/** For who holds it. */
export function releaseSetupLock() {
  rmSync(path, { force: true });
}

function tryLock() {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isHeld()) rmSync(path, { force: true });
  return false;
}

function isHeld() {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
