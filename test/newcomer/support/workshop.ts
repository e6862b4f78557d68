// Runs the blocks of a page in order, as somebody would who has nothing but a clone of this repository: in a folder and
// with a home folder of its own, on free ports.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freeBrokerPort, freePort } from '../../interop/support/ports.ts';
import { Command, endAllCommands, signalGroup } from './command.ts';
import { type Block, blocksOf } from './page.ts';
import { missingLine } from './shape.ts';
import { makeTools, type Ports, type ToolSetting } from './tools.ts';

/** What a block may take: npm, Maven and Go fetch packages in some. */
const BLOCK_MS = 600_000;
const STOP_MS = 60_000;
const READY = /RingMQ ready: |boot success/;
/** Folders of the system that pages name. They lie below a root of the page's own. */
const SYSTEM_PATH = /(?<![\w./$~])\/(?=(?:etc|var|opt)\/)/g;

export interface Workshop {
  /** The clone, in which README and CONTRIBUTING are read. */
  readonly clone: string;
  readonly home: string;
  readonly root: string;
  readonly ports: Ports;
  readonly bin: string;
  readonly strictPipes: boolean;
  /** Where the next command is run: a `cd` lasts, as in a terminal. */
  folder: string;
  readonly servers: Command[];
}

export interface PageTrip {
  readonly page: string;
  readonly clone: string;
  /** Whether the page is read in the clone, or in an empty folder. */
  readonly inClone: boolean;
  /** First lines of blocks that a test cannot run, with the reason. */
  readonly notRun: ReadonlyMap<string, string>;
  /** What fails in front of a pipe fails its block; not for pages that end one early, as with `head`. */
  readonly strictPipes?: boolean;
  /** What the page takes for granted. */
  readonly prepare?: (workshop: Workshop) => Promise<void>;
}

/** Runs a page. Throws with the block's place and output. Returns how many blocks were run or written. */
export async function runPage(trip: PageTrip): Promise<number> {
  const blocks = blocksOf(join(trip.clone, trip.page), trip.page);
  const listed = new Set(trip.notRun.keys());
  const runnable = blocks.filter((block) => !listed.delete(firstLine(block)));
  if (listed.size > 0)
    throw new Error(`${trip.page} has no block that begins with: ${[...listed].join(', ')}`);
  const wanted = runnable.filter(({ directive }) => directive.kind !== 'text');
  if (wanted.length === 0) return 0;
  const workshop = await open(trip, wanted);
  try {
    await trip.prepare?.(workshop);
    for (const block of wanted) await inItsPlace(block, () => runBlock(workshop, block));
    await stopServers(workshop);
    return wanted.length;
  } finally {
    await close(workshop);
  }
}

const firstLine = (block: Block): string => block.text.split('\n')[0] as string;

async function open(
  { clone, inClone, strictPipes = false }: PageTrip,
  blocks: readonly Block[],
): Promise<Workshop> {
  const top = mkdtempSync(join(tmpdir(), 'ringmq-page-'));
  const [home, root, bin, work] = ['home', 'root', 'bin', 'work'].map((name) => join(top, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const folder of [
    home,
    work,
    join(root, 'etc/systemd/system'),
    join(root, 'var/lib'),
    join(root, 'opt'),
  ])
    mkdirSync(folder, { recursive: true });
  const ports = { nameServer: await freePort(), broker: await freeBrokerPort() };
  const setting: ToolSetting = { bin, clone, home, root, ports };
  makeTools(setting, { java: blocks.some(({ text }) => /\bmq(?:admin|broker|namesrv)\b/.test(text)) });
  keepMavenSettings(home);
  return { clone, home, root, ports, bin, strictPipes, folder: inClone ? clone : work, servers: [] };
}

/** Mirrors and proxies of this machine. */
function keepMavenSettings(home: string): void {
  const settings = join(homedir(), '.m2', 'settings.xml');
  if (!existsSync(settings)) return;
  mkdirSync(join(home, '.m2'));
  symlinkSync(settings, join(home, '.m2', 'settings.xml'));
}

/** Packages that were fetched once are not fetched again: the caches stay where they are. */
function environment({ home, bin }: Workshop): NodeJS.ProcessEnv {
  const mine = homedir();
  const cached = {
    npm_config_cache: process.env['npm_config_cache'] ?? join(mine, '.npm'),
    GOPATH: process.env['GOPATH'] ?? join(mine, 'go'),
    GOCACHE: process.env['GOCACHE'] ?? join(mine, '.cache', 'go-build'),
    MAVEN_OPTS: `-Duser.home=${home} -Dmaven.repo.local=${join(mine, '.m2', 'repository')}`,
  };
  const { RINGMQ_TEST_FULL: _, NAMESRV_ADDR: __, ...env } = process.env;
  const names = Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_/i.test(name)));
  return { ...names, ...cached, HOME: home, PATH: `${bin}:${process.env['PATH']}`, TERM: 'dumb' };
}

