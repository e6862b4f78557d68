/** How long a run will take, roughly, and the listing of what it consists of. */
import { goalText } from './goals.ts';
import { type Casting, goesOn, planOf } from './hand-over.ts';
import { type BenchOptions, castingsOf } from './options.ts';

/** Disturbed rounds, the generator's calibration and brokers that outgrow their disk come on top. */
const MARGIN = 1.1;

type Times = Pick<BenchOptions, 'rounds' | 'timing'>;

/** `before` is the scenario that ran before, whose brokers may go on. */
export function scenarioSeconds(casting: Casting, before: Casting | undefined, times: Times): number {
  const { scenario, contestants } = casting;
  let seconds = 0;
  for (const contestant of contestants) {
    const { prepare, adapt, round } = planOf(scenario, contestant).estimateSeconds(contestant, times.timing);
    const same = before?.contestants.find(({ name }) => name === contestant.name);
    const shared = before !== undefined && same !== undefined && goesOn(same, before.scenario, casting);
    seconds += (shared ? (adapt ?? prepare) : prepare) + times.rounds * round;
  }
  return seconds * MARGIN;
}

/** Of each of them, in this order. */
function secondsOfEach(castings: readonly Casting[], times: Times): number[] {
  return castings.map((casting, at) => scenarioSeconds(casting, castings[at - 1], times));
}

export function runSeconds(castings: readonly Casting[], times: Times): number {
  return secondsOfEach(castings, times).reduce((sum, seconds) => sum + seconds, 0);
}

export function duration(seconds: number): string {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function listing(options: BenchOptions): string {
  const castings = castingsOf(options.scenarios, options);
  const seconds = secondsOfEach(castings, options);
  const lines = castings.flatMap(({ scenario: { row, name, title, goals } }, at) => [
    `${String(row).padStart(2)}  ${name.padEnd(22)} ${title} (${Math.round(seconds[at] as number)} s)`,
    ...goals.map((goal) => `      target: ${goalText(goal)}`),
  ]);
  const all = duration(runSeconds(castings, options));
  return `${lines.join('\n')}\nabout ${all} with ${options.rounds} rounds\n`;
}
