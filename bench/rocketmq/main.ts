/** `npm run bench:rocketmq`: RingMQ and real RocketMQ side by side. bench/README.md explains method and reading. */
import fs from 'node:fs';
import path from 'node:path';
import type { LoadResult } from '../load/recorder.ts';
import { RunFolder } from './cleanup.ts';
import { NULL_SERVER } from './contestant.ts';
import { DisturbanceWatch } from './disturbance.ts';
import { duration, listing, runSeconds } from './estimate.ts';
import { fetchRocketMq, ROCKETMQ_VERSION, requireJava } from './fetch.ts';
import { integer } from './format.ts';
import { LoadRun } from './load-run.ts';
import { describeMachine, PROJECT_FOLDER } from './machine.ts';
import { Measurement } from './measure.ts';
import { BENCH_USAGE, type BenchOptions, parseBenchOptions, pickContestants } from './options.ts';
import { type ScenarioOutcome, succeeded } from './outcome.ts';
import { Progress } from './progress.ts';
import { makeReport, markdown, type Report, scenarioTable, verdictTable } from './report.ts';
import { ensureFreshBundle } from './ringmq-program.ts';
import { startTarget } from './start.ts';
import { summarize } from './summary.ts';
import { sendSettings } from './work/send.ts';
import type { Bench } from './work/work.ts';

const CALIBRATION_SECONDS = 3;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What the generator can do when the broker costs nearly nothing. */
async function calibrate(bench: Bench): Promise<LoadResult> {
  const home = path.join(bench.folder.path, 'calibration');
  const target = await startTarget(bench.context, NULL_SERVER, 'ASYNC_FLUSH', home);
  const load = sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024 });
  const settings = { ...load, warmup: 2, seconds: CALIBRATION_SECONDS };
  const result = await bench.load.generate({ target, others: [] }, settings);
  await target.stop();
  const cpu = result.cpuMicrosPerMessage.toFixed(2);
  say(`generator against the null server: ${integer(result.rate)} msg/s, ${cpu} µs CPU/msg`);
  return result;
}

/** RocketMQ's jars, or nothing when it does not take part. What is missing is said before anything is measured. */
async function provide(options: BenchOptions, folder: RunFolder, cache: string): Promise<string> {
  for (const { plan } of options.scenarios) plan.require?.();
  if (options.targets.includes('ringmq')) await ensureFreshBundle(say);
  if (!options.targets.includes('rocketmq')) return '';
  await requireJava(folder);
  return fetchRocketMq(folder, cache, say);
}

async function measureScenarios(
  measurement: Measurement,
  options: BenchOptions,
  onOutcome: (outcomes: readonly ScenarioOutcome[]) => void,
): Promise<ScenarioOutcome[]> {
  const outcomes: ScenarioOutcome[] = [];
  for (const scenario of options.scenarios) {
    const outcome = await measurement.scenario(scenario, pickContestants(scenario, options));
    process.stdout.write(`\n${scenarioTable(summarize(outcome, scenario.aliases))}\n`);
    outcomes.push(outcome);
    onOutcome(outcomes);
  }
  return outcomes;
}

async function measureAll(options: BenchOptions, folder: RunFolder, cache: string): Promise<Report> {
  const startedAt = new Date().toISOString();
  const lib = await provide(options, folder, cache);
  const machine = describeMachine(folder.path);
  say(`${machine.processor}, ${machine.processors} processors, ${machine.kernel}, ${machine.fileSystem}`);
  say(`Node ${machine.node}; RocketMQ ${ROCKETMQ_VERSION} on ${machine.java}, heap ${options.heap}`);
  say(
    `${options.scenarios.length} scenarios, ${options.rounds} rounds: about ${duration(runSeconds(options))}`,
  );
  const watch = new DisturbanceWatch(folder);
  const progress = new Progress(say);
  const { rounds, repeats, timing } = options;
  const context = { folder, lib, heap: options.heap };
  const load = new LoadRun(folder, watch);
  const step = (line: string): void => progress.step(line);
  const bench: Bench = { folder, context, load, watch, timing, rounds, cache, say: step };
  const generator = await calibrate(bench);
  const measurement = new Measurement(bench, progress, { rounds, repeatsPerRound: repeats });
  const report = (outcomes: ScenarioOutcome[]): Report => {
    const { scenarios, json: _json, list: _list, ...settings } = options;
    const finishedAt = new Date().toISOString();
    const parts = { startedAt, finishedAt, rocketmqVersion: ROCKETMQ_VERSION, machine, options: settings };
    return makeReport({ ...parts, generator, outcomes }, scenarios);
  };
  const file = options.json ?? path.join(cache, 'last-run.json');
  // after each scenario, so that a run that is cut short leaves what it has
  const outcomes = await measureScenarios(measurement, options, (some) =>
    writeReport(report([...some]), file),
  );
  watch.stop();
  return report(outcomes);
}

function writeReport(report: Report, file: string): void {
  const base = file.replace(/\.json$/, '');
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  fs.writeFileSync(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(`${base}.md`, markdown(report));
}

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n${BENCH_USAGE}`);
    return 2;
  }
  if (options.list) {
    process.stdout.write(listing(options));
    return 0;
  }
  const cache = path.join(PROJECT_FOLDER, '.cache', 'bench');
  const folder = new RunFolder(cache);
  try {
    const report = await measureAll(options, folder, cache);
    process.stdout.write(`\n${verdictTable(report.verdicts)}\n`);
    say(`reports: ${options.json ?? path.join(cache, 'last-run.json')} and .md beside it`);
    return succeeded(report.outcomes) ? 0 : 1;
  } catch (error) {
    say(`bench:rocketmq: ${(error as Error).message}`);
    return 1;
  }
}

process.exit(await main());
