/** Command line of the micro benchmarks. */
import { parseArgs } from 'node:util';
import type { Timing } from './measure.ts';

/** Names and files, in the order in which a message meets them. */
export const SUITES = [
  'parse',
  'header',
  'command',
  'properties',
  'record',
  'ring',
  'append',
  'dispatch',
  'read',
  'filter',
  'reply',
  'crc',
  'mmap',
] as const;

export type SuiteName = (typeof SUITES)[number];

export interface MicroOptions {
  suites: SuiteName[];
  timing: Timing;
  json: string | undefined;
}

export const MICRO_USAGE = `usage: npm run bench -- [options] [name…]
  name         ${SUITES.join(', ')}; default: all
  --quick      shorter: to see that it works, not to quote
  --json FILE  where the figures go as JSON`;

const FULL: Timing = { time: 700, warmup: 300 };
const QUICK: Timing = { time: 120, warmup: 60 };

function isSuite(name: string): name is SuiteName {
  return (SUITES as readonly string[]).includes(name);
}

export function parseMicroOptions(args: string[]): MicroOptions {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  });
  const unknown = positionals.filter((name) => !isSuite(name));
  if (unknown.length > 0) throw new Error(`there is no micro benchmark ${unknown.join(', ')}`);
  const chosen = SUITES.filter((name) => positionals.length === 0 || positionals.includes(name));
  return { suites: chosen, timing: values.quick ? QUICK : FULL, json: values.json };
}
