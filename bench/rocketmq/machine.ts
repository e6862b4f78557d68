/** What the figures were measured on and with. */
import { execFileSync, type StdioOptions } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

/** The project's folder, seen from dist/bench/rocketmq. */
export const PROJECT_FOLDER = fileURLToPath(new URL('../../../', import.meta.url));

export interface MachineInfo {
  processor: string;
  processors: number;
  memoryBytes: number;
  kernel: string;
  /** Type of the file system that holds the stores. */
  fileSystem: string;
  node: string;
  java: string;
  ringmqCommit: string;
}

function firstLine(command: string, args: string[]): string {
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return execFileSync(command, args, { encoding: 'utf8', cwd: PROJECT_FOLDER, stdio }).split('\n')[0] ?? '';
  } catch {
    return 'unknown';
  }
}

/** The mount with the longest path that holds the folder. */
export function fileSystemOf(folder: string, mounts: string): string {
  let best = { point: '', type: 'unknown' };
  for (const line of mounts.split('\n')) {
    const [, point, type] = line.split(' ');
    if (point === undefined || type === undefined || point.length < best.point.length) continue;
    const prefix = point.endsWith('/') ? point : `${point}/`;
    if (folder === point || folder.startsWith(prefix)) best = { point, type };
  }
  return best.type;
}

/** What the figures depend on: a change to anything else makes no other broker and no other benchmark. */
const MEASURED = ['src', 'native', 'bench', 'packaging', 'binding.gyp', 'package-lock.json'];

/** The last commit that changed what is measured, and whether what runs is more than that. */
function describeCommit(): string {
  const commit = firstLine('git', ['log', '-1', '--format=%H', '--', ...MEASURED]).slice(0, 12);
  const changed = firstLine('git', ['status', '--porcelain', '--', ...MEASURED]);
  return changed === '' ? commit : `${commit} with uncommitted changes`;
}

export function describeMachine(storeFolder: string): MachineInfo {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'latin1'));
  return {
    processor: cpu?.[1] ?? os.arch(),
    processors: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    fileSystem: fileSystemOf(storeFolder, fs.readFileSync('/proc/mounts', 'latin1')),
    node: process.version,
    java: firstLine('java', ['--version']),
    ringmqCommit: describeCommit(),
  };
}
