// What is prepared once for all test files, of which several may run at a time: one process does it, the others wait.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './paths.ts';

const PAUSE_MS = 100;
const path = join(cache, 'lock');

/** Runs it while no other process is within its own. A process that has died holds nothing. */
export function alone<T>(work: () => T): T {
  mkdirSync(cache, { recursive: true });
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!tryLock()) Atomics.wait(cell, 0, 0, PAUSE_MS);
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!isHeld()) rmSync(path, { force: true });
  return false;
}

function isHeld(): boolean {
  const pid = Number(readHolder());
  // Just made, or just removed.
  if (!(pid > 0)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readHolder(): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
