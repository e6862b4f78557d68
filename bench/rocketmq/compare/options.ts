import { parseArgs } from 'node:util';
import { type Contestant, RINGMQ } from '../contestant.ts';
import { parseBenchOptions } from '../options.ts';
import type { Scenario, Timing } from '../scenarios.ts';

export interface CompareOptions {
  before: string;
  after: string;
  scenarios: Scenario[];
  rounds: number;
  repeats: number;
  thresholdPercent: number;
  json: string | undefined;
  timing: Timing;
}

const DEFAULT_SCENARIOS = ['async-1k', 'sync-1k'];

export const COMPARE_USAGE = `usage: npm run bench:compare -- [options] COMMIT_A COMMIT_B
  builds both commits, measures RingMQ alone, A B A B, and fails when B is worse than A past the threshold
  In the place of a commit: tree, this tree; scraped, the same with a Prometheus that fetches its metrics every second;
  node:FILE, this tree run by that Node.js; file:FILE, an executable of npm run build:binary
  --threshold PERCENT  how much worse a median may be (default 10)
  --scenario NAME      or row, more than once (default ${DEFAULT_SCENARIOS.join(', ')}); bench:rocketmq --list shows them
  --rounds N, --quick, --repeats N, --json FILE    as for bench:rocketmq`;

/** Options of the benchmark itself go to its own parser, so that both commands take them alike. */
export function parseCompareOptions(args: string[]): CompareOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      repeats: { type: 'string' },
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: DEFAULT_SCENARIOS },
      threshold: { type: 'string', default: '10' },
      json: { type: 'string' },
    },
  });
  const [before, after, ...more] = positionals;
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error('two commits are needed');
  const thresholdPercent = Number(values.threshold);
  if (!(thresholdPercent >= 0)) throw new Error('--threshold must be a number of per cent from 0');
  const passed = values.scenario.flatMap((name) => ['--scenario', name]);
  if (values.quick) passed.push('--quick');
  if (values.rounds !== undefined) passed.push('--rounds', values.rounds);
  if (values.repeats !== undefined) passed.push('--repeats', values.repeats);
  const { scenarios, rounds, repeats, timing } = parseBenchOptions(passed);
  return { before, after, scenarios, rounds, repeats, thresholdPercent, json: values.json, timing };
}

/** A commit's contestant with what the scenario asks of RingMQ: its settings, a slave beside it, a proxy in front. */
export function asIn({ contestants }: Scenario, commit: Contestant): Contestant {
  const { conf, master, proxy } = contestants.find(({ name }) => name === RINGMQ.name) ?? {};
  return {
    ...commit,
    ...(conf === undefined ? {} : { conf }),
    ...(master === undefined ? {} : { master }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}
