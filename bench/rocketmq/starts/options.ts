/** What `npm run bench:starts` may be told. */
import { parseArgs } from 'node:util';
import { count } from '../options.ts';

export interface StartsOptions {
  /** Who takes part beside RocketMQ and this tree, as bench:compare takes them. */
  others: string[];
  rounds: number;
  heap: string;
  json: string | undefined;
  /** Stops and starts under load, too. */
  isLoaded: boolean;
}

export const STARTS_USAGE = `usage: npm run bench:starts -- [options]
  starts name server and broker on an empty store, lets them rest, stops them; by turns
  --with ONE     takes part too, more than once: file:FILE, an executable of npm run build:binary; node:FILE, this tree
                 run by that Node.js; a commit
  --rounds N     of each (default 5)
  --heap SIZE    heap of RocketMQ's broker (default 1g)
  --load         stops each under full load too, and starts it again while many clients try to reach it
  --json FILE    the result as JSON, too`;

export function parseStartsOptions(args: string[]): StartsOptions {
  const { values } = parseArgs({
    args,
    options: {
      with: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '5' },
      heap: { type: 'string', default: '1g' },
      json: { type: 'string' },
      load: { type: 'boolean', default: false },
    },
  });
  const { with: others, rounds, heap, json, load: isLoaded } = values;
  return { others, rounds: count('rounds', rounds, 1), heap, json, isLoaded };
}
