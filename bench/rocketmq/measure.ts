/**
 * One scenario: start the brokers, warm each up, then rounds A B A B.
 *
 * Both brokers stay alive from first to last round, and only one gets load at a time. Restarting them for every round
 * would either measure a cold JVM or spend most of the time on warming it up again; an idle broker costs next to
 * nothing, and what it costs is measured and reported. Before each round all written pages go to disk (`sync`), so
 * that no round pays for what the other broker wrote. Each scenario starts anew, with empty stores.
 */
import path from 'node:path';
import { createTopic } from './admin.ts';
import { type RunFolder, removeFolder } from './cleanup.ts';
import { occupiedBytes } from './disk.ts';
import type { DisturbanceWatch } from './disturbance.ts';
import { type LoadRun, QUEUES, type Round, TOPIC } from './load-run.ts';
import type { Progress } from './progress.ts';
import { type Scenario, type Timing, warmupLoad } from './scenarios.ts';
import { type StartContext, startTarget } from './start.ts';
import type { Target, TargetName } from './target.ts';

export interface TargetOutcome {
  name: TargetName;
  /** Rounds that count. */
  rounds: Round[];
  /** Rounds thrown away because others used the machine. */
  repeated: number;
  /** Rounds that count although disturbed, because the machine never became quiet. */
  disturbedKept: number;
  /** Why there is no figure. */
  failure?: string;
}

export interface ScenarioOutcome {
  scenario: Scenario;
  targets: TargetOutcome[];
}

interface Contestant {
  outcome: TargetOutcome;
  target: Target | undefined;
}

/** On a machine that is never quiet the run must end all the same. */
const REPEATS_PER_ROUND = 3;
/** A broker whose files have outgrown this starts anew: a fast one writes several GiB a round. */
const FILES_MAX_BYTES = 16 * 2 ** 30;

export class Measurement {
  readonly #context: StartContext;
  readonly #load: LoadRun;
  readonly #watch: DisturbanceWatch;
  readonly #progress: Progress;

  constructor(context: StartContext, load: LoadRun, watch: DisturbanceWatch, progress: Progress) {
    this.#context = context;
    this.#load = load;
    this.#watch = watch;
    this.#progress = progress;
  }

  async scenario(
    scenario: Scenario,
    names: TargetName[],
    rounds: number,
    timing: Timing,
  ): Promise<ScenarioOutcome> {
    this.#progress.scenario(scenario);
    const contestants: Contestant[] = [];
    for (const name of names) {
      const outcome: TargetOutcome = { name, rounds: [], repeated: 0, disturbedKept: 0 };
      const contestant: Contestant = { outcome, target: undefined };
      contestants.push(contestant);
      await this.#guard(contestant, () => this.#prepare(contestant, scenario, timing));
    }
    for (let round = 1; round <= rounds; round++) {
      for (const contestant of contestants) {
        const idle = contestants.find((other) => other !== contestant)?.target;
        await this.#guard(contestant, () =>
          this.#round(contestant, idle, scenario, timing, { round, rounds }),
        );
      }
    }
    for (const contestant of contestants) await this.#discard(contestant, scenario);
    return { scenario, targets: contestants.map(({ outcome }) => outcome) };
  }

  #home(contestant: Contestant, scenario: Scenario): string {
    return path.join(this.#context.folder.path, `${scenario.name}-${contestant.outcome.name}`);
  }

  async #discard(contestant: Contestant, scenario: Scenario): Promise<void> {
    await contestant.target?.stop();
    contestant.target = undefined;
    removeFolder(this.#home(contestant, scenario));
  }

  /** A broker that fails is out of its scenario, without a figure; the other one goes on. */
  async #guard(contestant: Contestant, step: () => Promise<void>): Promise<void> {
    const { outcome } = contestant;
    if (outcome.failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      outcome.failure = contestant.target?.death ?? (error as Error).message;
      outcome.rounds = [];
      this.#progress.failed(outcome.name, outcome.failure);
      await contestant.target?.stop();
      contestant.target = undefined;
    }
  }

  async #prepare(contestant: Contestant, scenario: Scenario, timing: Timing): Promise<void> {
    const { name } = contestant.outcome;
    this.#progress.starting(name);
    const target = await startTarget(this.#context, name, scenario.flush, this.#home(contestant, scenario));
    contestant.target = target;
    if (name !== 'null') await createTopic(target.port, TOPIC, QUEUES);
    this.#progress.warming(name);
    const { warmupSeconds, warmupMessages } = timing;
    const times = { warmupSeconds, warmupMessages, seconds: 0 };
    await this.#load.run(target, undefined, warmupLoad(scenario), times);
  }

  async #round(
    contestant: Contestant,
    idle: Target | undefined,
    scenario: Scenario,
    timing: Timing,
    count: { round: number; rounds: number },
  ): Promise<void> {
    const { outcome } = contestant;
    const times = { warmupSeconds: timing.runInSeconds, warmupMessages: 0, seconds: timing.measuredSeconds };
    for (let repeats = 0; ; repeats++) {
      if (occupiedBytes(this.#home(contestant, scenario)) > FILES_MAX_BYTES) {
        await this.#discard(contestant, scenario);
        await this.#prepare(contestant, scenario, timing);
      }
      const target = contestant.target as Target;
      await writeBack(this.#context.folder);
      await this.#watch.quiet();
      const round = await this.#load.run(target, idle, scenario, times);
      if (round.result.messages === 0) {
        throw new Error(`not one message was accepted: ${JSON.stringify(round.result)}`);
      }
      const repeat = round.disturbance.disturbed && repeats < REPEATS_PER_ROUND;
      this.#progress.round(outcome.name, count, round, repeat);
      if (repeat) {
        outcome.repeated++;
        continue;
      }
      if (round.disturbance.disturbed) outcome.disturbedKept++;
      outcome.rounds.push(round);
      return;
    }
  }
}

/** Waits until all that was written so far is on disk. */
async function writeBack(folder: RunFolder): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = folder.start({ command: 'sync', args: [] });
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
