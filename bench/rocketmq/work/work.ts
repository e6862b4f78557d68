/** The one interface of all kinds of work: how a contestant is brought up, and what a round of it is. */

import type { StartContext } from '../broker-process.ts';
import type { RunFolder } from '../cleanup.ts';
import type { Contestant } from '../contestant.ts';
import type { DisturbanceWatch } from '../disturbance.ts';
import type { LoadRun } from '../load-run.ts';
import type { Round } from '../outcome.ts';
import type { FlushMode, Timing } from '../scenarios.ts';
import type { Target } from '../target.ts';

/** What a run has for all scenarios. */
export interface Bench {
  folder: RunFolder;
  context: StartContext;
  load: LoadRun;
  watch: DisturbanceWatch;
  timing: Timing;
  /** Rounds of each contestant, without repetitions. */
  rounds: number;
  /** Folder that outlives runs, for what is fetched or built once. */
  cache: string;
  say(line: string): void;
}

/** One contestant's place in one scenario. */
export interface Stage {
  readonly bench: Bench;
  readonly contestant: Contestant;
  readonly flush: FlushMode;
  /** Folder for store, settings and logs; removed with the broker. */
  readonly home: string;
  /**
   * The broker, once it was started; whoever replaces it sets this, so that it is ended in any case. One that is here
   * before the work is prepared was handed over by the scenario before, and is warm.
   */
  target: Target | undefined;
  /** Brokers of the other contestants, which stand still meanwhile. */
  others(): Target[];
}

export interface Work {
  prepare(): Promise<void>;
  round(): Promise<Round>;
  /** Asked when a round was disturbed: whether there is what another one needs. Without it, there always is. */
  mayRepeat?(): boolean;
  /** Ends what it started beside the broker. */
  end?(): Promise<void>;
}

/** For the estimate of the whole run. */
export interface Estimate {
  prepare: number;
  /** Instead of `prepare`, with a broker that was handed over. */
  adapt?: number;
  round: number;
}

export interface WorkPlan {
  /** Throws a sentence that says what to install, before anything starts. */
  require?(): void;
  begin(stage: Stage): Work;
  estimateSeconds(contestant: Contestant, timing: Timing): Estimate;
  /** Clients stay connected to the other brokers meanwhile: these must not be stopped, or the clients would fail. */
  othersStayAwake?: boolean;
  /** Finds any broker with its one topic good enough and leaves it so: neighbours with this share their brokers. */
  sharesBroker?: boolean;
  /** Files beyond this, and the broker starts anew; Infinity for work that keeps what it prepared. */
  filesMaxBytes?: number;
}
