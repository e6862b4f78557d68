// The Node.js side of the tests: the gRPC client from npm, installed once per content of its folder.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.ts';
import { cache, interop } from './paths.ts';
import { tool } from './tools.ts';

const INSTALL_TIMEOUT = 600_000;

/** The program's file, which lies beside the packages that it needs. */
export function nodeProgram(): string {
  return alone(install);
}

function install(): string {
  const folder = join(interop, 'node');
  const files = readdirSync(folder).sort();
  const sum = createHash('sha256');
  for (const name of files) sum.update(name).update(readFileSync(join(folder, name)));
  const stamp = sum.digest('hex');
  const build = join(cache, 'node');
  const stampFile = join(build, 'stamp');
  const program = join(build, 'grpc.mjs');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return program;
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { recursive: true });
  for (const name of files) copyFileSync(join(folder, name), join(build, name));
  console.error('interop: installing the Node.js client (the registry is asked once)');
  const npm = tool('npm', 'it comes with Node.js');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const result = spawnSync(npm, args, { cwd: build, encoding: 'utf8', timeout: INSTALL_TIMEOUT });
  if (result.status !== 0) throw new Error(`npm ci failed:\n${result.stdout}\n${result.stderr}`);
  writeFileSync(stampFile, stamp);
  return program;
}
