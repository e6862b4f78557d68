// Programs of Debian that nobody needs to have: unpacked beside the other things that tests fetch, without root.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.ts';
import { cache } from './paths.ts';
import { tool } from './tools.ts';

const REMEDY = 'it is a part of Debian';

/** The folder with the files of these packages, as they would lie under `/`. `name`: of that folder. */
export function unpacked(name: string, packages: readonly string[]): string {
  return alone(() => {
    const folder = join(cache, name);
    if (existsSync(folder)) return folder;
    const fresh = `${folder}.fresh`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    run(tool('apt-get', REMEDY), ['download', ...packages], fresh);
    for (const file of readdirSync(fresh).filter((entry) => entry.endsWith('.deb')))
      run(tool('dpkg-deb', REMEDY), ['-x', file, '.'], fresh);
    renameSync(fresh, folder);
    return folder;
  });
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stderr}`);
}
