// A newcomer's machine: clones, projects and programs, as a person would have and call them.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { PROJECT } from '../../support/packaging.ts';
import { cloneInto } from './checkout.ts';

const temporary = mkdtempSync(join(tmpdir(), 'ringmq-newcomer-'));

/** What npm and the test run have said to this process is none of a newcomer's. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|RINGMQ_|NODE_(?!EXTRA_CA_CERTS$)|INIT_CWD$)/.test(name),
  ),
);

export interface Ended {
  code: number | null;
  /** stdout and stderr. */
  output: string;
}

export interface RunOptions {
  cwd: string;
  env?: Record<string, string>;
}

export function temporaryFolder(name: string): string {
  const folder = join(temporary, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

export function removeTemporaryFolders(): void {
  rmSync(temporary, { recursive: true, force: true });
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], { cwd, env = {} }: RunOptions): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...environment, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

/** The same, when anything but success is a failure of the test. */
export function succeed(command: string, args: readonly string[], options: RunOptions): string {
  const { code, output } = run(command, args, options);
  assert.is(code, 0, `${command} ${args.join(' ')}\n${output}`);
  return output;
}

/** Started, and the leader of a process group, so that nothing of it stays. */
export function start(command: string, args: readonly string[], { cwd, env = {} }: RunOptions): ChildProcess {
  return spawn(command, args, {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** Resolves with all output up to the text; rejects when the program ends before. */
export function whenItSays(child: ChildProcess, text: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (text.test(output)) resolve(output);
      });
    }
    child.once('close', (code) => reject(new Error(`ended with ${code}:\n${output}`)));
  });
}

/** Ends it as Ctrl-C does: every process of the group is told. */
export async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  process.kill(-(child.pid as number), 'SIGINT');
  return ended;
}

/** A clone of what is here. */
export function cloneRepository(name: string): string {
  const folder = join(temporaryFolder('clones'), name);
  cloneInto(folder);
  return folder;
}

export function emptyProject(name: string): string {
  const folder = temporaryFolder(name);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', private: true }));
  return folder;
}

/** The file of a Node.js of that major version, from the npm package that carries it. */
export function nodeOf(major: number): string {
  const folder = join(PROJECT, '.cache/newcomer', `node-${major}`);
  const name = `node-linux-${process.arch}`;
  const file = join(folder, 'node_modules', name, 'bin/node');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    succeed('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `${name}@${major}`], {
      cwd: folder,
    });
  }
  return file;
}
