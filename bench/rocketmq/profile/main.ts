/**
 * `npm run bench:profile`: RingMQ alone under the load of a scenario, with V8's sampling profiler in each thread, and
 * where their time went in the measured phase. It runs the compiler's output instead of the bundle, for the file names.
 */
import fs from 'node:fs';
import path from 'node:path';
import { RunFolder, removeFolder } from '../cleanup.ts';
import type { Contestant } from '../contestant.ts';
import { DisturbanceWatch } from '../disturbance.ts';
import { figureTitle, formatFigure } from '../figures.ts';
import { alignedTable } from '../format.ts';
import { LoadRun } from '../load-run.ts';
import { PROJECT_FOLDER } from '../machine.ts';
import type { Round } from '../outcome.ts';
import { CACHE, runProgram, say } from '../program.ts';
import type { Scenario } from '../scenarios.ts';
import type { Bench, Stage } from '../work/work.ts';
import { type Cost, type CpuProfile, type ThreadProfile, threadProfile, type Window } from './cpu-profile.ts';
import { PROFILE_USAGE, type ProfileOptions, parseProfileOptions } from './options.ts';

const SAMPLE_MICROS = 200;
const FIGURES = ['rate', 'p50', 'p99', 'cpu', 'generator'];

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Notes when the measured phase of a round began and ended, the first one of several. */
class PhaseWatch extends DisturbanceWatch {
  window: Window = { from: 0, to: 0 };
  #begun = 0;
  #inRound = false;

  beginRound(): void {
    this.#inRound = true;
  }

  override async begin(): Promise<void> {
    await super.begin();
    this.#begun = monotonicMicros();
  }

  override end(): ReturnType<DisturbanceWatch['end']> {
    if (this.#inRound) this.window = { from: this.#begun, to: monotonicMicros() };
    this.#inRound = false;
    return super.end();
  }
}

function profiled(contestant: Contestant, folder: string): Contestant {
  return {
    ...contestant,
    cli: path.join(PROJECT_FOLDER, 'dist', 'src', 'cli', 'main.js'),
    nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_MICROS}`],
  };
}

function readProfiles(folder: string, window: Window): ThreadProfile[] {
  const files = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  if (files.length === 0) throw new Error('no profile was written: the broker did not end by itself');
  return files
    .map((file) => JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as CpuProfile)
    .flatMap((profile) => threadProfile(profile, window) ?? [])
    .sort((a, b) => b.busy - a.busy);
}

function print(
  { title }: Scenario,
  who: Contestant,
  round: Round,
  threads: ThreadProfile[],
  top: number,
): void {
  const figures = FIGURES.flatMap((key) => {
    const value = round.figures[key];
    return value === undefined ? [] : `${figureTitle(key)} ${formatFigure(key, value)}`;
  });
  const others = `others ${(round.disturbance.foreignShare * 100).toFixed(1)} %`;
  process.stdout.write(`\n${title}; ${who.title}, under the profiler: ${[...figures, others].join(', ')}\n`);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  for (const { thread, busy, costs } of threads) {
    const rowOf = ({ place, share, total }: Cost) => [place, percent(share), percent(total)];
    const byTotal = costs.toSorted((a, b) => b.total - a.total);
    const head = [`${thread}, awake ${percent(busy)}`, 'of it', 'with what it calls'];
    for (const sorted of [costs, byTotal])
      process.stdout.write(`\n${alignedTable([head, ...sorted.slice(0, top).map(rowOf)])}\n`);
  }
}

/** One broker, from its start to its end, with one measured phase. */
async function profile(
  bench: Bench,
  scenario: Scenario,
  contestant: Contestant,
  folder: string,
  watch: PhaseWatch,
): Promise<Round> {
  const { flush, plan } = scenario;
  const home = path.join(bench.folder.path, `${scenario.name}-${contestant.name}`);
  const stage: Stage = {
    bench,
    contestant: profiled(contestant, folder),
    flush,
    home,
    target: undefined,
    others: () => [],
  };
  const work = (contestant.plan ?? plan).begin(stage);
  await work.prepare();
  watch.beginRound();
  const round = await work.round();
  await stage.target?.stopCleanly();
  await work.end?.();
  removeFolder(home);
  return round;
}

async function run({ scenarios, timing, top }: ProfileOptions): Promise<number> {
  const folder = new RunFolder(CACHE);
  const watch = new PhaseWatch(folder);
  const load = new LoadRun(folder, watch);
  const context = { folder, lib: '', heap: '' };
  const bench: Bench = { folder, context, load, watch, timing, rounds: 1, cache: CACHE, say };
  for (const scenario of scenarios) {
    for (const contestant of scenario.contestants.filter(({ kind }) => kind === 'ringmq')) {
      const profiles = path.join(folder.path, `profiles-${scenario.name}-${contestant.name}`);
      const round = await profile(bench, scenario, contestant, profiles, watch);
      print(scenario, contestant, round, readProfiles(profiles, watch.window), top);
    }
  }
  watch.stop();
  return 0;
}

await runProgram({ name: 'bench:profile', usage: PROFILE_USAGE, parse: parseProfileOptions, run });