/** A page's text with this trip's ports and folders. */
function localized({ ports, root, home, bin }: Workshop, text: string): string {
  return text
    .replaceAll(/\b9876\b/g, String(ports.nameServer))
    .replaceAll(/\b10911\b/g, String(ports.broker))
    .replaceAll(/\b10909\b/g, String(ports.broker - 2))
    .replaceAll('/usr/local/bin/ringmq', join(bin, 'ringmq'))
    .replaceAll('/home/you', home)
    .replaceAll(SYSTEM_PATH, `${root}/`);
}

async function inItsPlace(block: Block, act: () => Promise<void>): Promise<void> {
  const begin = Date.now();
  try {
    await act();
  } catch (error) {
    throw new Error(`${block.place}\n${block.text}\n${(error as Error).message}`);
  } finally {
    if (process.env['PAGES_TIMES'] === '1')
      console.error(`${((Date.now() - begin) / 1000).toFixed(1).padStart(7)} s  ${block.place}`);
  }
}

async function runBlock(workshop: Workshop, block: Block): Promise<void> {
  const { directive } = block;
  const text = localized(workshop, block.text);
  if (directive.kind === 'file') return writeFile(workshop, localized(workshop, directive.name), text);
  if (directive.kind === 'run') return void (await runAndFollow(workshop, text));
  if (directive.kind === 'until') return runUntil(workshop, text, directive.words);
  if (directive.kind === 'server') return void (await startServer(workshop, text));
  if (directive.kind === 'console server') return runShownServer(workshop, text);
  if (directive.kind === 'console') return runShown(workshop, text);
}

function writeFile(workshop: Workshop, name: string, text: string): void {
  const path = name.startsWith('/') ? name : join(workshop.folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Resolves with what it prints. It has to end with 0, unless it is judged by its output. */
async function runAndFollow(workshop: Workshop, script: string, mayFail = false): Promise<string> {
  const folderFile = join(workshop.home, '.folder');
  const pipes = workshop.strictPipes ? 'set -o pipefail\n' : '';
  const command = new Command(`trap 'pwd > ${folderFile}' EXIT\n${pipes}${script}`, placeOf(workshop));
  const code = await withOutput(command, () => command.endsWithin(BLOCK_MS));
  if (code !== 0 && !mayFail) throw new Error(`ended with ${code}:\n${command.output}`);
  workshop.folder = readFileSync(folderFile, 'utf8').trim();
  return command.output;
}

async function runUntil(workshop: Workshop, script: string, words: string): Promise<void> {
  const command = new Command(script, placeOf(workshop));
  const escaped = words.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  await withOutput(command, () => command.shows(new RegExp(`^${escaped}$`, 'm'), BLOCK_MS));
  await withOutput(command, () => command.interrupt(STOP_MS));
}

export async function startServer(workshop: Workshop, script: string): Promise<Command> {
  const command = new Command(script, placeOf(workshop));
  workshop.servers.push(command);
  await withOutput(command, () => command.shows(READY, BLOCK_MS));
  return command;
}

async function runShownServer(workshop: Workshop, text: string): Promise<void> {
  const [step, ...more] = stepsOf(text);
  if (step === undefined || more.length > 0) throw new Error('a server is one command');
  const { output } = await startServer(workshop, step.command);
  compare(workshop, step.shown, output);
}

async function runShown(workshop: Workshop, text: string): Promise<void> {
  for (const { command, shown } of stepsOf(text))
    compare(workshop, shown, await runAndFollow(workshop, command, shown.trim() !== ''));
}

/** Commands after `$ `, each with the lines below it; `\` at the end goes on. */
function stepsOf(text: string): { command: string; shown: string }[] {
  const parts = text.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const end = /(?<!\\)\n/.exec(part)?.index ?? part.length;
    return { command: part.slice(0, end), shown: part.slice(end + 1) };
  });
}

function compare({ root, home }: Workshop, shown: string, output: string): void {
  const clean = (text: string) => text.replaceAll(root, '').replaceAll(home, '~');
  const missing = missingLine(clean(shown), clean(output));
  if (missing !== undefined) throw new Error(`the page shows "${missing}" where the output is:\n${output}`);
}

/** What it has printed belongs to its failure. */
async function withOutput<T>(command: Command, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new Error(`${(error as Error).message}:\n${command.output.slice(-8000)}`);
  }
}

const placeOf = (workshop: Workshop) => ({ cwd: workshop.folder, env: environment(workshop) });

/** A server that still runs ends by Ctrl-C and with 0; a JVM has other ideas of that number. */
async function stopServers({ servers }: Workshop): Promise<void> {
  for (const server of servers.reverse()) {
    const code = await withOutput(server, () => server.interrupt(STOP_MS));
    if (/RingMQ ready/.test(server.output) && code !== 0)
      throw new Error(`the server ended with ${code}:\n${server.output}`);
  }
}

async function close({ home, root }: Workshop): Promise<void> {
  await endAllCommands();
  // What the test's systemctl has started leads a process group of its own.
  for (const name of readdirSync(root).filter((file) => file.endsWith('.unit.pid')))
    signalGroup(Number(readFileSync(join(root, name), 'utf8')), 'SIGKILL');
  if (process.env['PAGES_KEEP'] === '1') appendFileSync(2, `kept: ${dirname(home)}\n`);
  else rmSync(dirname(home), { recursive: true, force: true });
}
