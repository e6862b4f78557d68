/** Command line of the labs. */
import { parseArgs } from 'node:util';
import { nearestName } from '../../../src/lib/nearest.ts';
import { FULL, QUICK, type Scale } from './lab.ts';

/** Names and files (`NAME.lab.ts`), from the memory up to the whole broker's choices. */
export const LAB_NAMES = [
  'first-touch',
  'append',
  'sync',
  'page-cache',
  'zero-copy',
  'shared-memory',
  'ring',
  'false-sharing',
  'wake',
  'header',
  'garbage',
  'lost-pages',
  'mmap-io',
] as const;

export interface LabOptions {
  names: string[];
  scale: Scale;
  quick: boolean;
  list: boolean;
  /** Where pages and charts go; undefined = the default. */
  out: string | undefined;
}

export const LABS_USAGE = `usage: npm run labs -- [options] [name…]
  name         ${LAB_NAMES.slice(0, 6).join(', ')},
               ${LAB_NAMES.slice(6).join(', ')}; default: all
  --list       what each lab asks, and the disk that it needs; measures nothing
  --quick      shorter: to see that it works, not to quote
  --out DIR    where pages and charts go; default: .cache/bench/labs`;

/** A command line that cannot be meant. */
export class WrongUse extends Error {}

function unknownLab(name: string): WrongUse {
  const near = nearestName(name, LAB_NAMES);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new WrongUse(`there is no lab ${JSON.stringify(name)}${hint}`);
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        list: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        out: { type: 'string' },
      },
    });
  } catch (error) {
    // The first sentence says what is wrong; the usage what there is.
    throw new WrongUse((error as Error).message.split('. ')[0]);
  }
}

export function parseLabOptions(args: string[]): LabOptions {
  const { values, positionals } = parsed(args);
  const known: readonly string[] = LAB_NAMES;
  for (const name of positionals) if (!known.includes(name)) throw unknownLab(name);
  if (values.out === '') throw new WrongUse('--out needs a directory');
  return {
    names: known.filter((name) => positionals.length === 0 || positionals.includes(name)),
    scale: values.quick ? QUICK : FULL,
    quick: values.quick,
    list: values.list,
    out: values.out,
  };
}
