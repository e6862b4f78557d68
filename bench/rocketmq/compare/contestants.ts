/** Whom a comparison is between: a commit, this tree, also run by some Node.js or scraped, or an executable of RingMQ. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunFolder } from '../cleanup.ts';
import { type Contestant, RINGMQ } from '../contestant.ts';
import { CACHE, say } from '../program.ts';
import { ringmqProgram } from '../ringmq-program.ts';
import { builtTree, resolveCommit, subjectOf } from './worktree.ts';

const TREE = 'tree';
const SCRAPED = 'scraped';
const NODE = 'node:';
const FILE = 'file:';

export async function contestantOf(name: string, wanted: string, folder: RunFolder): Promise<Contestant> {
  if (wanted === TREE) return { ...RINGMQ, name, title: `${name} this tree` };
  if (wanted === SCRAPED) return { ...RINGMQ, name, title: `${name} scraped`, scraped: true };
  if (wanted.startsWith(NODE)) return ofProgram(name, programIn(wanted, NODE), [ringmqProgram()]);
  if (wanted.startsWith(FILE)) return ofProgram(name, programIn(wanted, FILE), []);
  const commit = resolveCommit(wanted);
  const tree = await builtTree(folder, CACHE, commit, say);
  say(`${name}: ${subjectOf(commit)}`);
  return { name, title: `${name} ${commit.slice(0, 9)}`, kind: 'ringmq', cli: ringmqProgram(tree) };
}

function programIn(wanted: string, form: string): string {
  const file = wanted.slice(form.length);
  if (!fs.existsSync(file)) throw new Error(`${wanted}: there is no such file`);
  // It is started in another folder.
  return path.resolve(file);
}

function ofProgram(name: string, program: string, args: readonly string[]): Contestant {
  say(`${name}: ${[program, ...args].join(' ')}`);
  return {
    name,
    title: `${name} ${program.split('/').slice(-3).join('/')}`,
    kind: 'ringmq',
    program: [program, ...args],
  };
}
