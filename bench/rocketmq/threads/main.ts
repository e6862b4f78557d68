/**
 * `npm run bench:threads`: what a message costs each thread of RingMQ, with several numbers of network threads, and so
 * which thread would be the limit where there is a processor for each. One broker alone has load, by turns.
 */
import fs from 'node:fs';
import { RunFolder } from '../cleanup.ts';
import { describeMachine } from '../machine.ts';
import { freePort } from '../ports.ts';
import { CACHE, runProgram, say } from '../program.ts';
import { ensureFreshBundle } from '../ringmq-program.ts';
import { QUICK, type Timing } from '../scenarios.ts';
import { metricsConf } from '../scraper.ts';
import type { Bench } from '../work/work.ts';
import type { ThreadRound } from './costs.ts';
import { measureShape, PinnedLoad, type Pins, ThreadWatch } from './measure.ts';
import { parseThreadsOptions, THREADS_USAGE, type ThreadsOptions } from './options.ts';
import { page } from './page.ts';
import { allowedProcessors, settled } from './pinning.ts';
import { type ShapeResult, shapeText, summaryTable } from './report.ts';
import { variantsOf } from './shapes.ts';

const TIMING: Timing = {
  ...QUICK,
  warmupSeconds: 3,
  warmupMessages: 400_000,
  pullBacklogMessages: 200_000,
  measuredSeconds: 3,
};
const BRIEF: Timing = { ...TIMING, warmupSeconds: 2, measuredSeconds: 2, pullBacklogMessages: 100_000 };

async function run(options: ThreadsOptions): Promise<number> {
  const folder = new RunFolder(CACHE);
  await ensureFreshBundle(say);
  const processors = allowedProcessors();
  const placement = settled(options.pin, processors.length, Math.max(...options.networkThreads));
  const pins: Pins = { placement, processors };
  const watch = new ThreadWatch(folder);
  const load = new PinnedLoad(folder, watch, pins, options.header);
  const timing = options.isQuick ? BRIEF : TIMING;
  const context = { folder, lib: '', heap: '' };
  const bench: Bench = { folder, context, load, watch, timing, rounds: options.rounds, cache: CACHE, say };
  const results: ShapeResult[] = [];
  const all: Record<string, Record<string, ThreadRound[]>> = {};
  for (const shape of options.shapes) {
    const variants = [];
    for (const variant of variantsOf(options.networkThreads, confOf(options))) {
      const metricsPort = await freePort();
      variants.push({ ...variant, metricsPort, conf: { ...variant.conf, ...metricsConf(metricsPort) } });
    }
    const found = await measureShape(bench, watch, shape, variants);
    const { name, title, flush } = shape;
    const result = { name, title, flush, variants: found.map((one) => one.result) };
    process.stdout.write(`\n${shapeText(result)}\n`);
    results.push(result);
    all[name] = Object.fromEntries(found.map((one) => [one.result.name, one.rounds]));
  }
  watch.stop();
  process.stdout.write(`\n${summaryTable(results)}\n`);
  const machine = describeMachine(folder.path);
  const { header, busyPollMicros, rounds } = options;
  const { measuredSeconds } = timing;
  const settings = { header, busyPollMicros, rounds, measuredSeconds, placement, processors };
  const report = { at: new Date().toISOString(), machine, settings, results };
  if (options.json !== undefined)
    fs.writeFileSync(options.json, `${JSON.stringify({ ...report, rounds: all }, null, 2)}\n`);
  if (options.markdown !== undefined) fs.writeFileSync(options.markdown, page(report));
  return 0;
}

function confOf({ busyPollMicros }: ThreadsOptions): Record<string, string> {
  return { 'ringmq.busyPollMicros': String(busyPollMicros) };
}

await runProgram({ name: 'bench:threads', usage: THREADS_USAGE, parse: parseThreadsOptions, run });
