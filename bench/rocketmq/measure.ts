/**
 * Scenario after scenario: start the brokers, warm each up, then rounds A B A B.
 *
 * All contestants stay alive from first to last round, and only one gets load at a time. Restarting them for every
 * round would either measure a cold JVM or spend most of the time on warming it up again. The others stand still
 * meanwhile (turns.ts). Before each round all written pages go to disk (`sync`), so
 * that no round pays for what the other broker wrote. For the same reason a broker goes on from one scenario of plain
 * sends to the next (hand-over.ts); all others start anew, with empty stores. Where memory is what is measured, one
 * contestant at a time is alive (`oneAtATime`).
 */
import path from 'node:path';
import { removeFolder } from './cleanup.ts';
import type { Contestant } from './contestant.ts';
import { occupiedBytes, writeBack } from './disk.ts';
import { type Casting, goesOn, type LivingBroker, planOf } from './hand-over.ts';
import { keepRealFigures, type ScenarioOutcome, type TargetOutcome } from './outcome.ts';
import type { Progress } from './progress.ts';
import type { FlushMode, Scenario } from './scenarios.ts';
import type { Target } from './target.ts';
import { alone, settle } from './turns.ts';
import type { Bench, Stage, Work, WorkPlan } from './work/work.ts';

/** A broker whose files have outgrown this starts anew: a fast one writes several GiB a round. */
const FILES_MAX_BYTES = 16 * 2 ** 30;

/** A contestant on stage, with its outcome so far. */
class Player implements Stage {
  readonly bench: Bench;
  readonly contestant: Contestant;
  readonly flush: FlushMode;
  readonly home: string;
  readonly plan: WorkPlan;
  readonly outcome: TargetOutcome;
  readonly #all: readonly Player[];
  target: Target | undefined;
  work: Work | undefined;

  constructor(
    bench: Bench,
    scenario: Scenario,
    contestant: Contestant,
    all: readonly Player[],
    inherited: LivingBroker | undefined,
  ) {
    this.bench = bench;
    this.contestant = contestant;
    this.flush = scenario.flush;
    this.plan = planOf(scenario, contestant);
    // the scenario that it began with stays in the name of a broker's folder
    this.home = inherited?.home ?? path.join(bench.folder.path, `${scenario.name}-${contestant.name}`);
    this.target = inherited?.target;
    const { name, title } = contestant;
    this.outcome = { name, title, rounds: [], repeated: 0, disturbedKept: 0 };
    this.#all = all;
  }

  others(): Target[] {
    return this.#all.flatMap((player) => (player === this ? [] : (player.target ?? [])));
  }

  async prepare(): Promise<void> {
    this.work = this.plan.begin(this);
    await this.work.prepare();
  }

  async discard(): Promise<void> {
    await this.target?.stop();
    this.target = undefined;
    await this.work?.end?.();
    this.work = undefined;
    removeFolder(this.home);
  }

  /** The broker, when it is in a state to serve another scenario; it is not this player's any more then. */
  async handOver(): Promise<LivingBroker | undefined> {
    const { target, home } = this;
    // one that failed was stopped at once and is not here any more
    if (target === undefined || target.death !== undefined || this.hasOutgrownItsDisk()) return;
    await this.work?.end?.();
    this.work = undefined;
    this.target = undefined;
    return { target, home };
  }

  hasOutgrownItsDisk(): boolean {
    return (
      this.target !== undefined && occupiedBytes(this.home) > (this.plan.filesMaxBytes ?? FILES_MAX_BYTES)
    );
  }
}

export interface MeasureOptions {
  rounds: number;
  /** On a machine that is never quiet the run must end all the same. */
  repeatsPerRound: number;
}

export class Measurement {
  readonly #bench: Bench;
  readonly #progress: Progress;
  readonly #options: MeasureOptions;
  /** Brokers between two scenarios, by the name of their contestant. */
  #handedOver = new Map<string, LivingBroker>();

