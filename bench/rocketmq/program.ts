/** What the commands of this folder have in common: their place for files, their words, and how they end. */
import path from 'node:path';
import { PROJECT_FOLDER } from './machine.ts';

export const CACHE = path.join(PROJECT_FOLDER, '.cache', 'bench');

/** A line of progress: stdout is for the results. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export interface Program<Options> {
  name: string;
  usage: string;
  /** Throws a sentence about the option that is wrong. */
  parse(args: string[]): Options;
  /** Exit code. */
  run(options: Options): Promise<number>;
}

async function exitCode<Options>({ name, usage, parse, run }: Program<Options>): Promise<number> {
  let options: Options;
  try {
    options = parse(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  try {
    return await run(options);
  } catch (error) {
    say(`${name}: ${(error as Error).message}`);
    return 1;
  }
}

/** Ends the process: 2 = wrong options, 1 = it failed, else what `run` says. */
export async function runProgram<Options>(program: Program<Options>): Promise<never> {
  process.exit(await exitCode(program));
}
