/** The two client programs, built once per content of their sources into the cache, with the stock clients. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { classPath, java } from '../../../test/interop/support/jvm.ts';
import { tool } from '../../../test/interop/support/tools.ts';
import type { RunFolder } from '../cleanup.ts';
import { PROJECT_FOLDER } from '../machine.ts';
import { runCommand } from '../run-command.ts';

export type Language = 'java' | 'go';

export interface ClientProgram {
  command: string;
  /** Before the program's own. */
  args: string[];
}

const SOURCES = path.join(PROJECT_FOLDER, 'bench', 'rocketmq', 'clients');
const STAMP = 'stamp';
const GO_REMEDY = 'apt-get install -y golang-go';
const JAVA_REMEDY = 'apt-get install -y default-jdk-headless maven';

/** Runs a build in a folder of the run and moves it into the cache when it is whole. */
async function buildOnce(
  folder: RunFolder,
  cache: string,
  language: Language,
  build: (output: string) => { command: string; args: string[] },
): Promise<string> {
  const source = path.join(SOURCES, language);
  const sum = createHash('sha256');
  for (const name of fs.readdirSync(source).sort())
    sum.update(name).update(fs.readFileSync(path.join(source, name)));
  const stamp = sum.digest('hex');
  const final = path.join(cache, `client-${language}`);
  const stampFile = path.join(final, STAMP);
  if (fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === stamp) return final;
  const draft = path.join(folder.path, `client-${language}`);
  fs.mkdirSync(draft, { recursive: true });
  const start = build(draft);
  await runCommand(folder, { ...start, cwd: source }, `${path.basename(start.command)} failed:`);
  fs.writeFileSync(path.join(draft, STAMP), stamp);
  fs.rmSync(final, { recursive: true, force: true });
  fs.renameSync(draft, final);
  return final;
}

async function javaProgram(folder: RunFolder, cache: string): Promise<ClientProgram> {
  const jars = classPath('5.5');
  const built = await buildOnce(folder, cache, 'java', (output) => ({
    command: tool('javac', JAVA_REMEDY),
    args: ['--release', '17', '-encoding', 'UTF-8', '-cp', jars, '-d', output, 'BenchSend.java'],
  }));
  const options = ['-Xms1g', '-Xmx1g', '-Djava.net.preferIPv4Stack=true', `-Duser.home=${folder.path}`];
  options.push('-Drocketmq.client.logLevel=WARN');
  return { command: java(), args: [...options, '-cp', `${built}${path.delimiter}${jars}`, 'BenchSend'] };
}

async function goProgram(folder: RunFolder, cache: string): Promise<ClientProgram> {
  const built = await buildOnce(folder, cache, 'go', (output) => ({
    command: tool('go', GO_REMEDY),
    args: ['build', '-buildvcs=false', '-o', path.join(output, 'bench-send'), '.'],
  }));
  return { command: path.join(built, 'bench-send'), args: [] };
}

/** The programs that building and running a client takes; the error names what to install. */
export function requireTools(language: Language): void {
  if (language === 'go') tool('go', GO_REMEDY);
  else for (const name of ['java', 'javac', 'mvn']) tool(name, JAVA_REMEDY);
}

const PROGRAMS = { java: javaProgram, go: goProgram };

export function clientProgram(language: Language, folder: RunFolder, cache: string): Promise<ClientProgram> {
  return PROGRAMS[language](folder, cache);
}
