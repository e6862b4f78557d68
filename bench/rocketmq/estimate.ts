/** How long a run will take, roughly, and the listing of what it consists of. */
import { goalText } from './goals.ts';
import { type BenchOptions, pickContestants } from './options.ts';
import type { Scenario } from './scenarios.ts';

/** Disturbed rounds and the generator's calibration come on top. */
const MARGIN = 1.1;

export function scenarioSeconds(scenario: Scenario, options: BenchOptions): number {
  let seconds = 0;
  for (const contestant of pickContestants(scenario, options)) {
    const { prepare, round } = (contestant.plan ?? scenario.plan).estimateSeconds(contestant, options.timing);
    seconds += prepare + options.rounds * round;
  }
  return seconds * MARGIN;
}

export function runSeconds(options: BenchOptions): number {
  return options.scenarios.reduce((sum, scenario) => sum + scenarioSeconds(scenario, options), 0);
}

export function duration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function listing(options: BenchOptions): string {
  const lines = options.scenarios.flatMap((scenario) => [
    `${String(scenario.row).padStart(2)}  ${scenario.name.padEnd(16)} ${scenario.title}` +
      ` (${Math.round(scenarioSeconds(scenario, options))} s)`,
    ...scenario.goals.map((goal) => `      target: ${goalText(goal)}`),
  ]);
  return `${lines.join('\n')}\nabout ${duration(runSeconds(options))} with ${options.rounds} rounds\n`;
}
