/** The limit (bench/limit), built once per content of its sources into the cache. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { tool } from '../../test/interop/support/tools.ts';
import type { RunFolder } from './cleanup.ts';
import { PROJECT_FOLDER } from './machine.ts';
import { runCommand } from './run-command.ts';

export const LIMIT_READY = 'limit ready';

const FLAGS = ['-std=c++17', '-O3', '-march=native', '-Wall', '-Wextra', '-Werror', '-pthread'];
const REMEDY = 'apt-get install -y g++';
/** What it has of the broker's own addon. */
const SHARED = ['crc32.cc', 'crc32.h', 'crc32_polynomial.h'];

/** All files that it is made of, by their paths in the project. */
function sources(): string[] {
  const own = fs
    .readdirSync(path.join(PROJECT_FOLDER, 'bench', 'limit'))
    .filter((name) => /\.(cc|h)$/.test(name));
  return [
    ...own.sort().map((name) => path.join('bench', 'limit', name)),
    ...SHARED.map((name) => path.join('native', name)),
  ];
}

/** The program's path. The error of a machine without a compiler says what to install. */
export async function limitProgram(folder: RunFolder, cache: string): Promise<string> {
  const files = sources();
  const sum = createHash('sha256').update(FLAGS.join(' '));
  for (const file of files) sum.update(file).update(fs.readFileSync(path.join(PROJECT_FOLDER, file)));
  const home = path.join(cache, 'limit');
  const program = path.join(home, `limit-${sum.digest('hex').slice(0, 16)}`);
  if (fs.existsSync(program)) return program;
  const draft = path.join(folder.path, 'limit-draft');
  const args = [...FLAGS, '-o', draft, ...files.filter((file) => file.endsWith('.cc'))];
  const complaint = 'g++ could not build the limit:';
  await runCommand(folder, { command: tool('g++', REMEDY), args, cwd: PROJECT_FOLDER }, complaint);
  fs.mkdirSync(home, { recursive: true });
  fs.renameSync(draft, program);
  return program;
}
