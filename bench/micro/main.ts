/**
 * `npm run bench [-- name…]`: what single functions of the data path cost.
 *
 * Every suite runs in a process of its own, so that what V8 learns from one does not shape the code of the next.
 */
import { fork } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Timing } from './measure.ts';
import { MICRO_USAGE, type MicroOptions, parseMicroOptions } from './options.ts';
import { describeEnvironment, formatTable, type SuiteReport } from './report.ts';
import type { News, Order } from './suite.process.ts';

/** On the disk that holds the project, not in memory: a mapping of a tmpfs file has nothing to sync. */
const CACHE = fileURLToPath(new URL('../../../.cache/bench/', import.meta.url));
const SUITE_PROCESS = fileURLToPath(new URL('./suite.process.js', import.meta.url));

function runSuite(suite: string, folder: string, timing: Timing): Promise<SuiteReport> {
  const report: SuiteReport = { suite, figures: [], skipped: [] };
  const child = fork(SUITE_PROCESS);
  child.on('message', (message) => {
    const news = message as News;
    if ('figure' in news) report.figures.push(news.figure);
    else report.skipped.push(news.skipped);
  });
  child.send({ suite, folder, timing } satisfies Order);
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(report);
      else reject(new Error(`the process of "${suite}" ended with ${signal ?? code}`));
    });
  });
}

async function runAll({ suites, timing }: MicroOptions, folder: string): Promise<SuiteReport[]> {
  const reports: SuiteReport[] = [];
  for (const [i, suite] of suites.entries()) {
    console.error(`${i + 1}/${suites.length} ${suite}`);
    const own = join(folder, suite);
    mkdirSync(own, { recursive: true });
    reports.push(await runSuite(suite, own, timing));
    rmSync(own, { recursive: true, force: true });
  }
  return reports;
}

async function main(): Promise<void> {
  const options = parseMicroOptions(process.argv.slice(2));
  const environment = describeEnvironment();
  const folder = join(CACHE, `micro-${process.pid}`);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const reports = await runAll(options, folder);
  const { commit, node, processor, processors, kernel, load } = environment;
  console.log(`commit ${commit}, Node.js ${node}, ${processor} × ${processors}, ${kernel}, load ${load}\n`);
  console.log(formatTable(reports));
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ ...environment, suites: reports }, null, 2)}\n`);
  }
}

main().catch((error: unknown) => {
  console.error(`${(error as Error).message}\n\n${MICRO_USAGE}`);
  process.exitCode = 1;
});
