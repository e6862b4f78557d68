import { parseArgs } from 'node:util';
import { FULL, QUICK, SCENARIOS, type Scenario, type Timing } from './scenarios.ts';
import type { TargetName } from './target.ts';

export interface BenchOptions {
  rounds: number;
  quick: boolean;
  scenarios: Scenario[];
  heap: string;
  targets: TargetName[];
  /** JSON report; the Markdown report gets the same name with `.md`. */
  json: string | undefined;
  timing: Timing;
}

export const BENCH_USAGE = `usage: npm run bench:rocketmq -- [options]
  --rounds N         measured rounds of each broker in each scenario (default 5; with --quick 2)
  --quick            shorter warm-up and rounds: to see that it works, not to quote
  --scenario NAME    only this one; may be given more than once: ${SCENARIOS.map(({ name }) => name).join(', ')}
  --heap SIZE        heap of RocketMQ's broker, as Java's -Xmx takes it (default 4g)
  --target NAME      rocketmq, ringmq or both (default); null = the null server, may be given more than once
  --json FILE        where the JSON report goes; the Markdown report lies beside it (default: the cache folder)`;

const TARGETS: Record<string, TargetName[]> = {
  rocketmq: ['rocketmq'],
  ringmq: ['ringmq'],
  null: ['null'],
  both: ['rocketmq', 'ringmq'],
};

function pickScenarios(names: string[]): Scenario[] {
  for (const name of names) {
    if (!SCENARIOS.some((scenario) => scenario.name === name))
      throw new Error(`there is no scenario "${name}"`);
  }
  return names.length === 0 ? [...SCENARIOS] : SCENARIOS.filter(({ name }) => names.includes(name));
}

function pickTargets(names: string[]): TargetName[] {
  const targets = new Set<TargetName>();
  for (const name of names) {
    const meant = TARGETS[name];
    if (meant === undefined) throw new Error(`--target must be rocketmq, ringmq or both, not "${name}"`);
    for (const target of meant) targets.add(target);
  }
  return [...targets];
}

export function parseBenchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      heap: { type: 'string', default: '4g' },
      target: { type: 'string', multiple: true, default: ['both'] },
      json: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1');
  if (!/^\d+[mg]$/i.test(values.heap)) throw new Error('--heap must be a size such as 4g or 512m');
  return {
    rounds,
    quick: values.quick,
    scenarios: pickScenarios(values.scenario),
    heap: values.heap,
    targets: pickTargets(values.target),
    json: values.json,
    timing: values.quick ? QUICK : FULL,
  };
}
