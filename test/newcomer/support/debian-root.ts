// Root file systems of Debian 12, made by debootstrap once and copied for each test. Takes root.

import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from '../../interop/support/alone.ts';
import { cache, temporaryFolder } from '../../interop/support/paths.ts';
import { tool } from '../../interop/support/tools.ts';

const SUITE = 'bookworm';
const MADE_MS = 600_000;

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export class DebianRoot {
  readonly folder = temporaryFolder('debian');

  /** The packages are there from the beginning. */
  constructor(packages: readonly string[]) {
    must('cp', ['-a', `${alone(() => bootstrapped(packages))}/.`, this.folder]);
  }

  /** Runs a shell script in it. */
  run(script: string, { user = '0:0', folder = '/', env = {} }: Surroundings = {}): Outcome {
    const [command = '', ...args] = this.command(script, { user, folder, env });
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: MADE_MS });
    return { code: status, output: `${stdout}${stderr}` };
  }

  /** What runs a shell script in it. */
  command(script: string, { user = '0:0', folder = '/', env = {} }: Surroundings = {}): string[] {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const inside = ['/usr/bin/env', '-i', path, ...variables, '/bin/sh', '-ec', `cd '${folder}'; ${script}`];
    return ['chroot', `--userspec=${user}`, this.folder, ...inside];
  }
}

export interface Surroundings {
  user?: string;
  folder?: string;
  env?: Readonly<Record<string, string>>;
}

function bootstrapped(packages: readonly string[]): string {
  const folder = join(cache, ['debian', SUITE, ...packages].join('-'));
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.fresh`;
  rmSync(fresh, { recursive: true, force: true });
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  must(tool('debootstrap', 'apt-get install -y debootstrap'), [
    '--variant=minbase',
    ...include,
    SUITE,
    fresh,
  ]);
  renameSync(fresh, folder);
  return folder;
}

function must(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: MADE_MS });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
}
