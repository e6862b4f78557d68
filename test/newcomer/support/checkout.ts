// A clone of this repository as a newcomer has it: what is in the working copy now, and nothing that is made of it.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from '../../interop/support/paths.ts';

/** Clones HEAD into `folder` and brings it to the state of the working copy. */
export function cloneInto(folder: string): void {
  git(dirname(folder), 'clone', '--quiet', '--no-hardlinks', repository, folder);
  for (const path of listed('--deleted')) rmSync(join(folder, path), { force: true });
  const gone = new Set(listed('--deleted'));
  for (const path of listed('--modified', '--others', '--exclude-standard').filter((one) => !gone.has(one))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(repository, path), join(folder, path));
  }
}

function listed(...options: readonly string[]): string[] {
  return git(repository, 'ls-files', '-z', ...options)
    .split('\0')
    .filter(Boolean);
}

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8' });
}