  constructor(bench: Bench, progress: Progress, options: MeasureOptions) {
    this.#bench = bench;
    this.#progress = progress;
    this.#options = options;
  }

  /** Measures all of them in this order. */
  async run(
    castings: readonly Casting[],
    onOutcome: (outcome: ScenarioOutcome, casting: Casting) => void,
  ): Promise<void> {
    for (const [at, casting] of castings.entries())
      onOutcome(await this.#scenario(casting, castings[at + 1]), casting);
  }

  async #scenario(casting: Casting, next: Casting | undefined): Promise<ScenarioOutcome> {
    const { scenario } = casting;
    const startedAt = new Date().toISOString();
    this.#progress.scenario(scenario);
    const players = this.#castPlayers(casting);
    const groups = scenario.oneAtATime === true ? players.map((player) => [player]) : [players];
    for (const group of groups) {
      await this.#play(
        group,
        players.map(({ outcome }) => outcome),
      );
      for (const player of group) await this.#leave(player, scenario, next);
    }
    const { name, title } = scenario;
    const targets = players.map(({ outcome }) => outcome);
    return { scenario: { name, title }, startedAt, finishedAt: new Date().toISOString(), targets };
  }

  #castPlayers({ scenario, contestants }: Casting): Player[] {
    const players: Player[] = [];
    for (const contestant of contestants) {
      const inherited = this.#handedOver.get(contestant.name);
      players.push(new Player(this.#bench, scenario, contestant, players, inherited));
    }
    this.#handedOver.clear();
    return players;
  }

  /** A contestant's end in a scenario: its broker goes on to the next one, or ends. */
  async #leave(player: Player, scenario: Scenario, next: Casting | undefined): Promise<void> {
    const { contestant } = player;
    const broker = goesOn(contestant, scenario, next) ? await player.handOver() : undefined;
    if (broker === undefined) await player.discard();
    else this.#handedOver.set(contestant.name, broker);
  }

  async #play(group: readonly Player[], all: readonly TargetOutcome[]): Promise<void> {
    for (const player of group) {
      const reason = player.contestant.skip?.(all);
      if (reason !== undefined) {
        Object.assign(player.outcome, { failure: reason, excused: true });
        this.#progress.step(`${player.contestant.title} is left out: ${reason}`);
        await player.discard();
      }
      await this.#guard(player, () => player.prepare());
    }
    for (let round = 1; round <= this.#options.rounds; round++) {
      for (const player of group) await this.#guard(player, () => this.#round(player, round));
    }
  }

  /** A broker that fails is out of its scenario, without a figure; the others go on. */
  async #guard(player: Player, step: () => Promise<void>): Promise<void> {
    const { outcome, contestant } = player;
    if (outcome.failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      outcome.failure = player.target?.death ?? (error as Error).message;
      outcome.excused = contestant.mayFail === true;
      outcome.rounds = [];
      this.#progress.failed(contestant, outcome.failure);
      await player.discard();
    }
  }

  async #round(player: Player, number: number): Promise<void> {
    const { outcome, contestant } = player;
    const { rounds, repeatsPerRound } = this.#options;
    for (let repeats = 0; ; repeats++) {
      if (player.hasOutgrownItsDisk()) {
        await player.discard();
        await player.prepare();
      }
      const others = player.plan.othersStayAwake === true ? [] : player.others();
      await settle(others);
      await writeBack(this.#bench.folder);
      if (repeatsPerRound > 0) await this.#bench.watch.quiet();
      const round = await alone(others, () => (player.work as Work).round());
      keepRealFigures(round);
      if (round.figures['rate'] === 0)
        throw new Error(`not one message was accepted: ${JSON.stringify(round.raw)}`);
      const wanted = round.disturbance.disturbed && repeats < repeatsPerRound;
      const repeat = wanted && (player.work?.mayRepeat?.() ?? true);
      this.#progress.round(contestant, { round: number, rounds }, round, repeat);
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
