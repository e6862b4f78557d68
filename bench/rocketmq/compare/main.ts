/** `npm run bench:compare`: RingMQ of two commits side by side; ends with 1 when the second is worse past a threshold. */
import fs from 'node:fs';
import { RunFolder } from '../cleanup.ts';
import { DisturbanceWatch } from '../disturbance.ts';
import { alignedTable } from '../format.ts';
import { LoadRun } from '../load-run.ts';
import { describeMachine } from '../machine.ts';
import { Measurement } from '../measure.ts';
import { type ScenarioOutcome, succeeded } from '../outcome.ts';
import { CACHE, runProgram, say } from '../program.ts';
import { Progress } from '../progress.ts';
import { scenarioTable } from '../report.ts';
import { summarize } from '../summary.ts';
import type { Bench } from '../work/work.ts';
import { contestantOf } from './contestants.ts';
import { compare, comparisonRows } from './judge.ts';
import { asIn, COMPARE_USAGE, type CompareOptions, parseCompareOptions } from './options.ts';

/** True when nothing failed and nothing is worse past the threshold. */
async function run(options: CompareOptions, folder: RunFolder): Promise<boolean> {
  const both = [
    await contestantOf('A', options.before, folder),
    await contestantOf('B', options.after, folder),
  ];
  const watch = new DisturbanceWatch(folder);
  const progress = new Progress(say);
  const { rounds, repeats, timing, thresholdPercent } = options;
  const load = new LoadRun(folder, watch);
  const context = { folder, lib: '', heap: '' };
  const step = (line: string): void => progress.step(line);
  const bench: Bench = { folder, context, load, watch, timing, rounds, cache: CACHE, say: step };
  const measurement = new Measurement(bench, progress, { rounds, repeatsPerRound: repeats });
  const outcomes: ScenarioOutcome[] = [];
  const castings = options.scenarios.map((scenario) => ({
    scenario,
    contestants: both.map((commit) => asIn(scenario, commit)),
  }));
  await measurement.run(castings, (outcome) => {
    process.stdout.write(`\n${scenarioTable(summarize(outcome))}\n`);
    outcomes.push(outcome);
  });
  watch.stop();
  const summaries = outcomes.map((outcome) => summarize(outcome));
  const comparisons = summaries.flatMap((summary) => compare(summary, thresholdPercent));
  const head = [
    'scenario',
    'figure',
    ...both.map(({ title }) => title),
    'B is',
    `past ${thresholdPercent} %`,
  ];
  process.stdout.write(`\n${alignedTable([head, ...comparisonRows(comparisons)])}\n`);
  if (options.json !== undefined) {
    const machine = describeMachine(folder.path);
    fs.writeFileSync(
      options.json,
      `${JSON.stringify({ machine, comparisons, summaries, outcomes }, null, 2)}\n`,
    );
  }
  return succeeded(outcomes) && comparisons.length > 0 && !comparisons.some(({ failed }) => failed);
}

await runProgram({
  name: 'bench:compare',
  usage: COMPARE_USAGE,
  parse: parseCompareOptions,
  run: async (options) => ((await run(options, new RunFolder(CACHE))) ? 0 : 1),
});
