/**
 * Which brokers go on from one scenario to the next, warm as they are: those that the next one would start just so, and
 * whose work so far left them as any other plain sending would have.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Contestant } from './contestant.ts';
import type { Scenario } from './scenarios.ts';
import type { Target } from './target.ts';
import type { WorkPlan } from './work/work.ts';

/** A scenario, and who takes part in it in this run. */
export interface Casting {
  scenario: Scenario;
  contestants: readonly Contestant[];
}

/** What is handed over: a broker, and the folder that it lives in. */
export interface LivingBroker {
  target: Target;
  home: string;
}

export function planOf(scenario: Scenario, contestant: Contestant): WorkPlan {
  return contestant.plan ?? scenario.plan;
}

function shares(scenario: Scenario, contestant: Contestant): boolean {
  return scenario.oneAtATime !== true && planOf(scenario, contestant).sharesBroker === true;
}

/** All that makes one broker another one than its namesake. */
function setUpOf({ kind, heap, conf, master, proxy, cli, nodeFlags }: Contestant): unknown {
  return { kind, heap, conf, master, proxy, cli, nodeFlags };
}

/** Whether the broker that a contestant has in this scenario is the one to begin the next one with. */
export function goesOn(contestant: Contestant, here: Scenario, next: Casting | undefined): boolean {
  if (next === undefined || next.scenario.flush !== here.flush) return false;
  const successor = next.contestants.find(({ name }) => name === contestant.name);
  return (
    successor !== undefined &&
    isDeepStrictEqual(setUpOf(successor), setUpOf(contestant)) &&
    shares(here, contestant) &&
    shares(next.scenario, successor)
  );
}
