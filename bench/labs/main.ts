/**
 * `npm run labs [-- name…]`: experiments about memory, disk and threads that the broker's design rests on, for anyone to
 * repeat. Tables go to stdout, progress to stderr, pages and charts to a directory.
 */
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mebibytes } from '../rocketmq/format.ts';
import { loadLab } from './lib/load-lab.ts';
import { describe, type Machine } from './lib/machine.ts';
import { LABS_USAGE, type LabOptions, parseLabOptions, WrongUse } from './lib/options.ts';
import { indexOf, othersSentence, sectionOf, stateOf, tableOf } from './lib/page.ts';
import { type LabResult, runLab } from './lib/run.ts';

/** On the disk that holds the project, not in memory: a mapping of a tmpfs file has nothing to sync. */
const CACHE = fileURLToPath(new URL('../../../.cache/bench/', import.meta.url));

const say = (line: string): void => console.error(line);

async function printList({ names, scale }: LabOptions): Promise<void> {
  for (const name of names) {
    const lab = await loadLab(name);
    const disk = lab.bytes(scale);
    console.log(`${name.padEnd(14)} ${lab.title}${disk > 0 ? ` (disk: up to ${mebibytes(disk)})` : ''}`);
  }
}

/** The labs' files, which go whatever happens; only a SIGKILL leaves them. */
function temporaryFolder(): string {
  const folder = join(CACHE, `labs-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.once('exit', () =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return folder;
}

/** Before anything is measured: what could not be written would be lost. */
function outputFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    return path;
  } catch (error) {
    throw new WrongUse(`nothing can be written to ${path} (--out): ${(error as Error).message}`);
  }
}

function print(result: LabResult): void {
  const { name, lab, measured } = result;
  console.log(`\n${name}: ${lab.title}`);
  if (measured === undefined) {
    console.log(stateOf(result));
    return;
  }
  console.log(tableOf(lab, measured.rows));
  for (const finding of measured.findings) console.log(`- ${finding}`);
  for (const reason of measured.skipped) console.log(`- not measured here: ${reason}`);
  console.log(othersSentence(measured.foreignShare));
}

async function write(out: string, result: LabResult): Promise<void> {
  const { name, lab, measured } = result;
  writeFileSync(join(out, `${name}.md`), sectionOf(result));
  const chart = join(out, `${name}.svg`);
  rmSync(chart, { force: true });
  if (measured === undefined) return;
  const { drawChart } = await import('./lib/chart.ts');
  writeFileSync(chart, drawChart(lab, measured.rows));
}

async function runAll(
  options: LabOptions,
  folder: string,
  out: string,
  machine: Machine,
): Promise<LabResult[]> {
  const results: LabResult[] = [];
  for (const [i, name] of options.names.entries()) {
    const lab = await loadLab(name);
    say(`${i + 1}/${options.names.length} ${name}`);
    const result = await runLab(name, lab, { folder, scale: options.scale, say });
    say(`  ${stateOf(result)}, ${result.seconds.toFixed(1)} s`);
    results.push(result);
    print(result);
    await write(out, result);
    writeFileSync(join(out, 'index.md'), indexOf(results, machine, options.quick));
  }
  return results;
}

async function main(): Promise<void> {
  const options = parseLabOptions(process.argv.slice(2));
  if (options.list) return printList(options);
  const out = outputFolder(resolve(options.out ?? join(CACHE, 'labs')));
  const folder = temporaryFolder();
  const labs = await Promise.all(options.names.map(loadLab));
  const most = Math.max(...labs.map((lab) => lab.bytes(options.scale)));
  say(`up to ${mebibytes(most)} of disk at a time in ${relative('', folder)}, removed afterwards`);
  const machine = describe(folder, new Date());
  for (const [fact, value] of Object.entries(machine.facts)) console.log(`${fact}: ${value}`);
  const results = await runAll(options, folder, out, machine);
  say(`pages and charts: ${join(relative('', out), 'index.md')}`);
  if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`${error.message}\n\n${LABS_USAGE}`);
  process.exitCode = 2;
});
