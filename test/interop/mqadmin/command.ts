// What the table of mqadmin's commands is made of: a command, the lines that are run, and what differs.

import type { Scene } from './scene.ts';

export interface Run {
  /**
   * The words after the command's name. `{name}` stands for something of the scene, 'quotes' hold a word together.
   */
  readonly args: string;
  /** Said of it in the document and in the recording, where the words alone do not tell. */
  readonly about?: string;
  /** Run again until its output matches: what it shows comes a little later. */
  readonly settles?: RegExp;
  /** It never ends: it is interrupted when it has printed this. */
  readonly until?: string;
  /** A file that it writes, which counts as output. */
  readonly writes?: string;
  /** What the scene learns from the output: the first group of the expression. */
  readonly learns?: Readonly<Record<string, RegExp>>;
  /** Its own masks, before the general ones. */
  readonly masks?: readonly Mask[];
  /** Lines come in any order. */
  readonly unordered?: boolean;
}

/** In a configuration: ports, folders, and numbers of threads, which follow from the machine. */
export const CONFIGURED: readonly Mask[] = [
  [/^(\s*\w*Port\s+=\s+)\d+/gm, '$1<port>'],
  [/^(\s*[\w.]*(?:PoolNums?|Threads|ThreadNums?)\s+=\s+)\d+/gm, '$1<n>'],
  [/\S*\/ringmq-interop-[\w-]+/g, '<home>'],
];

export type Mask = readonly [pattern: RegExp, replacement: string];

export interface Command {
  readonly name: string;
  readonly runs: readonly (string | Run)[];
  /** What happens before the first run. */
  readonly before?: (scene: Scene) => Promise<void>;
  /** Where RingMQ prints something else although the command works: what and why. */
  readonly differs?: string;
  /** Where RingMQ lacks what the command is for: why. */
  readonly unsupported?: string;
}

export type Status = 'same' | 'differs' | 'unsupported';

export function statusOf({ differs, unsupported }: Pick<Command, 'differs' | 'unsupported'>): Status {
  if (unsupported !== undefined) return 'unsupported';
  return differs === undefined ? 'same' : 'differs';
}

export function runsOf(command: Command): readonly Run[] {
  return command.runs.map((run) => (typeof run === 'string' ? { args: run } : run));
}

/** The words of a command line; 'quotes' hold one together. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
