/** Runs labs one after the other, each in a process of its own; one that fails or cannot run is told, the rest goes on. */
import { fork } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mebibytes } from '../../rocketmq/format.ts';
import type { Measured, News, Order } from './lab.process.ts';
import { CannotRun, type Lab, type Scale } from './lab.ts';

const LAB_PROCESS = fileURLToPath(new URL('./lab.process.js', import.meta.url));
/** Room that is left to others on the disk. */
const SPARE_BYTES = 64 << 20;

export interface LabResult {
  name: string;
  lab: Lab;
  seconds: number;
  measured?: Measured;
  /** Why nothing was measured: the machine lacks something. */
  cannotRun?: string;
  /** Why nothing was measured: it is a fault. */
  failure?: string;
}

export interface RunParts {
  /** The lab's files lie in a directory below it. */
  folder: string;
  scale: Scale;
  say: (line: string) => void;
  freeBytes?: (folder: string) => number;
}

function freeBytesIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function inProcess(order: Order, say: (line: string) => void): Promise<Measured> {
  const child = fork(LAB_PROCESS);
  return new Promise((resolve, reject) => {
    let end: Measured | CannotRun | undefined;
    child.on('message', (message) => {
      const news = message as News;
      if ('measured' in news) end = news.measured;
      else if ('cannotRun' in news) end = new CannotRun(news.cannotRun);
      else say(news.round === 0 ? '  warm-up' : `  round ${news.round} of ${news.rounds}`);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (end instanceof CannotRun) reject(end);
      else if (code === 0 && end !== undefined) resolve(end);
      else reject(new Error(`its process ended with ${signal ?? `code ${code}`}`));
    });
    child.send(order);
  });
}

async function measure(name: string, lab: Lab, parts: RunParts): Promise<Measured> {
  const { folder, scale, say, freeBytes = freeBytesIn } = parts;
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  try {
    const needed = lab.bytes(scale) + SPARE_BYTES;
    const free = freeBytes(own);
    if (free < needed) {
      const there = `there are ${mebibytes(free)} in ${folder}`;
      throw new CannotRun(`it needs ${mebibytes(needed)} of free disk, and ${there}`);
    }
    return await inProcess({ name, folder: own, scale }, say);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

export async function runLab(name: string, lab: Lab, parts: RunParts): Promise<LabResult> {
  const from = performance.now();
  const secondsSince = () => (performance.now() - from) / 1000;
  try {
    const measured = await measure(name, lab, parts);
    return { name, lab, measured, seconds: secondsSince() };
  } catch (error) {
    const { message } = error as Error;
    const end = error instanceof CannotRun ? { cannotRun: message } : { failure: message };
    return { name, lab, ...end, seconds: secondsSince() };
  }
}
