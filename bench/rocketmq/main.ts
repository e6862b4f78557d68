/** `npm run bench:rocketmq`: RingMQ and real RocketMQ side by side. bench/README.md explains method and reading. */
import fs from 'node:fs';
import path from 'node:path';
import type { LoadResult } from '../load/recorder.ts';
import { RunFolder } from './cleanup.ts';
import { DisturbanceWatch } from './disturbance.ts';
import { fetchRocketMq, ROCKETMQ_VERSION, requireJava } from './fetch.ts';
import { integer } from './format.ts';
import { LoadRun } from './load-run.ts';
import { describeMachine, PROJECT_FOLDER } from './machine.ts';
import { Measurement, type ScenarioOutcome } from './measure.ts';
import { BENCH_USAGE, type BenchOptions, parseBenchOptions } from './options.ts';
import { Progress } from './progress.ts';
import { makeReport, markdown, type Report, scenarioTable } from './report.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { startTarget } from './start.ts';
import { summarize } from './summary.ts';

const CALIBRATION_SECONDS = 3;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What the generator can do when the broker costs nearly nothing. */
async function calibrate(folder: RunFolder, load: LoadRun): Promise<LoadResult> {
  const scenario = SCENARIOS[0] as Scenario;
  const context = { folder, lib: '', heap: '' };
  const target = await startTarget(context, 'null', scenario.flush, path.join(folder.path, 'calibration'));
  const times = { warmupSeconds: 2, warmupMessages: 0, seconds: CALIBRATION_SECONDS };
  const { result } = await load.run(target, undefined, scenario, times);
  await target.stop();
  say(
    `generator against the null server: ${integer(result.rate)} msg/s, ${result.cpuMicrosPerMessage.toFixed(2)} µs CPU/msg`,
  );
  return result;
}

async function measureAll(options: BenchOptions, folder: RunFolder, cache: string): Promise<Report> {
  const startedAt = new Date().toISOString();
  let lib = '';
  if (options.targets.includes('rocketmq')) {
    await requireJava(folder);
    lib = await fetchRocketMq(folder, cache, say);
  }
  const machine = describeMachine(folder.path);
  say(`${machine.processor}, ${machine.processors} processors, ${machine.kernel}, ${machine.fileSystem}`);
  say(`Node ${machine.node}; RocketMQ ${ROCKETMQ_VERSION} on ${machine.java}, heap ${options.heap}`);
  const watch = new DisturbanceWatch(folder);
  const load = new LoadRun(folder, watch);
  const generator = await calibrate(folder, load);
  const measurement = new Measurement({ folder, lib, heap: options.heap }, load, watch, new Progress(say));
  const outcomes: ScenarioOutcome[] = [];
  for (const scenario of options.scenarios) {
    const outcome = await measurement.scenario(scenario, options.targets, options.rounds, options.timing);
    process.stdout.write(`\n${scenarioTable(summarize(outcome))}\n`);
    outcomes.push(outcome);
  }
  watch.stop();
  const { scenarios: _scenarios, json: _json, ...settings } = options;
  const finishedAt = new Date().toISOString();
  const rocketmqVersion = ROCKETMQ_VERSION;
  return makeReport({
    startedAt,
    finishedAt,
    rocketmqVersion,
    machine,
    options: settings,
    generator,
    outcomes,
  });
}

function writeReport(report: Report, file: string): void {
  const base = file.replace(/\.json$/, '');
  fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  fs.writeFileSync(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(`${base}.md`, markdown(report));
  say(`reports: ${base}.json and ${base}.md`);
}

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n${BENCH_USAGE}`);
    return 2;
  }
  const cache = path.join(PROJECT_FOLDER, '.cache', 'bench');
  const folder = new RunFolder(cache);
  try {
    const report = await measureAll(options, folder, cache);
    writeReport(report, options.json ?? path.join(cache, 'last-run.json'));
    return report.outcomes.some(({ targets }) => targets.some(({ failure }) => failure !== undefined))
      ? 1
      : 0;
  } catch (error) {
    say(`bench:rocketmq: ${(error as Error).message}`);
    return 1;
  }
}

process.exit(await main());
