/**
 * `npm run bench:starts`: how long name server and broker take to start and to stop, and what memory they have then.
 * RocketMQ's name server is a process of its own, started before its broker; RingMQ has both in one.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartContext } from '../broker-process.ts';
import { RunFolder, removeFolder } from '../cleanup.ts';
import { contestantOf } from '../compare/contestants.ts';
import { type Contestant, RINGMQ, ROCKETMQ } from '../contestant.ts';
import { DisturbanceWatch } from '../disturbance.ts';
import { fetchRocketMq, requireJava } from '../fetch.ts';
import { alignedTable } from '../format.ts';
import { LoadRun } from '../load-run.ts';
import { describeMachine } from '../machine.ts';
import { CACHE, runProgram, say } from '../program.ts';
import { ensureFreshBundle } from '../ringmq-program.ts';
import { startTarget } from '../start.ts';
import { spread } from '../statistics.ts';
import { type LoadedStop, stopAndStart } from './loaded.ts';
import { parseStartsOptions, STARTS_USAGE, type StartsOptions } from './options.ts';

/** Until then a broker does what a start leaves to later. */
const REST_MS = 3_000;
const LOADED = ['loadedStopMs', 'loadedStartMs'] as const;
const FIRST_NAME = 'A'.charCodeAt(0);

interface Start {
  contestant: string;
  /** From the call that starts the first process until the broker says that it serves, ms. */
  startMs: number;
  /** From SIGTERM until the broker's process has ended, ms. */
  stopMs: number;
  /** Of the broker's process at rest. */
  anonymousBytes: number;
  loaded?: LoadedStop;
}

interface Turn {
  context: StartContext;
  /** For the stop and the start under load; undefined = without them. */
  load: LoadRun | undefined;
}

async function startOnce({ context, load }: Turn, contestant: Contestant, round: number): Promise<Start> {
  const home = path.join(context.folder.path, `${contestant.name}-${round}`);
  const began = performance.now();
  const target = await startTarget(context, contestant, 'ASYNC_FLUSH', home);
  const startMs = performance.now() - began;
  await sleep(REST_MS);
  const { anonymousBytes } = target.memory;
  const stops = performance.now();
  await target.stopCleanly();
  const stopMs = performance.now() - stops;
  const loaded = load === undefined ? undefined : await stopAndStart(context, load, contestant, home);
  removeFolder(home);
  return { contestant: contestant.title, startMs, stopMs, anonymousBytes, ...(loaded ? { loaded } : {}) };
}

function cell(
  title: string,
  starts: readonly Start[],
  figure: (start: Start) => number,
  unit: string,
): string {
  const { median, min, max } = spread(starts.filter(({ contestant }) => contestant === title).map(figure));
  const [m, low, high] = [median, min, max].map((value) => Math.round(value));
  return `${m} (${low} – ${high}) ${unit}`;
}

function table(contestants: readonly Contestant[], starts: readonly Start[]): string {
  const isLoaded = starts.some(({ loaded }) => loaded !== undefined);
  const rows = contestants.map(({ title }) => [
    title,
    cell(title, starts, ({ startMs }) => startMs, 'ms'),
    cell(title, starts, ({ stopMs }) => stopMs, 'ms'),
    cell(title, starts, ({ anonymousBytes }) => anonymousBytes / 2 ** 20, 'MiB'),
    ...(isLoaded
      ? LOADED.map((figure) => cell(title, starts, ({ loaded }) => loaded?.[figure] ?? 0, 'ms'))
      : []),
  ]);
  const more = isLoaded ? ['stop under load', 'start under load'] : [];
  return alignedTable([['', 'start', 'clean stop', 'anonymous memory of the broker', ...more], ...rows]);
}

async function run({ others, rounds, heap, json, isLoaded }: StartsOptions): Promise<number> {
  const folder = new RunFolder(CACHE);
  const contestants = [ROCKETMQ, RINGMQ];
  for (const [at, wanted] of others.entries())
    contestants.push(await contestantOf(String.fromCharCode(FIRST_NAME + at), wanted, folder));
  await ensureFreshBundle(say);
  await requireJava(folder);
  const context = { folder, lib: await fetchRocketMq(folder, CACHE, say), heap };
  const load = isLoaded ? new LoadRun(folder, new DisturbanceWatch(folder)) : undefined;
  const starts: Start[] = [];
  for (let round = 0; round < rounds; round++)
    for (const contestant of contestants) {
      const start = await startOnce({ context, load }, contestant, round);
      say(`${round + 1}/${rounds} ${start.contestant}: ${Math.round(start.startMs)} ms`);
      starts.push(start);
    }
  process.stdout.write(`\n${table(contestants, starts)}\n`);
  const machine = describeMachine(folder.path);
  if (json !== undefined) fs.writeFileSync(json, `${JSON.stringify({ machine, heap, starts }, null, 2)}\n`);
  return 0;
}

await runProgram({ name: 'bench:starts', usage: STARTS_USAGE, parse: parseStartsOptions, run });
