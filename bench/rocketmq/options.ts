import { parseArgs } from 'node:util';
import { type Contestant, type Kind, NULL_SERVER } from './contestant.ts';
import type { Casting } from './hand-over.ts';
import { FULL, QUICK, SCENARIOS, type Scenario, type Timing } from './scenarios.ts';

export interface BenchOptions {
  rounds: number;
  /** How often a disturbed round is tried again. */
  repeats: number;
  quick: boolean;
  scenarios: Scenario[];
  heap: string;
  targets: Kind[];
  /** JSON report; the Markdown report gets the same name with `.md`. */
  json: string | undefined;
  /** What that report holds already is not measured again. */
  continued: boolean;
  /** Only print what there is. */
  list: boolean;
  timing: Timing;
}

export const BENCH_USAGE = `usage: npm run bench:rocketmq -- [options]
  --rounds N         measured rounds of each broker in each scenario (default 5; with --quick 1)
  --quick            shorter warm-up and rounds: to see that it works, not to quote
  --scenario NAME    only this one, or all of a row by its number; may be given more than once
  --list             print the scenarios with their targets, and how long they take
  --heap SIZE        heap of RocketMQ's broker, as Java's -Xmx takes it (default 4g)
  --target NAME      rocketmq, ringmq, limit, or both (default: all three); null = the null server; may be given
                     more than once
  --repeats N        how often a round that others disturbed is tried again (default 3)
  --json FILE        where the JSON report goes; the Markdown report lies beside it (default: the cache folder)
  --continue         takes from that report what a run of this commit with these settings has measured already`;

const TARGETS: Record<string, Kind[]> = {
  rocketmq: ['rocketmq'],
  ringmq: ['ringmq', 'bare'],
  limit: ['limit'],
  null: ['null'],
  both: ['rocketmq', 'ringmq', 'bare', 'limit'],
};

function pickScenarios(names: string[]): Scenario[] {
  const isMeant = ({ row, name }: Scenario, wanted: string): boolean =>
    wanted === name || wanted === String(row);
  for (const wanted of names) {
    if (!SCENARIOS.some((scenario) => isMeant(scenario, wanted)))
      throw new Error(`there is no scenario or row "${wanted}"; --list shows them`);
  }
  if (names.length === 0) return [...SCENARIOS];
  return SCENARIOS.filter((scenario) => names.some((wanted) => isMeant(scenario, wanted)));
}

function pickTargets(names: string[]): Kind[] {
  const targets = new Set<Kind>();
  for (const name of names) {
    const meant = TARGETS[name];
    if (meant === undefined)
      throw new Error(`--target must be rocketmq, ringmq, limit, both or null, not "${name}"`);
    for (const target of meant) targets.add(target);
  }
  return [...targets];
}

/** The value of an option that is a whole number; throws a sentence. */
export function count(name: string, value: string, min: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < min)
    throw new Error(`--${name} must be a whole number from ${min}`);
  return number;
}

export function parseBenchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      repeats: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      heap: { type: 'string', default: '4g' },
      target: { type: 'string', multiple: true, default: ['both'] },
      json: { type: 'string' },
      continue: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  if (!/^\d+[mg]$/i.test(values.heap)) throw new Error('--heap must be a size such as 4g or 512m');
  return {
    rounds: count('rounds', values.rounds ?? (values.quick ? '1' : '5'), 1),
    repeats: count('repeats', values.repeats, 0),
    quick: values.quick,
    scenarios: pickScenarios(values.scenario),
    heap: values.heap,
    targets: pickTargets(values.target),
    json: values.json,
    continued: values.continue,
    list: values.list,
    timing: values.quick ? QUICK : FULL,
  };
}

/** Who takes part in a scenario of this run. */
export function pickContestants(
  { contestants }: Scenario,
  { targets, quick }: Pick<BenchOptions, 'targets' | 'quick'>,
): Contestant[] {
  const picked = contestants.filter(
    ({ kind, fullRunOnly }) => targets.includes(kind) && !(quick && fullRunOnly === true),
  );
  return targets.includes('null') ? [...picked, NULL_SERVER] : picked;
}

/** The scenarios with those who take part in them. */
export function castingsOf(
  scenarios: readonly Scenario[],
  options: Pick<BenchOptions, 'targets' | 'quick'>,
): Casting[] {
  return scenarios.map((scenario) => ({ scenario, contestants: pickContestants(scenario, options) }));
}
