/** Lab: what a mapped process meets when its file is cut short, its mapping ends, or its disk is full. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotRun, type Case, type Lab, type Outcome } from './lib/lab.ts';
import { type Scene, SMALL_DISK_BYTES, type Told } from './threads/lost-data.ts';

const CHILD = fileURLToPath(new URL('./threads/lost.process.js', import.meta.url));
const TIMEOUT_MS = 30_000;

const TRUNCATED = 'the file is cut short';
const UNMAPPED = 'the mapping ends';
const FULL = 'the disk is full';

const READ = 'read a lost page';
const READ_GUARDED = 'read a lost page, fault guard';
const STORE = 'store into a sparse file';
const STORE_GUARDED = 'store into a sparse file, fault guard';

const SCENES: [string, string, Scene][] = [
  [TRUNCATED, READ, 'truncate'],
  [TRUNCATED, READ_GUARDED, 'truncate-guarded'],
  [TRUNCATED, 'write call behind the new end', 'truncate-write'],
  [UNMAPPED, 'file deleted, mapping in use', 'unlink'],
  [UNMAPPED, 'region closed, view in use', 'close'],
  [UNMAPPED, 'region closed and detached', 'detach'],
  [FULL, STORE, 'full-sparse'],
  [FULL, STORE_GUARDED, 'full-sparse-guarded'],
  [FULL, 'write call into a sparse file', 'full-write'],
  [FULL, 'make an allocated file', 'full-allocate'],
  [FULL, 'store into allocated room', 'full-allocated'],
];

/** Who is killed leaves no image of its memory. */
const NO_CORE = 'ulimit -c 0; exec "$@"';

/** A disk of its own in a mount namespace of its own: it goes with the process, and nobody else sees it. */
function onSmallDisk(folder: string, command: string[]): SpawnSyncReturns<string> {
  const script = `mount -t tmpfs -o size=${SMALL_DISK_BYTES} none "$1" || exit 99; shift; ${NO_CORE}`;
  const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', folder, ...command];
  return spawnSync('unshare', args, { encoding: 'utf8', timeout: TIMEOUT_MS });
}

/** Throws when no small disk can be made here. */
function needSmallDisk(folder: string): void {
  const { error, status, stderr } = onSmallDisk(folder, ['true']);
  if (status === 0) return;
  const reason = error?.message ?? stderr.trim().split('\n')[0];
  throw new CannotRun(`a small disk needs the right to mount tmpfs in a namespace of one's own: ${reason}`);
}

function outcomeOf({ status, signal, stdout, stderr }: SpawnSyncReturns<string>): Outcome {
  // A shell of `unshare` tells of a signal by its number.
  const killed = signal ?? (status === 128 + 7 ? 'SIGBUS' : null);
  if (killed !== null) return { figures: { survived: 0 }, remark: `killed by ${killed}` };
  if (status !== 0) throw new Error(`a child ended with code ${status}: ${stderr.trim()}`);
  const { seen, micros } = JSON.parse(stdout) as Told;
  return { figures: { survived: 100, micros }, remark: `lives: ${seen}` };
}

function caseOf(folder: string, place: string, way: string, scene: Scene): Case {
  const own = join(folder, scene);
  return {
    place,
    way,
    prepare: () => {
      rmSync(own, { recursive: true, force: true });
      mkdirSync(own);
      if (place === FULL) needSmallDisk(own);
    },
    measure: () => {
      const command = [process.execPath, CHILD, scene, own];
      if (place === FULL) return outcomeOf(onSmallDisk(own, command));
      const options = { encoding: 'utf8', timeout: TIMEOUT_MS } as const;
      return outcomeOf(spawnSync('sh', ['-c', NO_CORE, 'sh', ...command], options));
    },
  };
}

export const lab: Lab = {
  title: 'Lost pages: a file cut short, a mapping that ends, a full disk',
  hypothesis:
    'A mapping turns errors of the disk into a signal: whoever touches a page for which there is no file, or no room, is ' +
    'killed by SIGBUS, in the middle of any instruction. A process survives that only if it turns the signal into an ' +
    'error by itself, or never touches such a page: write calls give errors, and room that was allocated before is there.',
  experiment:
    'Children of this process map a file and lose it: it is cut short, its mapping ends, or the disk (a tmpfs of 1 MiB in a ' +
    'mount namespace of the child) is full. Each tells what it saw, or is killed. With "fault guard" the child has ' +
    "installed the addon's handler.",
  reading:
    'Survived is the share of the children that lived to tell. With the guard a lost page reads as zeros, and stores into it ' +
    'stay in memory: that is no data, so the region is marked, syncs of it fail, and whoever has read looks at the mark ' +
    'before believing what it has read. The time is that of the first touch, signal and repair included.',
  uses: [
    {
      file: 'native/fault_guard.cc',
      symbol: 'installFaultGuardCall',
      what: 'SIGBUS becomes a page of zeros and a mark',
    },
    {
      file: 'src/store/disk/native-disk.ts',
      symbol: 'regionErrorIn',
      what: 'the mark is asked for after reading',
    },
    {
      file: 'src/store/log/log-room.ts',
      symbol: 'LogRoom',
      what: "the log's room is allocated before it is written",
    },
    {
      file: 'native/region_append.cc',
      symbol: 'appendToRegion',
      what: 'appends are write calls, which fail with an errno',
    },
    {
      file: 'native/region.cc',
      symbol: 'closeRegion',
      what: 'a mapping ends with the last who holds it, never before',
    },
  ],
  places: 'what happens',
  columns: [
    { key: 'survived', title: 'survived, %' },
    { key: 'micros', title: 'first touch, µs' },
  ],
  chart: { column: 'survived', logarithmic: false },
  bytes: () => SMALL_DISK_BYTES,
  open: ({ folder }) => ({ cases: SCENES.map(([place, way, scene]) => caseOf(folder, place, way, scene)) }),
  findings: [
    (look) => {
      const [bare, guarded] = [look(TRUNCATED, READ, 'survived'), look(TRUNCATED, READ_GUARDED, 'survived')];
      return `of those that read a page that was cut off ${bare.toFixed(0)} % survived, with the fault guard ${guarded.toFixed(0)} %`;
    },
    (look) => {
      const [bare, guarded] = [look(FULL, STORE, 'survived'), look(FULL, STORE_GUARDED, 'survived')];
      return `of those that stored into a sparse file on a full disk ${bare.toFixed(0)} % survived, with the fault guard ${guarded.toFixed(0)} %`;
    },
    (look) =>
      `a lost page cost ${look(TRUNCATED, READ_GUARDED, 'micros').toFixed(0)} µs, signal and repair included`,
  ],
};
