import { parseArgs } from 'node:util';
import { count, parseBenchOptions } from '../options.ts';
import type { Scenario, Timing } from '../scenarios.ts';

export interface ProfileOptions {
  scenarios: Scenario[];
  /** Places shown of each thread. */
  top: number;
  timing: Timing;
}

export const PROFILE_USAGE = `usage: npm run bench:profile -- [options]
  RingMQ alone, once, with the sampling profiler in each thread
  --scenario NAME  or row, more than once (default async-1k); bench:rocketmq --list shows them
  --top N          how many places of each thread are shown (default 12)
  --quick          shorter`;

export function parseProfileOptions(args: string[]): ProfileOptions {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: ['async-1k'] },
      top: { type: 'string', default: '12' },
      quick: { type: 'boolean', default: false },
    },
  });
  const passed = values.scenario.flatMap((name) => ['--scenario', name]);
  const { scenarios, timing } = parseBenchOptions(values.quick ? [...passed, '--quick'] : passed);
  return { scenarios, top: count('top', values.top, 1), timing };
}
