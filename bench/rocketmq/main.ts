/** `npm run bench:rocketmq`: RingMQ and real RocketMQ side by side. bench/README.md explains method and reading. */
import fs from 'node:fs';
import path from 'node:path';
import type { LoadResult } from '../load/recorder.ts';
import { RunFolder } from './cleanup.ts';
import { NULL_SERVER } from './contestant.ts';
import { outcomesToKeep, type RunSettings } from './continue.ts';
import { DisturbanceWatch } from './disturbance.ts';
import { duration, listing, runSeconds } from './estimate.ts';
import { fetchRocketMq, ROCKETMQ_VERSION, requireJava } from './fetch.ts';
import { integer } from './format.ts';
import type { Casting } from './hand-over.ts';
import { limitProgram } from './limit-program.ts';
import { LoadRun } from './load-run.ts';
import { describeMachine } from './machine.ts';
import { Measurement } from './measure.ts';
import { BENCH_USAGE, type BenchOptions, castingsOf, parseBenchOptions } from './options.ts';
import { succeeded } from './outcome.ts';
import { CACHE, runProgram, say } from './program.ts';
import { Progress } from './progress.ts';
import { makeReport, markdown, type Report, scenarioTable, verdictTable } from './report.ts';
import { ensureFreshBundle } from './ringmq-program.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { startTarget } from './start.ts';
import { summarize } from './summary.ts';
import { sendSettings } from './work/send.ts';
import type { Bench } from './work/work.ts';

const CALIBRATION_SECONDS = 3;

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
async function provide(
  options: BenchOptions,
  castings: readonly Casting[],
  folder: RunFolder,
): Promise<string> {
  for (const { plan } of options.scenarios) plan.require?.();
  if (options.targets.includes('ringmq')) await ensureFreshBundle(say);
  if (castings.some(({ contestants }) => contestants.some(({ kind }) => kind === 'limit')))
    await limitProgram(folder, CACHE);
  if (!options.targets.includes('rocketmq')) return '';
  await requireJava(folder);
  return fetchRocketMq(folder, CACHE, say);
}

function settingsOf(options: BenchOptions, folder: RunFolder): RunSettings {
  const { scenarios: _, json: _json, continued: _continued, list: _list, ...settings } = options;
  return { rocketmqVersion: ROCKETMQ_VERSION, machine: describeMachine(folder.path), options: settings };
}

/** The JSON report; the Markdown report lies beside it. */
function reportFile({ json }: BenchOptions): string {
  return path.resolve(`${(json ?? path.join(CACHE, 'last-run')).replace(/\.json$/, '')}.json`);
}

function introduce({ machine }: RunSettings, options: BenchOptions, castings: readonly Casting[]): void {
  say(`${machine.processor}, ${machine.processors} processors, ${machine.kernel}, ${machine.fileSystem}`);
  say(`Node ${machine.node}; RocketMQ ${ROCKETMQ_VERSION} on ${machine.java}, heap ${options.heap}`);
  const time = duration(runSeconds(castings, options));
  say(`${castings.length} scenarios, ${options.rounds} rounds: about ${time}`);
}

function makeBench(options: BenchOptions, folder: RunFolder, lib: string, progress: Progress): Bench {
  const { rounds, timing, heap } = options;
  const watch = new DisturbanceWatch(folder);
  const load = new LoadRun(folder, watch);
  const step = (line: string): void => progress.step(line);
  return { folder, context: { folder, lib, heap }, load, watch, timing, rounds, cache: CACHE, say: step };
}

async function measureAll(options: BenchOptions, folder: RunFolder): Promise<Report> {
  const startedAt = new Date().toISOString();
  const settings = settingsOf(options, folder);
  const file = reportFile(options);
  const outcomes = options.continued ? outcomesToKeep(file, settings) : [];
  const isKept = ({ name }: Scenario): boolean => outcomes.some(({ scenario }) => scenario.name === name);
  // what was kept stays in the report, also when this start of the run was not asked for it
  const reported = SCENARIOS.filter((scenario) => isKept(scenario) || options.scenarios.includes(scenario));
  const castings = castingsOf(
    options.scenarios.filter((scenario) => !isKept(scenario)),
    options,
  );
  if (outcomes.length > 0)
    say(`taken from ${file}: ${outcomes.map(({ scenario }) => scenario.name).join(', ')}`);
  const lib = await provide(options, castings, folder);
  introduce(settings, options, castings);
  const progress = new Progress(say);
  const bench = makeBench(options, folder, lib, progress);
  const generator = await calibrate(bench);
  const report = (): Report => {
    const finishedAt = new Date().toISOString();
    return makeReport({ startedAt, finishedAt, ...settings, generator, outcomes: [...outcomes] }, reported);
  };
  const { rounds, repeats } = options;
  const measurement = new Measurement(bench, progress, { rounds, repeatsPerRound: repeats });
  await measurement.run(castings, (outcome, { scenario }) => {
    process.stdout.write(`\n${scenarioTable(summarize(outcome, scenario.aliases))}\n`);
    outcomes.push(outcome);
    // after each scenario, so that a run that is cut short leaves what it has
    writeReport(report(), file);
  });
  bench.watch.stop();
  return report();
}

/** The JSON report is there whole or not at all: a run that is killed meanwhile must be able to go on from it. */
function writeReport(report: Report, file: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.new`, `${JSON.stringify(report, null, 2)}\n`);
  fs.renameSync(`${file}.new`, file);
  fs.writeFileSync(file.replace(/json$/, 'md'), markdown(report));
}

async function run(options: BenchOptions): Promise<number> {
  if (options.list) {
    process.stdout.write(listing(options));
    return 0;
  }
  const report = await measureAll(options, new RunFolder(CACHE));
  process.stdout.write(`\n${verdictTable(report.verdicts)}\n`);
  say(`reports: ${reportFile(options)} and .md beside it`);
  return succeeded(report.outcomes) ? 0 : 1;
}

await runProgram({ name: 'bench:rocketmq', usage: BENCH_USAGE, parse: parseBenchOptions, run });
