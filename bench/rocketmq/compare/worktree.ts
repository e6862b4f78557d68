/** A commit as a built tree of its own, `<cache>/compare/<commit>`: a git worktree, set up by its own set-up script. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { RunFolder } from '../cleanup.ts';
import { PROJECT_FOLDER } from '../machine.ts';
import { runCommand } from '../run-command.ts';

/** Written when the tree is whole: a build that was cut short is done again. */
const MARKER = '.ringmq-built';

function git(...args: string[]): string {
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return execFileSync('git', args, { cwd: PROJECT_FOLDER, encoding: 'utf8', stdio }).trim();
}

export function resolveCommit(name: string): string {
  try {
    return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  } catch {
    throw new Error(`there is no commit "${name}"`);
  }
}

export function subjectOf(commit: string): string {
  return git('log', '-1', '--format=%h %s', commit);
}

/** The same packages need no second copy; a tree with other ones gets its own by its set-up. */
function sharePackages(tree: string): void {
  const lock = 'package-lock.json';
  const [theirs, ours] = [path.join(tree, lock), path.join(PROJECT_FOLDER, lock)];
  if (!fs.existsSync(theirs) || !fs.existsSync(ours)) return;
  if (!fs.readFileSync(theirs).equals(fs.readFileSync(ours))) return;
  fs.cpSync(path.join(PROJECT_FOLDER, 'node_modules'), path.join(tree, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
}

function setUp(folder: RunFolder, tree: string): Promise<void> {
  const args = [path.join(tree, 'packaging', 'setup.mjs')];
  const complaint = `${path.basename(tree)} could not be built:`;
  return runCommand(folder, { command: process.execPath, args, cwd: tree }, complaint);
}

/** Folder of the built tree. */
export async function builtTree(
  folder: RunFolder,
  cache: string,
  commit: string,
  say: (line: string) => void,
): Promise<string> {
  const tree = path.join(cache, 'compare', commit.slice(0, 12));
  if (fs.existsSync(path.join(tree, MARKER))) return tree;
  say(`building ${subjectOf(commit)} …`);
  fs.rmSync(tree, { recursive: true, force: true });
  git('worktree', 'prune');
  git('worktree', 'add', '--force', '--detach', tree, commit);
  sharePackages(tree);
  await setUp(folder, tree);
  fs.writeFileSync(path.join(tree, MARKER), '');
  return tree;
}
